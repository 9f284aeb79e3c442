"""A table that tells of each lookup, for `maysend lookup -v`."""

from maysend.tables.opened import OpenedTable
from maysend.tables.table import LookupTable, TableError, Tell


class TracedTable(OpenedTable):
    """`table` as it is asked from outside: the key, what is done with it, and the answer."""

    def __init__(self, table: LookupTable, tell: Tell) -> None:
        super().__init__(table)
        self.table = table
        self._tell = tell

    def lookup(self, key: str, /) -> str | None:
        """The answer of the table. Raises TableError as it does."""
        self._tell("table", self.spec)
        self._tell("key", key)
        try:
            answer = self.table.lookup(key)
        except TableError as error:
            self._tell("failed", error.reason)
            raise
        if answer is None:
            self._tell("answer", "not found")
        else:
            self._tell("answer", f'"{answer}"')
        return answer
