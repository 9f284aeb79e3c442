"""# cdb: a constant database

## What it does
Looks up keys in a file that postmap(1) made. Keys are fixed strings, folded to lower case.

## Arguments
`cdb:FILE` reads `FILE.cdb`.

## Replies
The value as stored, up to its terminating NUL; of a key that is stored twice, the first.

## Errors
- No such file, a file that is too short: the table is unavailable (retry).
- A damaged file: the lookup fails (config).
- A file that is older than FILE: a warning.

## Example
    postmap cdb:/etc/postfix/access
    smtpd_sender_restrictions = check_sender_access cdb:/etc/postfix/access

## Source
CDB_README; the file format is that of https://cr.yp.to/cdb/cdb.txt.
"""

from maysend.tables.cdb_file import CdbFile
from maysend.tables.database_file import CorruptError
from maysend.tables.indexed import warn_if_older
from maysend.tables.table import TableContext, TableError


class CdbTable:
    """The file at `path`. Raises OSError, CorruptError."""

    pattern = False
    blocking = False

    def __init__(self, spec: str, path: str) -> None:
        self.spec = spec
        self._path = path
        self._file = CdbFile(path)

    def lookup(self, key: str, /) -> str | None:
        """The value of `key`, which is folded already. Raises TableError.

        As in Postfix the key is asked with its terminating NUL, then without: postmap's options
        -N and -n, and the operating system it ran on, decide which is stored.
        """
        raw = key.encode("utf-8", "surrogateescape")
        try:
            value = self._file.find(raw + b"\0")
            if value is None:
                value = self._file.find(raw)
        except CorruptError as error:
            raise TableError(self.spec, f"{self._path}: {error}", "config") from error
        except OSError as error:
            raise TableError(self.spec, f"{self._path}: {error}", "retry") from error
        if value is None:
            return None
        return value.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def open_cdb(name: str, context: TableContext) -> CdbTable:
    """Open `cdb:name`. Raises TableError (config)."""
    spec, path = f"cdb:{name}", f"{name}.cdb"
    context.sources.note(path)
    try:
        table = CdbTable(spec, path)
    except OSError as error:
        raise TableError(spec, f"open database {path}: {error.strerror}", "config") from error
    except (CorruptError, ValueError) as error:
        raise TableError(spec, f"open database {path}: {error}", "config") from error
    warn_if_older(path, name, context)
    return table
