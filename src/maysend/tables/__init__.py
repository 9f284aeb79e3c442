"""Lookup tables: `type:name` as main.cf has them (DATABASE_README), opened and asked."""

from maysend.tables.index import open_table
from maysend.tables.opened import OpenedTable
from maysend.tables.table import LookupTable, Opener, TableContext, TableError

__all__ = ["LookupTable", "OpenedTable", "Opener", "TableContext", "TableError", "open_table"]
