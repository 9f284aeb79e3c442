"""# btree: a Berkeley DB btree file

## What it does
Looks up keys in a file that postmap(1) made, as hash: does; only the order inside the file differs.

## Arguments
`btree:FILE` reads `FILE.db`.

## Replies
The value as stored, up to its terminating NUL.

## Errors
Those of hash: with "not a btree file" in place of "not a hash file".

## Example
    postmap btree:/etc/postfix/access
    smtpd_sender_restrictions = check_sender_access btree:/etc/postfix/access

## Source
DATABASE_README; the file format is that of Berkeley DB 5.3 (db_page.h, btree.h).
"""

from functools import partial

from maysend.tables.berkeley import Database
from maysend.tables.berkeley_btree import MAGIC, contents, find
from maysend.tables.database_file import DatabaseFile
from maysend.tables.indexed import Contents, Find, IndexedTable, open_indexed
from maysend.tables.table import TableContext


def open_btree(name: str, context: TableContext) -> IndexedTable:
    """Open `btree:name`. Raises TableError (config)."""
    return open_indexed(f"btree:{name}", ".db", context, _open_file)


def _open_file(path: str) -> tuple[DatabaseFile, Find, Contents]:
    database = Database(path, MAGIC)
    return database.file, partial(find, database), partial(contents, database)
