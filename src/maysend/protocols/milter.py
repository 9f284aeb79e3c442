"""The milter protocol, version 6, from the filter's side: commands of a mail server, and answers.

A packet is a length of four octets (big-endian, the command included), a command of one octet, and
data. Sendmail's libmilter defines it (mfdef.h, smfi_* manual pages); Postfix speaks it as
MILTER_README says. Bytes in, commands out: nothing here reads a socket.
"""

import struct
from collections.abc import Mapping
from enum import IntFlag
from string import whitespace
from typing import TypeAlias

import msgspec

from maysend.reply import Reply

VERSION = 6
OLDEST_VERSION = 6
"""Before 6 a filter could not say which steps need no answer, nor which macros it needs."""

LONGEST_PACKET = 262144
"""Octets. Postfix sends a header of up to header_size_limit (102400) in one packet."""

MOST_MACROS = 100
"""Macros in one packet; Postfix sends about ten."""

LONGEST_REPLY = 510
"""Octets of a reply line without CRLF (RFC 5321 4.5.3.1.5)."""


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


MACRO_STAGES = {"C": 0, "H": 1, "M": 2, "R": 3, "T": 4, "E": 5, "N": 6}
"""The numbers of lists of macros in a negotiation, by the command they come before (SMFIM_*)."""


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

DATA, END_OF_HEADER, BODY, END_OF_MESSAGE = "T", "N", "B", "E"
ABORT, QUIT, NEXT_CONNECTION, UNKNOWN = "A", "Q", "K", "U"

UNANSWERED = {
    Connect: Steps.UNANSWERED_CONNECT,
    Helo: Steps.UNANSWERED_HELO,
    Mail: Steps.UNANSWERED_MAIL,
    Rcpt: Steps.UNANSWERED_RCPT,
    Header: Steps.UNANSWERED_HEADERS,
}
"""The step that says that a command is not answered."""
UNANSWERED_SAID = {
    DATA: Steps.UNANSWERED_DATA,
    END_OF_HEADER: Steps.UNANSWERED_END_OF_HEADER,
    BODY: Steps.UNANSWERED_BODY,
    UNKNOWN: Steps.UNANSWERED_UNKNOWN,
}
NEVER_ANSWERED = frozenset((ABORT, QUIT, NEXT_CONNECTION))

_HEADER, _MACROS = b"LD"
_START = 4
_LENGTH = struct.Struct("!I")
_NEGOTIATION = struct.Struct("!III")


class PacketReader:
    """Octets in, commands out; holds at most one packet that is not complete.

    Header fields of other names than `fields` (lower case), and macros for other commands than
    those whose letters are in `macros`, are passed over unread: they are most of what a server
    says. None is for all. The server must not wait for an answer to what is passed over.
    """

    def __init__(self, fields: frozenset[bytes] | None = None, macros: bytes | None = None) -> None:
        self._input = bytearray()
        self._position = 0
        self._fields = fields
        names = fields or frozenset()
        self._initials = whitespace.encode() + b"".join(n[:1] + n[:1].upper() for n in names)
        self._macros = macros

    def feed(self, octets: bytes) -> None:
        """Take what arrived."""
        if self._position:
            del self._input[: self._position]
            self._position = 0
        self._input += octets

    def next(self) -> Command | None:
        """The next command that is there as a whole. Raises MilterError; after that it is over."""
        octets, start = self._input, self._position
        available = len(octets)
        while available - start >= _START:
            (length,) = _LENGTH.unpack_from(octets, start)
            if not 0 < length <= LONGEST_PACKET:
                raise MilterError(f"a packet of {length} octets")
            start += _START
            end = start + length
            if available < end:
                break
            self._position = end
            letter = octets[start]
            if letter == _MACROS and self._macros is not None and length > 1:
                wanted = octets[start + 1] in self._macros
            elif letter == _HEADER and self._fields is not None and length > 1:
                wanted = octets[start + 1] in self._initials
                if wanted:
                    name = octets[start + 1 : octets.find(0, start, end)]
                    wanted = bytes(name).strip().lower() in self._fields
            else:
                wanted = True
            if wanted:
                return parse_packet(bytes(octets[start:end]))
            start = end
        return None

    @property
    def pending(self) -> int:
        """Octets that were fed and not given out yet."""
        return len(self._input) - self._position


def parse_packet(packet: bytes) -> Command:
    """The command in a packet, given without its length. Raises MilterError."""
    letter, data = packet[:1].decode("latin-1"), packet[1:]
    match letter:
        case "L":
            name, value = _strings(letter, data, 2)
            return Header(name, value)
        case "D":
            return _macros(data)
        case "M":
            path, *parameters = map(_text, _strings(letter, data))
            return Mail(path, tuple(parameters))
        case "R":
            path, *parameters = map(_text, _strings(letter, data))
            return Rcpt(path, tuple(parameters))
        case "C":
            return _connect(data)
        case "H":
            return Helo(_text(_strings(letter, data, 1)[0]))
        case "O":
            if len(data) < _NEGOTIATION.size:
                raise MilterError("a negotiation that is too short")
            version, actions, steps = _NEGOTIATION.unpack_from(data)
            # Bits that have no name here are the server's business.
            return Negotiate(version, Actions(actions & 0x1FF), Steps(steps & 0x1FFFFF))
        case "T" | "N" | "B" | "E" | "A" | "Q" | "K" | "U":
            return Said(letter)
    raise MilterError(f"the unknown command {letter!a}")


def packet(letter: str, data: bytes = b"") -> bytes:
    """A packet, with its length."""
    return _LENGTH.pack(len(data) + 1) + letter.encode("latin-1") + data


CONTINUE = packet("c")
ACCEPT = packet("a")
TEMPFAIL = packet("t")
DISCARD = packet("d")


def negotiated(actions: Actions, steps: Steps, macros: Mapping[str, str]) -> bytes:
    """The answer to a negotiation; `macros` are the names wanted before a command, by its letter.

    Leave `macros` empty where the server does not offer Actions.NAME_MACROS.
    """
    data = _NEGOTIATION.pack(VERSION, actions, steps)
    for letter, names in macros.items():
        data += _LENGTH.pack(MACRO_STAGES[letter]) + names.encode("ascii") + b"\0"
    return packet("O", data)


def refusal(reply: Reply) -> bytes:
    """A reply of our own words for the SMTP client. One without enhanced status gets one.

    Its text is one line; "%" is doubled because the server reads it as smfi_setreply(3) says.
    """
    line = f"{reply.code} {reply.dsn or f'{reply.code // 100}.0.0'} {reply.text}"
    octets = line.encode("utf-8", "surrogateescape")[:LONGEST_REPLY]
    octets = octets.decode("utf-8", "ignore").encode("utf-8")
    octets = bytes(octet if octet >= 32 and octet != 127 else 32 for octet in octets)
    return packet("y", octets.replace(b"%", b"%%") + b"\0")


def insert_header(position: int, name: str, value: str) -> bytes:
    """Insert a field at the position (0: before all others); only at the end of a message."""
    text = f"{name}\0{value}\0".encode("utf-8", "surrogateescape")
    return packet("i", _LENGTH.pack(position) + text)


def quarantine(reason: str) -> bytes:
    """Put the message on hold; only at the end of a message."""
    return packet("q", reason.encode("utf-8", "surrogateescape").replace(b"\0", b" ") + b"\0")


def answers(command: Command, steps: Steps) -> bool:
    """Whether the server waits for an answer to `command` after having agreed on `steps`."""
    if isinstance(command, Macros):
        return False
    if isinstance(command, Said):
        unanswered = UNANSWERED_SAID.get(command.command)
        is_silent = command.command in NEVER_ANSWERED
    else:
        unanswered = UNANSWERED.get(type(command))
        is_silent = False
    return not is_silent and not (unanswered is not None and unanswered in steps)


def _strings(letter: str, data: bytes, count: int | None = None) -> list[bytes]:
    """The strings of a packet, each with its NUL; `count` of them, or at least one."""
    if not data.endswith(b"\0"):
        raise MilterError(f"the command {letter} with a string that does not end")
    strings = data[:-1].split(b"\0")
    if count is not None and len(strings) != count:
        raise MilterError(f"the command {letter} with {len(strings)} strings, expected {count}")
    return strings


def _macros(data: bytes) -> Macros:
    if not data:
        raise MilterError("macros for no command")
    strings = _text(data[1:]).split("\0")
    if strings.pop():
        raise MilterError("the command D with a string that does not end")
    if len(strings) % 2:
        raise MilterError("a macro without a value")
    if len(strings) > 2 * MOST_MACROS:
        raise MilterError(f"more than {MOST_MACROS} macros")
    names = [name.removeprefix("{").removesuffix("}") for name in strings[::2]]
    return Macros(chr(data[0]), dict(zip(names, strings[1::2], strict=True)))


def _connect(data: bytes) -> Connect:
    name, nul, rest = data.partition(b"\0")
    family = rest[:1].decode("latin-1")
    if not nul or family not in ("U", "L", "4", "6"):
        raise MilterError("a connection of no known family")
    if family == "U":
        return Connect(_text(name), family, 0, "")
    if len(rest) < 4:
        raise MilterError("a connection without an address")
    (address,) = _strings("C", rest[3:], 1)
    return Connect(_text(name), family, int.from_bytes(rest[1:3], "big"), _text(address))


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "surrogateescape")
