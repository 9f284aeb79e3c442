"""# hash: a Berkeley DB hash file

## What it does
Looks up keys in a file that postmap(1) or postalias(1) made. Keys are fixed strings, folded to
lower case. The file is read a page at a time, under the lock that Postfix itself takes, and every
lookup sees the file as it is then.

## Arguments
`hash:FILE` reads `FILE.db`.

## Replies
The value as stored, up to its terminating NUL.

## Errors
- No such file, not a hash file, encrypted: the table is unavailable (retry).
- A damaged page, or a file that ends before its last page, where Postfix would say "not found":
  the lookup fails (config).
- The file stays locked by its writer for more than a second: the lookup fails (retry).
- A file that is older than FILE: a warning.

## Example
    postmap hash:/etc/postfix/access
    smtpd_sender_restrictions = check_sender_access hash:/etc/postfix/access

## Source
DATABASE_README; the file format is that of Berkeley DB 5.3 (db_page.h), with byte order as written.
"""

from functools import partial

from maysend.tables.berkeley import Database
from maysend.tables.berkeley_hash import MAGIC, contents, find
from maysend.tables.database_file import DatabaseFile
from maysend.tables.indexed import Contents, Find, IndexedTable, open_indexed
from maysend.tables.table import TableContext


def open_hash(name: str, context: TableContext) -> IndexedTable:
    """Open `hash:name`. Raises TableError (config)."""
    return open_indexed(f"hash:{name}", ".db", context, _open_file)


def _open_file(path: str) -> tuple[DatabaseFile, Find, Contents]:
    database = Database(path, MAGIC)
    return database.file, partial(find, database), partial(contents, database)
