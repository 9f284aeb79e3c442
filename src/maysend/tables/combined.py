"""The members of `unionmap:{…}` and `pipemap:{…}`."""

from collections.abc import Callable, Sequence

from maysend.tables.braces import BraceError, enclosed, members
from maysend.tables.table import LookupTable, TableContext, TableError

TableOpener = Callable[[str, TableContext], LookupTable]
"""open_table, which the index hands in: the members may be of any type, these two included."""


def open_members(
    spec: str, context: TableContext, open_member: TableOpener
) -> Sequence[LookupTable]:
    """Open the tables listed in `spec`. Raises TableError (config) where it lists none."""
    type_name, _, name = spec.partition(":")
    try:
        specs = members(enclosed(name))
    except BraceError:
        specs = []
    if not specs or not all(":" in member for member in specs):
        raise TableError(
            spec, f'bad syntax: "{spec}"; need "{type_name}:{{type:name...}}"', "config"
        )
    return [open_member(member, context) for member in specs]
