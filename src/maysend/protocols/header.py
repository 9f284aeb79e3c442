"""The header block of a message (RFC 5322 2.2), collected and checked line by line.

A block whose lines are not all `name: value` or continuations is refused: software further on
would disagree about where the header ends, and so about who the message says it is from. That
includes obsolete syntax (a blank before the colon, a continuation made of blanks only).
"""

import re
from typing import Final

from maysend.protocols.smtp.data import unstuff
from maysend.reply import Reply

HEADER_SIZE_LIMIT: Final = 102400
"""Octets, as header_size_limit of postconf(5)."""

HOPCOUNT_LIMIT: Final = 50
"""Received: fields, as hopcount_limit of postconf(5)."""

TOO_LONG: Final = Reply(552, "5.3.4", "Error: message header size exceeds fixed limit")
TOO_MANY_HOPS: Final = Reply(554, "5.4.6", "Error: too many hops")
FIELD: Final = re.compile(rb"([!-9;-~]+):")
CONTINUATION: Final = re.compile(rb"[ \t]+[^ \t]")
LINE_END: Final = b"\r\n"
BLANKS: Final = (ord(" "), ord("\t"))
END: Final = LINE_END + LINE_END
ONLY_SOUND_LINES: Final = re.compile(
    rb"(?:[!-9;-~]++:[^\r\n]*+\r\n(?:[ \t]++[^ \t\r\n][^\r\n]*+\r\n)*)*"
)


class HeaderBlock:
    """A header block's octets (dots not doubled, no empty line at its end) and field names."""

    def __init__(self, octets: bytes, names: tuple[bytes, ...]) -> None:
        self.octets = octets
        self.names = names

    def count(self, name: bytes) -> int:
        """How many fields have this name, given in lower case."""
        return self.names.count(name)


class HeaderError(Exception):
    """A header block that is refused; `reply` is what the client is told."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply))
        self.reply = reply


def parse_header(octets: bytes) -> HeaderBlock:
    """Check every line of a header block. Raises HeaderError naming the line."""
    if ONLY_SOUND_LINES.fullmatch(octets):
        names = _names_of_sound(octets.lower())
    else:
        names = names_line_by_line(octets)
    if names.count(b"received") > HOPCOUNT_LIMIT:
        raise HeaderError(TOO_MANY_HOPS)
    return HeaderBlock(octets, tuple(names))


def _names_of_sound(octets: bytes) -> list[bytes]:
    lines = octets.split(LINE_END)
    return [line[: line.find(b":")] for line in lines if line and line[0] not in BLANKS]


def names_line_by_line(octets: bytes) -> list[bytes]:
    """The names of a block that may have a bad line. Raises HeaderError naming the first one."""
    names: list[bytes] = []
    for number, line in enumerate(octets.removesuffix(b"\r\n").split(b"\r\n"), 1):
        found = FIELD.match(line)
        if found:
            names.append(found[1].lower())
        elif not (names and CONTINUATION.match(line)) and octets:
            raise HeaderError(_bad_line(number))
    return names


def _bad_line(number: int) -> Reply:
    text = f"Error: message header line {number} is neither a field nor a continuation"
    return Reply(554, "5.6.0", text)


class HeaderCollector:
    """Gathers the header from slices of a message as on the wire; at most `limit` octets."""

    def __init__(self, limit: int = HEADER_SIZE_LIMIT) -> None:
        self.complete = False
        self._limit = limit
        self._first = b""
        self._more = bytearray()
        self._octets = 0
        self._last = b""
        self._end = 0

    def feed(self, wire: bytes) -> None:
        """Add a slice. Raises HeaderError when the header is longer than it may be."""
        if self._octets:
            self._more += wire
        else:
            self._first = wire
        if self.complete:
            return
        # The end may lie across the border of two slices.
        seam = self._last + wire
        before = self._octets - len(self._last)
        end = seam.find(END)
        self._octets += len(wire)
        self._last = seam[1 - len(END) :]
        length = self._octets
        self._end = length
        if before == 0 and seam.startswith(LINE_END):
            self.complete = True
            self._end = length = 0
        elif end >= 0:
            self.complete = True
            length = before + end
            self._end = length + len(LINE_END)
        if length > self._limit:
            raise HeaderError(TOO_LONG)

    @property
    def wire(self) -> bytes:
        """All that was fed, the beginning of the body included."""
        return self._first + self._more if self._more else self._first

    @property
    def header(self) -> bytes:
        """The header's text, without the empty line; all of the message where that is missing."""
        return unstuff(self.wire[: self._end])
