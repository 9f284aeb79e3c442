"""A table whose keys and values are all in memory: inline, and texthash once it is read."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

Kept: TypeAlias = tuple[Callable[[], object], Mapping[str, str], object]
"""Whether the entries are outdated (true or not), the entries, and what has to live as long."""


def _always() -> object:
    return True


NOT_KEPT: Final[Kept] = (_always, {}, None)


class Lacking:
    """A table that may know at once that it has none of several keys.

    Most questions to access tables find nothing, and each restriction asks for several keys.
    """

    def lacks(self, keys: Sequence[str], /) -> bool:
        """Whether none of these folded keys is found; False where only `lookup` can tell."""
        return False


class Keeping(Lacking):
    """A table that keeps its entries in memory for as long as its file stays as it is.

    `kept` answers for every folded key but the empty one.
    """

    def __init__(self) -> None:
        self.kept: Kept = NOT_KEPT

    def lacks(self, keys: Sequence[str], /) -> bool:
        """Whether none of these folded keys is found; False where only `lookup` can tell."""
        outdated, entries, _needed = self.kept
        return not outdated() and all(keys) and entries.keys().isdisjoint(keys)

    def look(self) -> None:
        """Called now and then, to see what asking `kept` does not show."""


class FixedStrings(Lacking):
    """Keys, folded already, and their values.

    `asked`, where somebody listens, is told of every key.
    """

    def __init__(
        self, spec: str, entries: dict[str, str], asked: Callable[[str], None] | None = None
    ) -> None:
        self.spec = spec
        self.pattern = False
        self.blocking = False
        self.entries = entries
        self._asked = asked

    def lookup(self, key: str, /) -> str | None:
        """The value of a folded key."""
        if self._asked is not None:
            self._asked(key)
        return self.entries.get(key)

    def lacks(self, keys: Sequence[str], /) -> bool:
        """Whether none of these folded keys is found."""
        return self.entries.keys().isdisjoint(keys)


def can_not_tell(keys: Sequence[str]) -> bool:
    """The `Lacking.lacks` of a table that has to be asked for every key."""
    return False


def lacks_of(table: object) -> Callable[[Sequence[str]], bool]:
    """How to ask a table, of whichever type, whether it lacks all of several folded keys."""
    return table.lacks if isinstance(table, Lacking) else can_not_tell
