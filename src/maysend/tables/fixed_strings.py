"""A table whose keys and values are all in memory: inline, and texthash once it is read."""

from collections.abc import Callable, Iterable


class FixedStrings:
    """Keys, folded already, and their values.

    `lacks` says of several keys at once whether none of them is here, `lookup` is the dictionary's
    own: most questions to an access table find nothing.
    """

    pattern = False
    blocking = False

    def __init__(self, spec: str, entries: dict[str, str]) -> None:
        self.spec = spec
        self.entries = entries
        self.lookup: Callable[[str], str | None] = entries.get
        self.lacks: Callable[[Iterable[str]], bool] = entries.keys().isdisjoint
