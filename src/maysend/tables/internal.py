"""# internal: an empty table in memory

## What it does
Postfix programs keep values of their own in such a table; for a configuration it is empty.

## Arguments
`internal:NAME`.

## Replies
Nothing is ever found.

## Errors
None.

## Example
    local_recipient_maps = internal:nobody

## Source
DATABASE_README.
"""

from maysend.tables.table import TableContext


class InternalTable:
    """The empty table."""

    pattern = False
    blocking = False

    def __init__(self, spec: str) -> None:
        self.spec = spec

    def lookup(self, key: str, /) -> str | None:
        """None, for every key."""
        return None


def open_internal(name: str, context: TableContext) -> InternalTable:
    """Open `internal:name`."""
    return InternalTable(f"internal:{name}")
