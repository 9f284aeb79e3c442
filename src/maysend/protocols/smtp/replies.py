"""SMTP replies of one or more lines (RFC 5321 4.2.1), written and read."""

import re
import unicodedata
from typing import Final, TypeAlias

from maysend.reply import LONGEST_LINE, Reply

LONGEST_TEXT: Final = LONGEST_LINE - len("250 ")

MOST_LINES: Final = 256
"""Lines of one reply that are kept; a next hop that says more is out of its mind."""

ZERO: Final = 48
HYPHEN: Final = 45
BLANK: Final = 32
"""Octets of "0", "-" and " "."""
ENHANCED_CODE: Final = re.compile(r"([245]\.\d{1,3}\.\d{1,3}) ?(.*)", re.DOTALL)


class ProtocolError(Exception):
    """The peer said what is no SMTP reply; the text says what, without quoting it at length."""


class ReplyLines:
    """A reply as it stands on the wire: each line's text still has its enhanced status code."""

    def __init__(self, code: int, lines: tuple[str, ...]) -> None:
        self.code = code
        self.lines = lines

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ReplyLines):
            return NotImplemented
        return self.code == other.code and self.lines == other.lines

    def __hash__(self) -> int:
        return hash((self.code, self.lines))

    def __repr__(self) -> str:
        return f"ReplyLines({self.code}, {self.lines})"

    @staticmethod
    def of(reply: Reply) -> "ReplyLines":
        """The one-line reply `reply`, cut where RFC 5321 4.5.3.1.5 cuts."""
        return ReplyLines(reply.code, (str(reply)[4:],))

    @property
    def text(self) -> str:
        """All lines, joined by spaces: for logs and for replies that must be one line."""
        return " ".join(self.lines)

    @property
    def dsn(self) -> str:
        """The enhanced status code (RFC 3463), or the class's plain one where none was said."""
        found = ENHANCED_CODE.match(self.lines[0])
        if found and found[1][0] == str(self.code)[0]:
            return found[1]
        return f"{self.code // 100}.0.0"

    @property
    def has_dsn(self) -> bool:
        """Whether it is one line with an enhanced status code."""
        return len(self.lines) == 1 and ENHANCED_CODE.match(self.lines[0]) is not None

    @property
    def accepts(self) -> bool:
        """Whether this is a 2yz reply."""
        return 200 <= self.code <= 299

    def encode(self) -> bytes:
        """The octets to send, CR LF included."""
        if len(self.lines) == 1:
            return b"%d %s\r\n" % (self.code, wire_text(self.lines[0]))
        last = len(self.lines) - 1
        return b"".join(
            b"%d%c%s\r\n" % (self.code, b" " if number == last else b"-", wire_text(line))
            for number, line in enumerate(self.lines)
        )


Answer: TypeAlias = Reply | ReplyLines
"""What a client is told."""


def in_ascii(reply: ReplyLines) -> ReplyLines:
    """The reply for a client that did not ask for SMTPUTF8 (RFC 6531 3.7.4): accents are left
    away, and what has no other form becomes a question mark."""
    for line in reply.lines:
        if not line.isascii():
            break
    else:
        return reply
    return ReplyLines(reply.code, tuple(map(_ascii, reply.lines)))


def _ascii(text: str) -> str:
    letters = [c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)]
    return "".join(letters).encode("ascii", "replace").decode("ascii")


def with_dsn(line: str, dsn: str) -> str:
    """A reply line's text with an enhanced status code in front, as RFC 2034 asks of each line."""
    return line if ENHANCED_CODE.match(line) else f"{dsn} {line}".rstrip()


def wire_text(text: str) -> bytes:
    """The octets of one reply line: no control characters, not longer than a line may be."""
    octets = text.encode("utf-8", "surrogateescape")
    if len(octets) > LONGEST_TEXT:
        end = LONGEST_TEXT
        while end > LONGEST_TEXT - 4 and octets[end] & 0xC0 == 0x80:
            end -= 1  # not within a character
        octets = octets[:end]
    return octets.translate(CONTROLS_TO_SPACE)


CONTROLS_TO_SPACE: Final = bytes(
    32 if octet < 32 or octet == 127 else octet for octet in range(256)
)


class ReplyReader:
    """Turns octets from a server into replies; holds at most one reply of bounded length."""

    def __init__(self) -> None:
        self._input = b""
        self._lines: list[str] = []
        self._code = 0

    @property
    def holds_octets(self) -> bool:
        """Whether a part of a reply was read that is not complete."""
        return bool(self._input or self._lines)

    def receive(self, octets: bytes) -> list[ReplyLines]:
        """The replies that are complete now. Raises ProtocolError for what is no reply."""
        complete = (self._input + octets).split(b"\n")
        self._input = complete.pop()
        if len(self._input) > 4 * LONGEST_LINE:
            raise ProtocolError("a reply line without an end")
        replies: list[ReplyLines] = []
        for line in complete:
            reply = self._add(line[:-1] if line.endswith(b"\r") else line)
            if reply is not None:
                replies.append(reply)
        return replies

    def _add(self, line: bytes) -> ReplyLines | None:
        code = _code_of(line)
        if self._lines and code != self._code:
            raise ProtocolError("a reply whose lines have different codes")
        text = line[4:].decode("utf-8", "surrogateescape")
        if len(line) > 3 and line[3] == HYPHEN:
            self._code = code
            self._lines.append(text)
            if len(self._lines) >= MOST_LINES:
                raise ProtocolError("a reply of too many lines")
            return None
        if not self._lines:
            return ReplyLines(code, (text,))
        reply = ReplyLines(code, (*self._lines, text))
        self._lines = []
        return reply


def _code_of(line: bytes) -> int:
    """The code that a line begins with (RFC 5321 4.2). Raises ProtocolError for other lines."""
    length = len(line)
    if 3 <= length <= 4 * LONGEST_LINE and (length == 3 or line[3] in (BLANK, HYPHEN)):
        first, second, third = line[0] - ZERO, line[1] - ZERO, line[2] - ZERO
        if 2 <= first <= 5 and 0 <= second <= 5 and 0 <= third <= 9:
            return 100 * first + 10 * second + third
    raise ProtocolError("a line that is no SMTP reply")
