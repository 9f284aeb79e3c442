"""What a list of restrictions is made of, and what it is about."""

from typing import TYPE_CHECKING

import msgspec

from maysend.maincf import Place

if TYPE_CHECKING:
    from maysend.restrictions.evaluation import Check


class Node(msgspec.Struct, frozen=True):
    """One compiled restriction: as written, where, and what it does.

    `finding` says what is wrong with it where Postfix would find out only at run time.
    """

    written: str
    place: Place
    check: "Check"
    warns: bool = False
    finding: str = ""


class Subject(msgspec.Struct, frozen=True, gc=False):
    """What a list of restrictions is about: the name and the words that replies begin with.

    `access` is the `check_*_access` that a bare `type:table` stands for in this list.
    """

    name: str
    words: str
    access: str | None


class Deferral(msgspec.Struct, frozen=True, gc=False):
    """A 4xx that waits to see whether the request would be permitted, or rejected."""

    code: int
    dsn: str
    text: str
