"""Dovecot's authentication protocol 1.2: its lines, which both ends share, and the client's end.

A line is a command and its fields, separated by tabs; optional fields are `name` or `name=value`,
and unknown ones are passed over. What can't stand in a field is written with Dovecot's tab
escapes. (Dovecot's Design.AuthProtocol; doveadm's documentation calls it the auth-client socket.)

No repr here shows a field: they hold passwords.
"""

import re
from collections.abc import Iterable

import msgspec

MAJOR_VERSION, MINOR_VERSION = 1, 2

LONGEST_LINE = 16384
"""Octets. Dovecot itself takes 8192; a bigger SASL response is refused before it comes here."""

ESCAPES = {"\0": "0", "\x01": "1", "\t": "t", "\r": "r", "\n": "n"}
ESCAPED = {letter: character for character, letter in ESCAPES.items()}
TO_ESCAPE = re.compile("[\0\x01\t\r\n]")
ESCAPE = re.compile("\x01(.?)", re.DOTALL)


class ProtocolError(Exception):
    """The peer said what is not this protocol; the text says what, without quoting it."""


class Command(msgspec.Struct, frozen=True):
    """One line: its first word, and the fields after it with their escapes undone."""

    name: str
    fields: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Command({self.name!r}, {len(self.fields)} fields)"

    def encode(self) -> bytes:
        """The octets of the line, LF included."""
        words = (self.name, *map(escape, self.fields))
        return "\t".join(words).encode("utf-8", "surrogateescape") + b"\n"

    def field(self, position: int) -> str:
        """A required field, counted from 0. Raises ProtocolError where it is missing."""
        if position >= len(self.fields):
            raise ProtocolError(f"{self.name[:20]!a} with too few fields")
        return self.fields[position]

    def number(self, position: int) -> int:
        """A required field that is a number of 32 bits. Raises ProtocolError."""
        text = self.field(position)
        if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) < 1 << 32):
            raise ProtocolError(f"{self.name[:20]!a} with a field that is no number")
        return int(text)

    def options(self, start: int) -> dict[str, str]:
        """The optional fields from `start` on: name → value, "" where there is no value."""
        return dict(_name_and_value(field) for field in self.fields[start:])


def escape(text: str) -> str:
    """`text` as it can stand in a field."""
    return TO_ESCAPE.sub(lambda found: "\x01" + ESCAPES[found[0]], text)


def unescape(text: str) -> str:
    """The text of a field; an escape that nobody knows stands for its letter."""
    if "\x01" not in text:
        return text
    return ESCAPE.sub(lambda found: ESCAPED.get(found[1], found[1]), text)


class LineReader:
    """Turns octets from the peer into commands; holds at most one line of bounded length."""

    def __init__(self, longest: int = LONGEST_LINE) -> None:
        self._longest = longest
        self._input = b""

    def receive(self, octets: bytes) -> list[Command]:
        """The commands that are complete now. Raises ProtocolError for an over-long line.

        After that nothing more can be read: what follows may be the middle of a line.
        """
        *complete, self._input = (self._input + octets).split(b"\n")
        if any(len(line) > self._longest for line in (*complete, self._input)):
            self._input = b""
            raise ProtocolError("a line that is too long")
        return [parse_line(line) for line in complete]


def parse_line(line: bytes) -> Command:
    """The command on one line, given without its LF."""
    name, *fields = line.decode("utf-8", "surrogateescape").split("\t")
    return Command(name, tuple(map(unescape, fields)))


def check_version(command: Command) -> None:
    """Raises ProtocolError where the peer's VERSION is of another major version."""
    if command.number(0) != MAJOR_VERSION:
        raise ProtocolError("another major version")


class Offer(msgspec.Struct, frozen=True):
    """A mechanism of the server's and its properties: `plaintext`, `dictionary`, `active`,
    `anonymous`, `forward-secrecy`, `mutual-auth`, `private`."""

    mechanism: str
    properties: frozenset[str]


class Continued(msgspec.Struct, frozen=True):
    """The server has a challenge (base64) for the client of request `request`."""

    request: int
    challenge: str


class Succeeded(msgspec.Struct, frozen=True):
    """Request `request` proved to be `login`. `final` is the last word of a mechanism that has
    one (base64), else ""."""

    request: int
    login: str
    final: str


class Failed(msgspec.Struct, frozen=True):
    """Request `request` failed; `reason` may be shown, `temporary` says to try later.

    `login` is who the client claimed to be, "" where that is not known.
    """

    request: int
    reason: str
    temporary: bool
    login: str = ""


Answer = Continued | Succeeded | Failed


class AuthClient:
    """The client's end of one connection: what it has to say, and what the server answered.

    `offers` are the server's mechanisms, whole once `ready`.
    """

    def __init__(self, process: int) -> None:
        self.ready = False
        self.offers: list[Offer] = []
        self._process = process
        self._reader = LineReader()
        self._greeted = False

    def greeting(self) -> bytes:
        """To be sent first. `process` is what the server takes for our process number."""
        version = Command("VERSION", (str(MAJOR_VERSION), str(MINOR_VERSION)))
        return version.encode() + Command("CPID", (str(self._process),)).encode()

    def receive(self, octets: bytes) -> list[Answer]:
        """The answers that are complete now. Raises ProtocolError."""
        answers = []
        for command in self._reader.receive(octets):
            if not self.ready:
                self._handshake(command)
            elif (answer := self._answer(command)) is not None:
                answers.append(answer)
        return answers

    def request(
        self, request: int, mechanism: str, options: Iterable[str], initial: str | None
    ) -> bytes:
        """AUTH. `options` such as "service=smtp", "secured"; `initial` in base64, None: none."""
        # Everything after resp= is part of it: it has to be the last one.
        last = () if initial is None else (f"resp={initial}",)
        return Command("AUTH", (str(request), mechanism, *options, *last)).encode()

    def response(self, request: int, response: str) -> bytes:
        """CONT: the client's answer (base64) to a challenge."""
        return Command("CONT", (str(request), response)).encode()

    def cancel(self, request: int) -> bytes:
        """CANCEL: the client gave up."""
        return Command("CANCEL", (str(request),)).encode()

    def _handshake(self, command: Command) -> None:
        if command.name == "VERSION":
            check_version(command)
            self._greeted = True
        elif command.name == "MECH":
            properties = frozenset(name.lower() for name in command.options(1))
            self.offers.append(Offer(command.field(0).upper(), properties))
        elif command.name == "DONE":
            if not self._greeted:
                raise ProtocolError("no VERSION before DONE")
            self.ready = True

    def _answer(self, command: Command) -> Answer | None:
        if command.name == "CONT":
            return Continued(command.number(0), command.field(1))
        options = command.options(1)
        if command.name == "OK":
            if not options.get("user"):
                raise ProtocolError("OK without a user")
            return Succeeded(command.number(0), options["user"], options.get("resp", ""))
        if command.name == "FAIL":
            # "temp" is a flag up to 2.2 and code=temp_fail from then on.
            temporary = "temp" in options or options.get("code") == "temp_fail"
            reason, login = options.get("reason", ""), options.get("user", "")
            return Failed(command.number(0), reason, temporary, login)
        return None


def _name_and_value(field: str) -> tuple[str, str]:
    name, _, value = field.partition("=")
    return name, value
