"""# fail: a table that always fails

## What it does
Fails every lookup, as a server that is down would. It is a pattern table.

## Arguments
`fail:NAME`; the name appears in the error and means nothing else.

## Replies
None, ever.

## Errors
Every lookup fails (retry).

## Example
    maysend lookup fail:test x

## Source
DATABASE_README.
"""

from maysend.tables.table import TableContext, TableError


class FailTable:
    """The table that fails."""

    pattern = True
    blocking = False

    def __init__(self, spec: str) -> None:
        self.spec = spec

    def lookup(self, key: str, /) -> str | None:
        """Raises TableError (retry), always."""
        raise TableError(self.spec, "this table fails every lookup", "retry")


def open_fail(name: str, context: TableContext) -> FailTable:
    """Open `fail:name`."""
    return FailTable(f"fail:{name}")
