"""The server's end of an SMTP connection: octets in, lines and message slices out.

Pull events until there is none, then give more octets. Nothing is read ahead of the dialogue's
state: what follows DATA is message, what follows AUTH is a response, and what a client sent
after STARTTLS in the clear is thrown away (RFC 3207 4.2, as Postfix does).
"""

from typing import Final

from maysend.protocols.smtp.chunk import ChunkScanner
from maysend.protocols.smtp.data import DataLimits, DataScanner
from maysend.protocols.smtp.events import (
    BadLine,
    ChunkEnd,
    Event,
    Line,
    MessageEnd,
    MessageSkipped,
    MessageSlice,
)
from maysend.reply import Reply

LINE_LENGTH_LIMIT: Final = 2048
"""Octets of a command line (line_length_limit of postconf(5)); RFC 5321 asks for 512 at least."""

BARE_LF: Final = Reply(521, "5.5.2", "Error: bare <LF> received")
BARE_CR: Final = Reply(500, "5.5.2", "Error: bare <CR> received")
NUL: Final = Reply(500, "5.5.2", "Error: NUL octet received")
LONG_LINE: Final = Reply(500, "5.5.2", "Error: line too long")
BAD_UTF8: Final = Reply(500, "5.5.2", "Error: bad UTF-8 syntax")


class ServerCodec:
    """One connection. Not for several threads."""

    def __init__(self, line_length_limit: int = LINE_LENGTH_LIMIT) -> None:
        self.line_length_limit = line_length_limit
        self._input = b""
        self._position = 0
        self._skipping_line = False
        self._scanner: DataScanner | None = None
        self._chunks: ChunkScanner | None = None
        self._in_chunk = False
        self._is_last = False

    @property
    def held(self) -> int:
        """Octets received and not yet made into events: the measure for back-pressure."""
        return len(self._input) - self._position

    @property
    def defect(self) -> Reply | None:
        """What is already known to be wrong with the message that is being read."""
        scanner = self._scanner or self._chunks
        return scanner.defect if scanner else None

    @property
    def in_chunks(self) -> bool:
        """Whether a message was begun by BDAT, and its last chunk has not come."""
        return self._chunks is not None

    def receive(self, octets: bytes) -> int:
        """Take what the transport read; how many octets are held now."""
        if self._position == len(self._input):
            self._input = octets
        else:
            self._input = self._input[self._position :] + octets
        self._position = 0
        return len(self._input)

    def next_event(self) -> Event | None:
        """The next event, or None: give more octets."""
        if self._scanner is not None:
            return self._next_of_message(self._scanner)
        if self._in_chunk and self._chunks is not None:
            return self._next_of_chunk(self._chunks)
        return self._next_line()

    def start_data(self, limits: DataLimits) -> None:
        """From here on a message is read, up to its final dot (after the 354 reply)."""
        self._scanner = DataScanner(limits)

    def start_chunk(self, octets: int, *, last: bool, limits: DataLimits) -> None:
        """From here on a chunk is read (after BDAT); `limits` are those of the whole message."""
        self._chunks = self._chunks or ChunkScanner(limits)
        self._chunks.begin_chunk(octets)
        self._in_chunk, self._is_last = True, last

    def forget_chunks(self) -> None:
        """The message is given up (RSET): the next chunk begins another one."""
        self._chunks, self._in_chunk = None, False

    def discard_input(self) -> int:
        """Forget what came after the last line (STARTTLS); returns how many octets."""
        discarded = self.held
        self._input, self._position, self._skipping_line = b"", 0, False
        return discarded

    def _next_of_message(self, scanner: DataScanner) -> Event | None:
        if self._position < len(self._input) and not scanner.finished:
            octets = self._input[self._position :] if self._position else self._input
            wire, self._input = scanner.feed(octets)
            self._position = 0
            if wire:
                return MessageSlice(wire)
            if scanner.defect is not None and not scanner.finished:
                return MessageSkipped(len(octets))
        if not scanner.finished:
            return None
        self._scanner = None
        return MessageEnd(scanner.defect, scanner.octets)

    def _next_of_chunk(self, scanner: ChunkScanner) -> Event | None:
        if self.held and not scanner.chunk_is_complete:
            octets = self._input[self._position :] if self._position else self._input
            wire, self._input = scanner.feed(octets)
            self._position = 0
            if wire:
                return MessageSlice(wire)
            if scanner.defect is not None and not scanner.chunk_is_complete:
                return MessageSkipped(len(octets))
        if not scanner.chunk_is_complete:
            return None
        if not self._is_last:
            self._in_chunk = False
            return ChunkEnd(scanner.defect, scanner.octets)
        held = scanner.finish()
        if held and scanner.defect is None:
            return MessageSlice(held)
        self.forget_chunks()
        return MessageEnd(scanner.defect, scanner.octets)

    def _next_line(self) -> Event | None:
        end = self._input.find(b"\n", self._position)
        if self._skipping_line:
            self._skip_line(end)
            if self._skipping_line:
                return None
            end = self._input.find(b"\n", self._position)
        length = (end if end >= 0 else len(self._input)) - self._position
        if length > self.line_length_limit:
            self._skip_line(end)
            return BadLine(LONG_LINE)
        if end < 0:
            return None
        octets = self._input[self._position : end]
        self._position = end + 1
        return _line(octets)

    def _skip_line(self, end: int) -> None:
        """Drop what is there of an over-long line; it ends at `end` where that is not -1."""
        self._skipping_line = end < 0
        self._position = end + 1 if end >= 0 else len(self._input)


def _line(octets: bytes) -> Line | BadLine:
    """The line, or what is wrong with it; `octets` ends where the LF stood."""
    if not octets.endswith(b"\r"):
        return BadLine(BARE_LF)
    content = octets[:-1]
    # `in` asks first whether the octet is a number, by an exception that costs more than looking.
    if content.find(b"\r") >= 0:
        return BadLine(BARE_CR)
    if content.find(b"\0") >= 0:
        return BadLine(NUL)
    try:
        return Line(content.decode("utf-8"))
    except UnicodeDecodeError:
        return BadLine(BAD_UTF8)
