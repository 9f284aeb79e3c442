"""Where a character of the configuration is written."""

import msgspec


class Place(msgspec.Struct, frozen=True, gc=False):
    """A file, a line and a column, both from 1; a default has the file "<default>" and line 0."""

    file: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file

    @property
    def is_default(self) -> bool:
        """Whether nobody wrote it: the value is Postfix's own default."""
        return self.file == DEFAULT_FILE


DEFAULT_FILE = "<default>"
"""The file named by the Place of a default."""
