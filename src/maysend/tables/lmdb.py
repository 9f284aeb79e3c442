"""# lmdb: an LMDB file

## What it does
Looks up keys in a file that postmap(1) made. Keys are fixed strings, folded to lower case. Lookups
take the shared lock that Postfix takes, so that postmap can't write meanwhile.

## Arguments
`lmdb:FILE` reads `FILE.lmdb`.

## Replies
The value as stored, up to its terminating NUL.

## Errors
- No such file, not an LMDB file: the table is unavailable (retry).
- The empty key, which LMDB can't look up, and a damaged file: the lookup fails (config).
- The file stays locked by its writer for more than a second: the lookup fails (retry).
- A file that is older than FILE: a warning.

## Example
    postmap lmdb:/etc/postfix/access
    smtpd_sender_restrictions = check_sender_access lmdb:/etc/postfix/access

## Source
lmdb_table(5); the file format is that of LMDB 0.9 (mdb.c).
"""

from maysend.tables.database_file import DatabaseFile
from maysend.tables.indexed import Contents, Find, IndexedTable, open_indexed
from maysend.tables.lmdb_file import LmdbFile
from maysend.tables.table import TableContext


def open_lmdb(name: str, context: TableContext) -> IndexedTable:
    """Open `lmdb:name`. Raises TableError (config)."""
    return open_indexed(f"lmdb:{name}", ".lmdb", context, _open_file)


def _open_file(path: str) -> tuple[DatabaseFile, Find, Contents]:
    database = LmdbFile(path)
    return database.file, database.find, database.contents
