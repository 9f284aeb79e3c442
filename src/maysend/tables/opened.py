"""What `open_table` gives: one class for all that may be asked, so that compiled code calls it so.

A protocol says as much to a reader, but each of its attributes is looked up by name.
"""

from maysend.tables.fixed_strings import Lacking
from maysend.tables.table import LookupTable


class OpenedTable(Lacking):
    """A table as restrictions and lists see it; `spec`, `pattern` and `blocking` are `table`'s."""

    def __init__(self, table: LookupTable) -> None:
        self.spec = table.spec
        self.pattern = table.pattern
        self.blocking = table.blocking

    def lookup(self, key: str, /) -> str | None:
        """The answer for `key`, None where it is not found; TableError where that is unknown."""
        raise NotImplementedError

    def remembers(self, key: str, /) -> bool:
        """Whether a table that may have to wait would not have to for this key."""
        return False
