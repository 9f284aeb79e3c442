"""# pipemap: the answer of one table is the key of the next

## What it does
Asks the first member; what it answers is asked from the second, and so on. Keys are folded, and
partial keys are asked, as the FIRST member wants it; without smtputf8_enable each member folds for
itself.

## Arguments
`pipemap:{type:name, type:name, …}`: separated by comma or whitespace.

## Replies
The answer of the last member. Not found where any member finds nothing.

## Errors
A member that fails makes the lookup fail, with that member's kind of error. Wrong syntax: the
table is unavailable (retry).

## Example
    virtual_alias_maps = pipemap:{hash:/etc/postfix/logins, hash:/etc/postfix/mailboxes}

## Source
DATABASE_README; Postfix 3.0.
"""

from collections.abc import Sequence

from maysend.tables.combined import open_members
from maysend.tables.table import LookupTable, TableContext


class PipeTable:
    """Tables in a row."""

    def __init__(self, spec: str, tables: Sequence[LookupTable]) -> None:
        self.spec = spec
        self.tables = tables
        self.pattern = tables[0].pattern
        self.blocking = any(table.blocking for table in tables)

    def lookup(self, key: str, /) -> str | None:
        """The last member's answer. Raises TableError as the members do."""
        answer: str | None = key
        for table in self.tables:
            if answer is None:
                return None
            answer = table.lookup(answer)
        return answer


def open_pipemap(name: str, context: TableContext) -> PipeTable:
    """Open `pipemap:{…}`. Raises TableError (config) where it lists no tables."""
    spec = f"pipemap:{name}"
    return PipeTable(spec, open_members(spec, context))
