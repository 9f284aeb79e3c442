"""What the tables that postmap(1) makes have in common: a file of C strings, found by key."""

import os
from collections.abc import Callable

from maysend.tables.database_file import BusyError, CorruptError, DatabaseFile
from maysend.tables.table import TableContext, TableError

Find = Callable[[bytes], bytes | None]
"""The value stored under a key; raises CorruptError."""


class IndexedTable:
    """A database file and how to find a key in it."""

    pattern = False
    blocking = False

    def __init__(self, spec: str, file: DatabaseFile, find: Find) -> None:
        self.spec = spec
        self._file = file
        self._find = find

    def lookup(self, key: str, /) -> str | None:
        """The value of `key`, which is folded already. Raises TableError.

        As in Postfix the key is asked with its terminating NUL, then without: postmap's options
        -N and -n, and the operating system it ran on, decide which is stored.
        """
        raw = key.encode("utf-8", "surrogateescape")
        try:
            with self._file.locked():
                value = self._find(raw + b"\0")
                if value is None:
                    value = self._find(raw)
        except CorruptError as error:
            raise TableError(self.spec, f"{self._file.path}: {error}", "config") from error
        except (BusyError, OSError) as error:
            raise TableError(self.spec, str(error), "retry") from error
        if value is None:
            return None
        return value.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def open_indexed(
    spec: str,
    suffix: str,
    context: TableContext,
    open_file: Callable[[str], tuple[DatabaseFile, Find]],
) -> IndexedTable:
    """Open the file that `spec` names, with `suffix`. Raises TableError (config)."""
    source = spec.partition(":")[2]
    path = source + suffix
    try:
        file, find = open_file(path)
    except OSError as error:
        raise TableError(spec, f"open database {path}: {error.strerror}", "config") from error
    except (CorruptError, BusyError, ValueError) as error:
        raise TableError(spec, f"open database {path}: {error}", "config") from error
    _warn_if_older(path, source, context)
    return IndexedTable(spec, file, find)


def _warn_if_older(path: str, source: str, context: TableContext) -> None:
    """Say so where the text file has changed since postmap last ran."""
    try:
        older = os.stat(source).st_mtime > os.stat(path).st_mtime
    except OSError:
        return  # the source need not be there
    if older:
        context.warn(f"database {path} is older than source file {source}")
