"""Lookup tables: `type:name` as main.cf has them (DATABASE_README), opened and asked."""

from maysend.tables.index import open_table
from maysend.tables.table import LookupTable, Opener, TableContext, TableError

__all__ = ["LookupTable", "Opener", "TableContext", "TableError", "open_table"]
