"""# proxy: a table of another process

## What it does
In Postfix, `proxy:` lets many processes share one open table through proxymap(8), and reach files
outside a chroot. maysend opens the table itself, so `proxy:` changes nothing here.

## Arguments
`proxy:type:name`.

## Replies
Those of `type:name`.

## Errors
Those of `type:name`.

## Example
    smtpd_sender_login_maps = proxy:sqlite:/etc/postfix/senders.cf

## Source
DATABASE_README, proxymap(8).
"""

from maysend.tables.index import open_table
from maysend.tables.table import LookupTable, TableContext


class ProxiedTable:
    """The table behind `proxy:`, under its full name."""

    def __init__(self, spec: str, table: LookupTable) -> None:
        self.spec = spec
        self.table = table
        self.pattern = table.pattern
        self.blocking = table.blocking

    def lookup(self, key: str, /) -> str | None:
        """The answer of the table behind. Raises TableError as that one does."""
        return self.table.lookup(key)


def open_proxy(name: str, context: TableContext) -> ProxiedTable:
    """Open `proxy:type:name`."""
    return ProxiedTable(f"proxy:{name}", open_table(name, context))
