"""What a list of restrictions is made of, and what it is about."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mypy_extensions import mypyc_attr

from maysend.maincf import Place

if TYPE_CHECKING:
    from maysend.restrictions.evaluation import Check


@dataclass(frozen=True)
class Node:
    """One compiled restriction: as written, where, and what it does.

    `finding` says what is wrong with it where Postfix would find out only at run time.
    """

    written: str
    place: Place
    check: "Check"
    warns: bool = False
    finding: str = ""


@mypyc_attr(acyclic=True)
class Subject:
    """What a list of restrictions is about: the name and the words that replies begin with.

    `access` is the `check_*_access` that a bare `type:table` stands for in this list.
    """

    __slots__ = ("access", "name", "words")

    def __init__(self, name: str, words: str, access: str | None) -> None:
        self.name = name
        self.words = words
        self.access = access


@dataclass(frozen=True)
class Deferral:
    """A 4xx that waits to see whether the request would be permitted, or rejected."""

    code: int
    dsn: str
    text: str
