"""A table whose keys and values are all in memory: inline, and texthash once it is read."""

from collections.abc import Callable, Iterable


class Lacking:
    """A table that may know at once that it has none of several keys.

    Most questions to access tables find nothing, and each restriction asks for several keys.
    """

    def lacks(self, keys: Iterable[str], /) -> bool:
        """Whether none of these folded keys is found; False where only `lookup` can tell."""
        return False


class FixedStrings(Lacking):
    """Keys, folded already, and their values; `lookup` is the dictionary's own."""

    pattern = False
    blocking = False

    def __init__(self, spec: str, entries: dict[str, str]) -> None:
        self.spec = spec
        self.entries = entries
        self.lookup: Callable[[str], str | None] = entries.get

    def lacks(self, keys: Iterable[str], /) -> bool:
        """Whether none of these folded keys is found."""
        return self.entries.keys().isdisjoint(keys)
