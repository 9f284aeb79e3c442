r"""What comes between DATA and the final dot (RFC 5321 4.1.1.4, 4.5.2), in big slices.

The end is CR LF . CR LF and nothing else. LF or CR on their own, which other servers may take
for a line end (SMTP smuggling), NUL, and lines without end make the message refused: the rest
is still read up to the true end, so that no part of a message is ever taken for a command.

The slices handed out are as they were on the wire, dots doubled: that is how they can be sent
on, unchanged, to a next hop. `unstuff` gives the text.
"""

from typing import Final

from maysend.reply import Reply

END: Final = b"\r\n.\r\n"
LINE_END: Final = b"\r\n"

BARE_LF: Final = Reply(550, "5.5.2", "Error: bare <LF> received")
BARE_CR: Final = Reply(550, "5.5.2", "Error: bare <CR> received")
NUL: Final = Reply(550, "5.5.2", "Error: NUL octet received")
LONG_LINE: Final = Reply(554, "5.6.0", "Error: line too long")
TOO_BIG: Final = Reply(552, "5.3.4", "Error: message file too big")
DEFECTS: Final = (BARE_LF, BARE_CR, NUL, LONG_LINE, TOO_BIG)
"""Worst first."""


class DataLimits:
    """Bounds of one message; `size` 0 means no limit, as message_size_limit does."""

    def __init__(self, size: int = 0, line: int = 65536) -> None:
        self.size = size
        self.line = line


class DataCheck:
    """Notes what is wrong in a message that comes in slices. `octets` counts them."""

    def __init__(self, limits: DataLimits) -> None:
        self.octets = 0
        self._limits = limits
        self._open_line = 0
        self._defects: set[Reply] = set()

    @property
    def defect(self) -> Reply | None:
        """The worst defect so far: which one is said does not depend on how octets arrive."""
        if not self._defects:
            return None
        return min(self._defects, key=_badness)

    def add(self, defect: Reply) -> None:
        """Note a defect that was found elsewhere."""
        self._defects.add(defect)

    def note(self, body: bytes) -> None:
        """Look at the next slice, which ends neither between CR and LF nor before a final dot."""
        self.octets += len(body)
        line_ends = body.count(LINE_END)
        if body.count(b"\n") != line_ends:
            self._defects.add(BARE_LF)
        if body.count(b"\r") != line_ends:
            self._defects.add(BARE_CR)
        if body.find(b"\0") >= 0:
            self._defects.add(NUL)
        if self._has_long_line(body):
            self._defects.add(LONG_LINE)
        if self._limits.size and self.octets > self._limits.size:
            self._defects.add(TOO_BIG)

    def _has_long_line(self, body: bytes) -> bool:
        """Jump from line end to line end, a limit's length at a time."""
        limit = self._limits.line
        first = body.find(b"\n")
        if first < 0:
            self._open_line += len(body)
            return self._open_line > limit
        opened, self._open_line = self._open_line, len(body) - (body.rfind(b"\n") + 1)
        if opened + first > limit or self._open_line > limit:
            return True
        start = first + 1
        while len(body) - start > limit:
            start = body.rfind(b"\n", start, start + limit + 1) + 1
            if start == 0:
                return True
        return False


class DataScanner:
    """Finds the end of one message and what is wrong in it. One message a scanner."""

    def __init__(self, limits: DataLimits) -> None:
        self.finished = False
        self._check = DataCheck(limits)
        # The CR LF that ended the DATA command also begins the end mark of an empty message.
        self._held = LINE_END
        self._borrowed = len(LINE_END)

    @property
    def octets(self) -> int:
        """What the message has on the wire so far, without its final dot."""
        return self._check.octets

    @property
    def defect(self) -> Reply | None:
        """The worst defect so far."""
        return self._check.defect

    def feed(self, octets: bytes) -> tuple[bytes, bytes]:
        """Take octets; give (message octets that may be sent on, octets after the end)."""
        text = self._held + octets if self._held else octets
        end = text.find(END)
        if end >= 0:
            self.finished = True
            body, rest = text[: end + len(LINE_END)], text[end + len(END) :]
            self._held = b""
        else:
            kept = _length_of_possible_end(text)
            body, rest = text[: len(text) - kept], b""
            self._held = text[len(text) - kept :]
        if self._borrowed and body:
            body, self._borrowed = body[self._borrowed :], 0
        self._check.note(body)
        return (b"" if self._check.defect else body), rest


def _length_of_possible_end(text: bytes) -> int:
    """How many of the last octets may be the beginning of the end mark."""
    for length in (4, 3, 2, 1):
        if text.endswith(END[:length]):
            return length
    return 0


def unstuff(wire: bytes) -> bytes:
    """The text of whole lines as they were before dots were doubled (RFC 5321 4.5.2)."""
    return wire.removeprefix(b".").replace(b"\r\n.", b"\r\n")


def stuff(text: bytes) -> bytes:
    """Whole lines of text as they go on the wire: a line's first dot is doubled."""
    stuffed = text.replace(b"\r\n.", b"\r\n..")
    return b"." + stuffed if stuffed.startswith(b".") else stuffed


def _badness(defect: Reply) -> int:
    return DEFECTS.index(defect) if defect in DEFECTS else len(DEFECTS)
