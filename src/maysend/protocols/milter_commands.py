"""What a mail server says to a milter, and what it can leave out: see `milter`."""

from collections.abc import Mapping
from enum import IntFlag
from typing import TypeAlias

import msgspec


class Actions(IntFlag):
    """What a filter may ask for at the end of a message (SMFIF_*)."""

    ADD_HEADERS = 0x01
    CHANGE_BODY = 0x02
    ADD_RECIPIENTS = 0x04
    DELETE_RECIPIENTS = 0x08
    CHANGE_HEADERS = 0x10
    QUARANTINE = 0x20
    CHANGE_SENDER = 0x40
    ADD_RECIPIENTS_WITH_PARAMETERS = 0x80
    NAME_MACROS = 0x100


class Steps(IntFlag):
    """What need not be sent (NO_*), and what need not be answered (UNANSWERED_*) (SMFIP_*)."""

    NO_CONNECT = 0x01
    NO_HELO = 0x02
    NO_MAIL = 0x04
    NO_RCPT = 0x08
    NO_BODY = 0x10
    NO_HEADERS = 0x20
    NO_END_OF_HEADER = 0x40
    UNANSWERED_HEADERS = 0x80
    NO_UNKNOWN = 0x100
    NO_DATA = 0x200
    SKIP = 0x400
    REFUSED_RCPT = 0x800
    UNANSWERED_CONNECT = 0x1000
    UNANSWERED_HELO = 0x2000
    UNANSWERED_MAIL = 0x4000
    UNANSWERED_RCPT = 0x8000
    UNANSWERED_DATA = 0x10000
    UNANSWERED_UNKNOWN = 0x20000
    UNANSWERED_END_OF_HEADER = 0x40000
    UNANSWERED_BODY = 0x80000
    LEADING_SPACE = 0x100000


class MilterError(ValueError):
    """The server said what is not this protocol; the text says what, without quoting it."""


class Negotiate(msgspec.Struct, frozen=True):
    """OPTNEG: what the server can do."""

    version: int
    actions: Actions
    steps: Steps


class Macros(msgspec.Struct, frozen=True):
    """Macros that hold for the command that comes next, by name without braces.

    `command` is that command's letter. They hold until the next packet for the same command.
    """

    command: str
    values: Mapping[str, str]


class Connect(msgspec.Struct, frozen=True):
    """A client has connected; `address` is "" where its family has none that is known."""

    name: str
    family: str
    port: int
    address: str


class Helo(msgspec.Struct, frozen=True):
    """HELO or EHLO."""

    name: str


class Mail(msgspec.Struct, frozen=True):
    """MAIL FROM: the path with its brackets, and its ESMTP parameters."""

    path: str
    parameters: tuple[str, ...]


class Rcpt(msgspec.Struct, frozen=True):
    """RCPT TO: the path with its brackets, and its ESMTP parameters."""

    path: str
    parameters: tuple[str, ...]


class Header(msgspec.Struct, frozen=True):
    """One header field; with LEADING_SPACE the value is all that follows the colon."""

    name: bytes
    value: bytes


class Said(msgspec.Struct, frozen=True):
    """A command of which only its letter matters."""

    command: str


Command: TypeAlias = Negotiate | Macros | Connect | Helo | Mail | Rcpt | Header | Said
