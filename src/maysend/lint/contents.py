"""What is in a table, where that can be told without asking it every key there is."""

from collections.abc import Mapping, Sequence

from maysend.tables import LookupTable
from maysend.tables.file_table import FileTable
from maysend.tables.fixed_strings import FixedStrings
from maysend.tables.indexed import IndexedTable
from maysend.tables.proxy import ProxiedTable
from maysend.tables.rule_search import PatternTable
from maysend.tables.rules import Rule
from maysend.tables.static import StaticTable
from maysend.tables.text import CheckedTable
from maysend.tables.unionmap import UnionTable


def inside(table: LookupTable) -> LookupTable:
    """The table itself, without the checks around it; proxy: is transparent here."""
    while isinstance(table, FileTable | CheckedTable | ProxiedTable):
        table = table.table
    return table


def members(table: LookupTable) -> Sequence[LookupTable]:
    """The members of a unionmap; none of another table."""
    table = inside(table)
    return table.tables if isinstance(table, UnionTable) else ()


def entries(table: LookupTable) -> Mapping[str, str] | None:
    """Every key with its answer, None where the table can't be listed.

    A unionmap can be listed where all its members can.
    """
    table = inside(table)
    if isinstance(table, FixedStrings):
        return table.entries
    if isinstance(table, IndexedTable):
        return table.entries()
    if isinstance(table, UnionTable):
        return _entries_of_union(table)
    return None


def answers(table: LookupTable) -> Sequence[str] | None:
    """Every answer that the table can give, None where that can't be told."""
    table = inside(table)
    if isinstance(table, StaticTable):
        answer = table.lookup("")
        return (answer,) if answer is not None else ()
    listed = entries(table)
    return None if listed is None else tuple(listed.values())


def rules_of(table: LookupTable) -> Sequence[Rule]:
    """The rules of a pcre or regexp table, in the order of the file; none of another table."""
    table = inside(table)
    if isinstance(table, PatternTable) and table.spec.startswith(("pcre:", "regexp:")):
        return table.rules
    return ()


def _entries_of_union(table: UnionTable) -> Mapping[str, str] | None:
    joined: dict[str, str] = {}
    for member in table.tables:
        listed = entries(member)
        if listed is None:
            return None
        for key, value in listed.items():
            joined[key] = f"{joined[key]},{value}" if key in joined else value
    return joined
