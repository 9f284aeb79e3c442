"""What the index says of a restriction, and what a restriction is compiled from."""

from collections.abc import Callable
from typing import Literal, TypeAlias

import msgspec

from maysend.maincf import Place
from maysend.restrictions.evaluation import Check
from maysend.restrictions.site import Site


class Item(msgspec.Struct, frozen=True):
    """One restriction as written: its name, the argument it takes, and where it stands."""

    name: str
    argument: str
    place: Place


Compile: TypeAlias = Callable[[Item, Site], Check]
"""Binds an item to a site; raises InvalidItem where Postfix would find it broken at run time."""


class InvalidItem(ValueError):
    """The item can't work as written; the text says what was expected."""


class FatalItem(ValueError):
    """smtpd would not start with the item as written; the text says what is wrong."""


class IgnoredItem(ValueError):
    """The item does nothing as written: smtpd warns and goes on; the text says why."""


class Restriction(msgspec.Struct, frozen=True):
    """One name of the restriction language and the argument that follows it, if any."""

    compile: Compile
    argument: Literal["", "table", "word", "domain"] = ""
