"""# cdb: a constant database

## What it does
Looks up keys in a file that postmap(1) made. Keys are fixed strings, folded to lower case. A file
that postmap replaced is read from the next lookup on.

## Arguments
`cdb:FILE` reads `FILE.cdb`.

## Replies
The value as stored, up to its terminating NUL; of a key that is stored twice, the first.

## Errors
- No such file, a file that is too short: the table is unavailable (retry).
- A damaged file: the lookup fails (config).
- A file that is older than FILE: a warning. So is a new file that can't be read: the one before
  goes on being used.

## Example
    postmap cdb:/etc/postfix/access
    smtpd_sender_restrictions = check_sender_access cdb:/etc/postfix/access

## Source
CDB_README; the file format is that of https://cr.yp.to/cdb/cdb.txt.
"""

import os
from collections.abc import Callable

from maysend.tables.cdb_file import CdbFile
from maysend.tables.database_file import CorruptError
from maysend.tables.table import TableContext, TableError


class CdbTable:
    """The file at `path`, whichever it is at the time. Raises OSError, CorruptError."""

    pattern = False
    blocking = False

    def __init__(self, spec: str, path: str, warn: Callable[[str], None]) -> None:
        self.spec = spec
        self._path = path
        self._warn = warn
        self._file = CdbFile(path)

    def lookup(self, key: str, /) -> str | None:
        """The value of `key`, which is folded already. Raises TableError.

        As in Postfix the key is asked with its terminating NUL, then without: postmap's options
        -N and -n, and the operating system it ran on, decide which is stored.
        """
        raw = key.encode("utf-8", "surrogateescape")
        try:
            file = self._current()
            value = file.find(raw + b"\0")
            if value is None:
                value = file.find(raw)
        except CorruptError as error:
            raise TableError(self.spec, f"{self._path}: {error}", "config") from error
        except OSError as error:
            raise TableError(self.spec, f"{self._path}: {error}", "retry") from error
        if value is None:
            return None
        return value.partition(b"\0")[0].decode("utf-8", "surrogateescape")

    def _current(self) -> CdbFile:
        file = self._file
        if not file.is_current():
            try:
                self._file = file = CdbFile(self._path)
            except (OSError, CorruptError) as error:
                self._warn(f"{self.spec}: {self._path}: {error}; the file before is still used")
        return file


def open_cdb(name: str, context: TableContext) -> CdbTable:
    """Open `cdb:name`. Raises TableError (config)."""
    spec, path = f"cdb:{name}", f"{name}.cdb"
    try:
        table = CdbTable(spec, path, context.warn)
    except OSError as error:
        raise TableError(spec, f"open database {path}: {error.strerror}", "config") from error
    except (CorruptError, ValueError) as error:
        raise TableError(spec, f"open database {path}: {error}", "config") from error
    _warn_if_older(path, name, context)
    return table


def _warn_if_older(path: str, source: str, context: TableContext) -> None:
    """Say so where the text file has changed since postmap last ran."""
    try:
        older = os.stat(source).st_mtime > os.stat(path).st_mtime
    except OSError:
        return  # the source need not be there
    if older:
        context.warn(f"database {path} is older than source file {source}")
