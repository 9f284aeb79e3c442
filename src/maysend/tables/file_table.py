"""A table that is read from files, as they are now.

Each call on the way of a lookup costs a tenth of the time that it takes, so the short ways through
the tables inside begin here.
"""

from collections.abc import Sequence
from time import monotonic

from maysend.address.characters import is_ascii
from maysend.tables.compiling import IS_COMPILED
from maysend.tables.fixed_strings import Keeping
from maysend.tables.opened import OpenedTable
from maysend.tables.reloading import Read, Reloading
from maysend.tables.rule_search import PatternTable, RuleSearch
from maysend.tables.sources import Sources
from maysend.tables.table import TableError, Warn
from maysend.tables.text import CheckedTable
from maysend.tables.unavailable import UnavailableTable


class FileTable(OpenedTable):
    """A table that is read from files, as they are now."""

    def __init__(
        self, table: OpenedTable, sources: Sources, read: "Read[OpenedTable]", warn: Warn
    ) -> None:
        super().__init__(table)
        self._clock = monotonic  # a name of a module is looked up by every call
        self._version = _Version(self, table, sources, read, warn)
        self.answer_by(table)

    @property
    def table(self) -> OpenedTable:
        """The version that answers now."""
        return self._version.value

    def answer_by(self, table: OpenedTable) -> None:
        """Let `table` answer from now on."""
        self.pattern = table.pattern
        self.blocking = table.blocking
        self._ways = _Ways(table)

    def lookup(self, key: str, /) -> str | None:
        """The answer for `key`, None where it is not found; TableError where that is unknown."""
        if self._clock() >= self._version.due:
            self._look()
        ways = self._ways  # read once: it is replaced while lookups go on
        if ways.search is not None and ways.checked is not None:
            return ways.search.usual(key, ways.checked)
        if ways.keeping is not None and key and is_ascii(key):
            # In short what the tables inside do.
            outdated, entries, _needed = ways.keeping.kept
            if not outdated():
                answer = entries.get(key.lower())
                if answer is None or is_ascii(answer):
                    return answer
        return ways.ask(key)

    def lacks(self, keys: Sequence[str], /) -> bool:
        """Whether none of these folded keys is found; False where only `lookup` can tell."""
        if self._clock() >= self._version.due:
            self._look()
        return self._ways.lacks(keys)

    def _look(self) -> None:
        """Look at the files, also for what is not a new version of them."""
        self._version.look()
        keeping = self._ways.keeping
        if keeping is not None:
            keeping.look()


class _Ways:
    """How a table is asked: in general, and in short where it is of a type that allows it."""

    def __init__(self, table: OpenedTable) -> None:
        self.ask = table.lookup
        self.lacks = table.lacks
        self.checked: CheckedTable | None = None
        self.keeping: Keeping | None = None
        self.search: RuleSearch | None = None
        if not isinstance(table, CheckedTable):
            return
        self.checked = table
        inside: object = table.table
        if isinstance(inside, Keeping):
            self.keeping = inside
        if IS_COMPILED and isinstance(inside, PatternTable):
            search = inside.search
            self.search = search if search is not None and search.plain else None


class _Version(Reloading[OpenedTable]):
    """The table as it was read from the files last."""

    def __init__(
        self,
        answering: FileTable,
        table: OpenedTable,
        sources: Sources,
        read: "Read[OpenedTable]",
        warn: Warn,
    ) -> None:
        super().__init__(table, sources, read, warn)
        self._answering = answering

    def replace(self, value: OpenedTable) -> None:
        """Answer by `value` from now on: one assignment decides, so no lookup sees half of it."""
        super().replace(value)
        self._answering.answer_by(value)

    def failed(self, error: TableError) -> None:
        """Keep the version before; where there has been none, the error is the new one."""
        broken = self.value
        if not isinstance(broken, UnavailableTable):
            super().failed(error)
        elif broken.reason != error.reason:
            self._warn(str(error))
            self.replace(UnavailableTable(broken.spec, error.reason))
