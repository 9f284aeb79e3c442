"""Dovecot's authentication protocol 1.2, the server's end (the lines are in `dovecot_auth`).

A client such as Postfix asks for any number of exchanges at a time, each with a number of its own:
AUTH begins one, CONT goes on with it, CANCEL gives it up; we say CONT, OK or FAIL.
"""

from collections.abc import Sequence
from typing import TypeAlias

import msgspec

from maysend.protocols.dovecot_auth import (
    MAJOR_VERSION,
    MINOR_VERSION,
    Command,
    LineReader,
    Offer,
    ProtocolError,
    check_version,
)

INITIAL = "resp="


class Begun(msgspec.Struct, frozen=True):
    """AUTH: `options` are "service", "rip", "lip", "secured" and the like; `initial` is the
    initial response (base64), None where there is none. Its repr shows no password."""

    request: int
    mechanism: str
    options: dict[str, str]
    initial: str | None

    def __repr__(self) -> str:
        return f"Begun({self.request}, {self.mechanism!r})"


class Responded(msgspec.Struct, frozen=True):
    """CONT: the client's answer (base64) to a challenge. Its repr shows no password."""

    request: int
    response: str

    def __repr__(self) -> str:
        return f"Responded({self.request})"


class GivenUp(msgspec.Struct, frozen=True):
    """CANCEL: nobody waits for this request any more."""

    request: int


Asked: TypeAlias = Begun | Responded | GivenUp


class AuthServer:
    """The server's end of one connection: what the client asked, and how answers are said.

    `process` and `connection` are numbers that tell this connection from others, `cookie` is
    random: 32 hexadecimal digits (they are for a Dovecot that fetches what OK promised).
    """

    def __init__(self, offers: Sequence[Offer], process: int, connection: int, cookie: str) -> None:
        self._offers = offers
        self._process = process
        self._connection = connection
        self._cookie = cookie
        self._reader = LineReader()
        self._has_version = False
        self._has_process = False

    def greeting(self) -> bytes:
        """To be sent first: Postfix waits for all of it."""
        lines = [Command("VERSION", (str(MAJOR_VERSION), str(MINOR_VERSION)))]
        for offer in self._offers:
            lines.append(Command("MECH", (offer.mechanism, *sorted(offer.properties))))
        lines.append(Command("SPID", (str(self._process),)))
        lines.append(Command("CUID", (str(self._connection),)))
        lines.append(Command("COOKIE", (self._cookie,)))
        lines.append(Command("DONE"))
        return b"".join(line.encode() for line in lines)

    def receive(self, octets: bytes) -> list[Asked]:
        """What is asked as a whole now. Raises ProtocolError; after that it is over."""
        asked = []
        for command in self._reader.receive(octets):
            if command.name == "VERSION":
                check_version(command)
                self._has_version = True
            elif not self._has_version:
                raise ProtocolError("no VERSION at the beginning")
            elif command.name == "CPID":
                command.number(0)
                self._has_process = True
            elif (question := self._asked(command)) is not None:
                asked.append(question)
        return asked

    def _asked(self, command: Command) -> Asked | None:
        """What a command asks; None for one that nobody knows, which is passed over."""
        match command.name:
            case "AUTH":
                if not self._has_process:
                    raise ProtocolError("AUTH before CPID")
                return _begun(command)
            case "CONT":
                return Responded(command.number(0), command.field(1))
            case "CANCEL":
                return GivenUp(command.number(0))
        return None


def continued(request: int, challenge: str) -> bytes:
    """CONT: a challenge (base64) for the client."""
    return Command("CONT", (str(request), challenge)).encode()


def succeeded(request: int, login: str) -> bytes:
    """OK: the client is `login`."""
    return Command("OK", (str(request), f"user={login}")).encode()


def failed(request: int, login: str, reason: str, *, temporary: bool) -> bytes:
    """FAIL: `login` is who it claimed to be, as far as is known; `reason` may be shown to it."""
    fields = [str(request)]
    if login:
        fields.append(f"user={login}")
    if temporary:
        # "temp" is what clients up to Dovecot 2.2 and Postfix look for, the code what later ones do
        fields += ["temp", "code=temp_fail"]
    if reason:
        fields.append(f"reason={reason}")
    return Command("FAIL", tuple(fields)).encode()


def _begun(command: Command) -> Begun:
    """AUTH. The initial response is all that follows "resp=": it is the last field."""
    request, mechanism = command.number(0), command.field(1).upper()
    fields = command.fields[2:]
    initial = None
    for position, field in enumerate(fields):
        if field.startswith(INITIAL):
            if position != len(fields) - 1:
                raise ProtocolError("a field after the initial response")
            initial = field.removeprefix(INITIAL)
            fields = fields[:position]
    options = dict(field.partition("=")[::2] for field in fields)
    return Begun(request, mechanism, options, initial)
