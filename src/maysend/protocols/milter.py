"""The milter protocol, version 6, from the filter's side: commands of a mail server, and answers.

A packet is a length of four octets (big-endian, the command included), a command of one octet, and
data. Sendmail's libmilter defines it (mfdef.h, smfi_* manual pages); Postfix speaks it as
MILTER_README says. Bytes in, commands out: nothing here reads a socket.
"""

import struct
from collections.abc import Mapping
from string import whitespace
from typing import Final

from maysend.protocols.milter_commands import (
    Actions,
    Command,
    Connect,
    Header,
    Helo,
    Macros,
    Mail,
    MilterError,
    Negotiate,
    Rcpt,
    Said,
    Steps,
)
from maysend.reply import Reply

VERSION: Final = 6
OLDEST_VERSION: Final = 6
"""Before 6 a filter could not say which steps need no answer, nor which macros it needs."""

LONGEST_PACKET: Final = 262144
"""Octets. Postfix sends a header of up to header_size_limit (102400) in one packet."""

MOST_MACROS: Final = 100
"""Macros in one packet; Postfix sends about ten."""

LONGEST_REPLY: Final = 510
"""Octets of a reply line without CRLF (RFC 5321 4.5.3.1.5)."""


MACRO_STAGES: Final = {"C": 0, "H": 1, "M": 2, "R": 3, "T": 4, "E": 5, "N": 6}
"""The numbers of lists of macros in a negotiation, by the command they come before (SMFIM_*)."""


DATA, END_OF_HEADER, BODY, END_OF_MESSAGE = "T", "N", "B", "E"
ABORT, QUIT, NEXT_CONNECTION, UNKNOWN = "A", "Q", "K", "U"

UNANSWERED: Final[dict[type, int]] = {
    Connect: int(Steps.UNANSWERED_CONNECT),
    Helo: int(Steps.UNANSWERED_HELO),
    Mail: int(Steps.UNANSWERED_MAIL),
    Rcpt: int(Steps.UNANSWERED_RCPT),
    Header: int(Steps.UNANSWERED_HEADERS),
}
"""The step that says that a command is not answered."""
UNANSWERED_SAID: Final[dict[str, int]] = {
    DATA: int(Steps.UNANSWERED_DATA),
    END_OF_HEADER: int(Steps.UNANSWERED_END_OF_HEADER),
    BODY: int(Steps.UNANSWERED_BODY),
    UNKNOWN: int(Steps.UNANSWERED_UNKNOWN),
}
NEVER_ANSWERED: Final = frozenset((ABORT, QUIT, NEXT_CONNECTION))

_HEADER, _MACROS = b"LD"
_START: Final = 4
_LENGTH: Final = struct.Struct("!I")
_NEGOTIATION: Final = struct.Struct("!III")


class PacketReader:
    """Octets in, commands out; holds at most one packet that is not complete.

    Header fields of other names than `fields` (lower case), and macros for other commands than
    those whose letters are in `macros`, are passed over unread: they are most of what a server
    says. None is for all. The server must not wait for an answer to what is passed over.
    """

    def __init__(self, fields: frozenset[bytes] | None = None, macros: bytes | None = None) -> None:
        self._input = b""
        self._position = 0
        self._more: list[bytes] = []
        self._missing = 0
        self._fields = fields
        names = fields or frozenset()
        self._initials = whitespace.encode() + b"".join(n[:1] + n[:1].upper() for n in names)
        self._macros = macros

    def feed(self, octets: bytes) -> None:
        """Take what arrived."""
        if self._position == len(self._input) and not self._more:
            self._input, self._position = octets, 0
            return
        self._more.append(octets)
        self._missing -= len(octets)

    def next(self) -> Command | None:
        """The next command that is there as a whole. Raises MilterError; after that it is over."""
        if self._more:
            if self._missing > 0:  # joined once a packet, not once a piece
                return None
            self._input = b"".join([self._input[self._position :], *self._more])
            self._more.clear()
            self._position = 0
        octets, start = self._input, self._position
        available = len(octets)
        while True:
            data = start + _START
            end = data + _length_at(octets, start) if data <= available else data
            if end > available:
                self._position = start
                self._missing = end - available
                return None
            if self._is_wanted(octets, data, end):
                self._position = end
                self._missing = 0
                return parse_packet(octets[data:end])
            start = end

    def _is_wanted(self, octets: bytes, start: int, end: int) -> bool:
        if end - start == 1:
            return True
        letter, first = octets[start], octets[start + 1]
        if letter == _MACROS and self._macros is not None:
            return first in self._macros
        if letter == _HEADER and self._fields is not None:
            if first not in self._initials:
                return False
            name = octets[start + 1 : octets.find(b"\0", start, end)]
            return name.strip().lower() in self._fields
        return True

    @property
    def pending(self) -> int:
        """Octets that were fed and not given out yet."""
        return len(self._input) - self._position + sum(map(len, self._more))


def _length_at(octets: bytes, start: int) -> int:
    """The length of the packet whose four octets of length begin at `start`. Raises MilterError."""
    length = octets[start] << 24 | octets[start + 1] << 16
    length |= octets[start + 2] << 8 | octets[start + 3]
    if not 0 < length <= LONGEST_PACKET:
        raise MilterError(f"a packet of {length} octets")
    return length


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


CONTINUE: Final = packet("c")
ACCEPT: Final = packet("a")
TEMPFAIL: Final = packet("t")
DISCARD: Final = packet("d")


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


def answers(command: Command, steps: int) -> bool:
    """Whether the server waits for an answer to `command` after having agreed on `steps`."""
    if isinstance(command, Macros):
        return False
    if isinstance(command, Said):
        if command.command in NEVER_ANSWERED:
            return False
        return not steps & UNANSWERED_SAID.get(command.command, 0)
    return not steps & UNANSWERED.get(type(command), 0)


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
