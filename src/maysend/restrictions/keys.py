"""What a table is asked in one search, and what the search finds."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from mypy_extensions import mypyc_attr

if TYPE_CHECKING:
    from maysend.restrictions.evaluation import Evaluation


@mypyc_attr(acyclic=True)
class Keys:
    """The keys of one search in order. `are_folded`: folding them would change nothing, which only
    tables of fixed strings need to know."""

    __slots__ = ("are_folded", "asked")

    def __init__(self, asked: tuple[str, ...], are_folded: bool = False) -> None:
        self.asked = asked
        self.are_folded = are_folded


NO_KEYS: Final = Keys(())


@mypyc_attr(acyclic=True)
class Found:
    """The first key of a search that a table knows, and what it answers."""

    __slots__ = ("answer", "key")

    def __init__(self, key: str, answer: str) -> None:
        self.key = key
        self.answer = answer


MakeKeys: TypeAlias = "Callable[[Evaluation, str], Keys]"
"""In which order the keys of a name are asked; it raises Stop where that can't be known."""


@dataclass(frozen=True)
class KeyKind:
    """How a kind of name is looked up: by its parts too, or whole as in tables of patterns."""

    every: MakeKeys
    whole: MakeKeys
