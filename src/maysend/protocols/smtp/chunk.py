r"""A message that comes in chunks (BDAT, RFC 3030), made into what DATA would have brought.

A chunk's octets are the message's own, without doubled dots and without a final one: they are
checked like those of DATA (bare CR or LF, NUL, long lines, size) and their dots are doubled, so
that they can be sent on. A CR LF that is cut in two by the border of chunks is one.
"""

import re
from typing import Final

from maysend.protocols.smtp.commands import CommandError
from maysend.protocols.smtp.data import DataCheck, DataLimits
from maysend.reply import Reply

SYNTAX: Final = Reply(501, "5.5.4", "Syntax: BDAT count [LAST]")
ARGUMENT: Final = re.compile(r"(\d{1,20})(?: +(LAST))?", re.IGNORECASE | re.ASCII)
BINARY: Final = Reply(550, "5.6.1", "Error: message does not end with <CR><LF>")


def parse_bdat(argument: str) -> tuple[int, bool]:
    """(octets, whether it is the last chunk). Raises CommandError."""
    found = ARGUMENT.fullmatch(argument)
    if found is None:
        raise CommandError(SYNTAX)
    return int(found[1]), found[2] is not None


class ChunkScanner:
    """One message, however many chunks it has."""

    def __init__(self, limits: DataLimits) -> None:
        self._check = DataCheck(limits)
        self._left = 0
        self._held = b""
        self._at_line_start = True

    @property
    def octets(self) -> int:
        """Octets of the message so far, as they stand after dots are doubled."""
        return self._check.octets

    @property
    def defect(self) -> Reply | None:
        """The worst defect so far."""
        return self._check.defect

    @property
    def chunk_is_complete(self) -> bool:
        """Whether all octets of the chunk were read."""
        return self._left == 0

    def begin_chunk(self, octets: int) -> None:
        """A chunk of so many octets follows."""
        self._left = octets

    def feed(self, octets: bytes) -> tuple[bytes, bytes]:
        """Take octets; give (message octets that may be sent on, octets after the chunk)."""
        mine, rest = octets[: self._left], octets[self._left :]
        self._left -= len(mine)
        text = self._held + mine
        # A CR may be the half of a line end whose other half comes with the next octets.
        self._held = b"\r" if text.endswith(b"\r") else b""
        return self._passed(text[: len(text) - len(self._held)]), rest

    def finish(self) -> bytes:
        """The last chunk is complete: what was held back. An incomplete last line is a defect,
        as nothing may be added to it and DATA could not carry it."""
        held = self._passed(self._held)
        self._held = b""
        if self.octets and not self._at_line_start:
            self._check.add(BINARY)
        return held

    def _passed(self, text: bytes) -> bytes:
        if not text:
            return b""
        stuffed = text.replace(b"\r\n.", b"\r\n..")
        if self._at_line_start and stuffed.startswith(b"."):
            stuffed = b"." + stuffed
        self._at_line_start = text.endswith(b"\r\n")
        self._check.note(stuffed)
        return stuffed if self._check.defect is None else b""
