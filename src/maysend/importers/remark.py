"""What an importer has to say about a line: skipped, or meaning something else here."""

from typing import Literal, TypeAlias

import msgspec

Kind: TypeAlias = Literal["skipped", "different", "ignored"]
"""skipped: could not be read; different: means something else here; ignored: not for us."""


class Remark(msgspec.Struct, frozen=True):
    """About one line of one file; line 0 is the file as a whole."""

    file: str
    line: int
    kind: Kind
    text: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.kind}: {self.text}"
