"""What a table is asked in one search, and what the search finds."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import msgspec

if TYPE_CHECKING:
    from maysend.restrictions.evaluation import Evaluation


class Keys(msgspec.Struct, frozen=True, gc=False):
    """The keys of one search in order. `are_folded`: folding them would change nothing."""

    asked: tuple[str, ...]
    are_folded: bool = False


NO_KEYS = Keys(())


class Found(msgspec.Struct, frozen=True, gc=False):
    """The first key of a search that a table knows, and what it answers."""

    key: str
    answer: str


MakeKeys: TypeAlias = "Callable[[Evaluation, str], Keys]"
"""In which order the keys of a name are asked; it raises Stop where that can't be known."""


class KeyKind(msgspec.Struct, frozen=True):
    """How a kind of name is looked up: by its parts too, or whole as in tables of patterns."""

    every: MakeKeys
    whole: MakeKeys
