"""The members of `unionmap:{…}` and `pipemap:{…}`."""

from collections.abc import Sequence

from maysend.tables.braces import BraceError, enclosed, members
from maysend.tables.index import open_table
from maysend.tables.opened import OpenedTable
from maysend.tables.table import TableContext, TableError


def open_members(spec: str, context: TableContext) -> Sequence[OpenedTable]:
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
    return [open_table(member, context) for member in specs]
