"""Tables of a case in place of the ones that main.cf names: no server and no database is asked."""

from collections.abc import Mapping
from pathlib import Path

from maysend.tables import LookupTable, TableContext, TableError
from maysend.tables.index import TYPES, opener_of
from maysend.tables.table import Opener
from maysend.tables.texthash import open_texthash

WHOLE_KEYS = frozenset({"cidr", "pcre", "randmap", "regexp", "socketmap", "tcp"})
"""Types that are asked whole keys only (access(5)); so are those that stand in for them."""
INDEXED = frozenset({"btree", "cdb", "hash", "lmdb"})
"""Types that read a file made by postmap(1) from the text file beside it."""


class StandIn:
    """The entries of a text file under the name of another table."""

    blocking = False

    def __init__(self, spec: str, table: LookupTable, *, pattern: bool) -> None:
        self.spec = spec
        self.pattern = pattern
        self.lookup = table.lookup


class StandIns:
    """Which tables are replaced.

    `by_spec` maps `type:name` to a text file, `by_path` the path of a file to the one to read
    instead. `openers()` go before the types that a policy knows.
    """

    def __init__(
        self,
        by_spec: Mapping[str, Path],
        by_path: Mapping[str, Path],
        above: Mapping[str, Opener],
    ) -> None:
        self._by_spec = by_spec
        self._by_path = by_path
        self._above = above

    def openers(self) -> Mapping[str, Opener]:
        """Table type → its opener, for every type that there is or that a stand-in has."""
        named = {spec.partition(":")[0] for spec in self._by_spec}
        return {type: self._opener(type) for type in {*TYPES, *self._above, *named}}

    def _opener(self, type: str) -> Opener:
        def open(name: str, context: TableContext) -> LookupTable:
            spec = f"{type}:{name}"
            if spec in self._by_spec:
                table = open_texthash(str(self._by_spec[spec]), context)
                return StandIn(spec, table, pattern=type in WHOLE_KEYS)
            replaced = self._by_path.get(name)
            if replaced is not None and type in INDEXED:
                return StandIn(spec, open_texthash(str(replaced), context), pattern=False)
            real = self._above.get(type) or opener_of(type)
            if real is None:
                raise TableError(spec, f"there is no table type {type!r}", "config")
            if replaced is None:
                return real(name, context)
            instead = real(str(replaced), context)
            return StandIn(spec, instead, pattern=instead.pattern)

        return open
