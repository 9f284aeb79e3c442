"""What is wrong with a case file, and where."""

from collections.abc import Sequence

import msgspec

from maysend.maincf import Place


class Problem(msgspec.Struct, frozen=True):
    """One thing that is wrong. str() names file and line, and says what was expected."""

    place: Place
    message: str

    def __str__(self) -> str:
        where = str(self.place) if self.place.line else self.place.file
        return f"{where}: {self.message}"


class CaseFileError(Exception):
    """A file that can't be read as cases: all that is wrong with it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)
