"""The `domain` parameter of a database table: names, files and tables of domains."""

from maysend.maincf.tokens import split
from maysend.tables.index import open_table
from maysend.tables.lines import read_lines
from maysend.tables.table import LookupTable, TableContext, TableError
from maysend.tables.text import fold

_MAX_DEPTH = 10


class DomainList:
    """A list of domains; `!name` excludes, the first item that matches decides.

    Items are names, `/file` (whose items stand in its place) and `type:table` (whose keys are
    meant). Raises TableError (config) where a file can't be read. Source: string_list(3).
    """

    def __init__(self, text: str, spec: str, context: TableContext) -> None:
        self._items: list[tuple[bool, str | LookupTable]] = []
        self._spec = spec
        self._context = context
        self._add(text, depth=0)

    def has(self, domain: str) -> bool:
        """Whether `domain` is meant. Raises TableError as the tables do."""
        folded = fold(domain, utf8=self._context.utf8)
        for wanted, item in self._items:
            matches = item == folded if isinstance(item, str) else item.lookup(folded) is not None
            if matches:
                return wanted
        return False

    def _add(self, text: str, *, depth: int) -> None:
        for token in split(text):
            name = token.text.lstrip("!")
            wanted = (len(token.text) - len(name)) % 2 == 0
            if name.startswith("/"):
                self._add_file(name, wanted=wanted, depth=depth)
            elif ":" in name and not name.startswith("["):
                self._items.append((wanted, open_table(name, self._context)))
            elif name:
                self._items.append((wanted, fold(name, utf8=self._context.utf8)))

    def _add_file(self, name: str, *, wanted: bool, depth: int) -> None:
        if depth >= _MAX_DEPTH:
            raise TableError(
                self._spec, f"{name}: files nest more than {_MAX_DEPTH} deep", "config"
            )
        for line in read_lines(name, self._spec, self._context):
            before = len(self._items)
            self._add(line.text, depth=depth + 1)
            self._items[before:] = [(inner is wanted, item) for inner, item in self._items[before:]]
