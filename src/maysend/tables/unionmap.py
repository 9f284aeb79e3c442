"""# unionmap: what several tables say, together

## What it does
Asks every member and joins what they find with commas. A plain list of tables stops at the first
that answers; this is the way to have owners from several tables. Keys are folded, and partial keys
are asked, as the FIRST member wants it; without smtputf8_enable each member folds for itself.

## Arguments
`unionmap:{type:name, type:name, …}`: separated by comma or whitespace. Braces inside a member
protect its own commas.

## Replies
The answers in the order of the members, joined with ",". Not found where no member finds the key,
or where all that is found is empty.

## Errors
One member that fails makes the whole lookup fail, with that member's kind of error. Wrong syntax:
the table is unavailable (retry).

## Example
    smtpd_sender_login_maps = unionmap:{texthash:/etc/postfix/senders, pcre:/etc/postfix/admins}

## Source
DATABASE_README; Postfix 3.0.
"""

from collections.abc import Sequence

from maysend.tables.combined import open_members
from maysend.tables.table import LookupTable, TableContext


class UnionTable:
    """Several tables whose answers are joined."""

    def __init__(self, spec: str, tables: Sequence[LookupTable]) -> None:
        self.spec = spec
        self.tables = tables
        self.pattern = tables[0].pattern
        self.blocking = any(table.blocking for table in tables)

    def lookup(self, key: str, /) -> str | None:
        """Every member's answer for `key`, joined with commas. Raises TableError as they do."""
        joined = ""
        for table in self.tables:
            answer = table.lookup(key)
            if answer is not None:
                joined = f"{joined},{answer}" if joined else answer
        return joined or None


def open_unionmap(name: str, context: TableContext) -> UnionTable:
    """Open `unionmap:{…}`. Raises TableError (config) where it lists no tables."""
    spec = f"unionmap:{name}"
    return UnionTable(spec, open_members(spec, context))
