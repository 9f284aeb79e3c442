"""How a pattern table finds the first rule that applies, in the fewest steps."""

from collections.abc import Callable, Sequence

from maysend.tables.rules import Rule
from maysend.tables.text import CheckedTable


class RuleSearch:
    """The rules of one table, arranged so that few of them are tried.

    `plain`: what does not come from the key is ASCII in every answer, so that nobody has to look.
    """

    def __init__(self) -> None:
        self.plain = False

    def lookup(self, key: str, /) -> str | None:
        """The answer of the first rule that applies to `key`."""
        raise NotImplementedError

    def usual(self, key: str, table: CheckedTable) -> str | None:
        """The answer of `table`, which has these rules in it, without its checks if they are void.

        That is so where `plain` is true, for nearly every key: short, ASCII, of one line.
        """
        return table.lookup(key)


class PatternTable:
    """A table of rules, searched by `search`, or one after the other by `search_all`."""

    def __init__(
        self,
        spec: str,
        rules: Sequence[Rule],
        search_all: Callable[[str], str | None],
        search: RuleSearch | None,
    ) -> None:
        """Without a `search`, because somebody listens, all rules are tried."""
        self.spec = spec
        self.pattern = True
        self.blocking = False
        self.rules = rules
        self.search_all = search_all
        self.search = search

    def lookup(self, key: str, /) -> str | None:
        """The answer of the first rule that applies to `key`."""
        if self.search is None:
            return self.search_all(key)
        return self.search.lookup(key)
