"""Asks a table and keeps what kind of answer came."""

from typing import Any

from maysend.tables import TableContext, TableError, open_table

ERROR = {"error": True}


def ask(spec: str, key: str, context: TableContext | None = None) -> Any:
    """The answer, None for "not found", ERROR for a failure."""
    try:
        return open_table(spec, context or TableContext()).lookup(key)
    except TableError:
        return ERROR
