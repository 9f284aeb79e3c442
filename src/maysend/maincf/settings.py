"""One `name = value`, and where each of its characters is written."""

from bisect import bisect_right
from typing import TypeAlias

import msgspec

from maysend.maincf.place import DEFAULT_FILE, Place

Run: TypeAlias = tuple[int, int, int]
"""From this offset in the value: line and column of the character there."""


class Setting(msgspec.Struct, frozen=True, gc=False):
    """A parameter as it was set.

    `raw` is the value as written, its logical line joined and `$name` not expanded; `place` is
    where the name stands; `service` is "submission/inet" where an `-o` of master.cf set it.
    """

    name: str
    raw: str
    place: Place
    service: str | None = None
    runs: tuple[Run, ...] = ()

    @classmethod
    def default(cls, name: str, raw: str) -> "Setting":
        """Postfix's own default for a parameter that nobody set."""
        return cls(name, raw, Place(DEFAULT_FILE, 0))

    def place_at(self, offset: int) -> Place:
        """Where the character at `offset` of `raw` is written, also on a continuation line."""
        if not self.runs:
            return Place(self.place.file, self.place.line, offset + 1)
        index = bisect_right(self.runs, offset, key=_offset) - 1
        start, line, column = self.runs[max(index, 0)]
        return Place(self.place.file, line, column + offset - start)


def _offset(run: Run) -> int:
    return run[0]
