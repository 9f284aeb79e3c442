"""What the tables that postmap(1) makes have in common: a file of C strings, found by key."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from maysend.tables.database_file import BusyError, CorruptError, DatabaseFile
from maysend.tables.fixed_strings import NOT_KEPT, Keeping
from maysend.tables.table import TableContext, TableError

if TYPE_CHECKING:
    from maysend.tables.file_watch import Watch

Find = Callable[[bytes], bytes | None]
"""The value stored under a key; raises CorruptError."""

Contents = Callable[[], dict[bytes, bytes] | None]
"""All that can be found; None where only a search can tell. Raises CorruptError."""

_ASKED_OFTEN: Final = 100
_LARGE: Final = 4 << 20


class IndexedTable(Keeping):
    """A database file and how to find a key in it.

    A small file that is asked often is kept in memory, for as long as nobody writes to it. The
    kernel is asked at every lookup whether somebody did (file_watch), so that each sees what was
    written before it; what was written through a mapping is looked for twice a second. Another
    file under the same name is seen when it is opened (reloading).
    """

    def __init__(self, spec: str, file: DatabaseFile, find: Find, contents: Contents) -> None:
        super().__init__()
        self.pattern = False
        self.blocking = False
        self.spec = spec
        self._file = file
        self._find = find
        self._contents = contents
        self._asked = 0
        self._watch: Watch | None = None

    def lookup(self, key: str, /) -> str | None:
        """The value of `key`, which is folded already. Raises TableError."""
        outdated, entries, _watch = self.kept
        if key and not outdated():
            return entries.get(key)
        return self._searched(key)

    def look(self) -> None:
        """Forget what is kept where somebody has written to the file through a mapping."""
        watch = self._watch
        if watch is not None and watch.looks_changed():
            self.kept = NOT_KEPT

    def entries(self) -> dict[str, str] | None:
        """Every key with its value, None where only a search can tell. Raises TableError."""
        try:
            with self._file.locked():
                contents = self._contents()
        except (CorruptError, RecursionError) as error:
            raise TableError(self.spec, f"{self._file.path}: {error}", "config") from error
        except (BusyError, OSError) as error:
            raise TableError(self.spec, str(error), "retry") from error
        if contents is None:
            return None
        return {key: value for key, value in _entries(contents).items() if "\0" not in key}

    def _searched(self, key: str) -> str | None:
        """The value of `key`, searched in the file.

        As in Postfix the key is asked with its terminating NUL, then without: postmap's options
        -N and -n, and the operating system it ran on, decide which is stored.
        """
        raw = key.encode("utf-8", "surrogateescape")
        try:
            with self._file.locked():
                value = self._find(raw + b"\0")
                if value is None:
                    value = self._find(raw)
                self._asked += 1
                if self._asked == _ASKED_OFTEN:
                    self._keep()
        except CorruptError as error:
            raise TableError(self.spec, f"{self._file.path}: {error}", "config") from error
        except (BusyError, OSError) as error:
            raise TableError(self.spec, str(error), "retry") from error
        if value is None:
            return None
        return _text(value)

    def _keep(self) -> None:
        """Keep all entries in memory, where that is safe and not too much; else try again later."""
        self._asked = 0
        if self._file.size > _LARGE:
            return
        watch = self._file.watch()
        if watch is None:
            return
        try:
            contents = self._contents()
        except (CorruptError, RecursionError):
            contents = None
        if contents is None:
            self._asked = _ASKED_OFTEN  # never again for this table
            return
        self._watch = watch
        self.kept = (watch.changed, _entries(contents), watch)


def _entries(contents: dict[bytes, bytes]) -> dict[str, str]:
    """By key as it is asked: one stored with its terminating NUL goes before one without."""
    entries = {_decoded(key): _text(value) for key, value in contents.items()}
    entries.update([(key[:-1], value) for key, value in entries.items() if key[-1:] == "\0"])
    return entries


def _text(value: bytes) -> str:
    return _decoded(value.partition(b"\0")[0])


def _decoded(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def open_indexed(
    spec: str,
    suffix: str,
    context: TableContext,
    open_file: Callable[[str], tuple[DatabaseFile, Find, Contents]],
) -> IndexedTable:
    """Open the file that `spec` names, with `suffix`. Raises TableError (config)."""
    source = spec.partition(":")[2]
    path = source + suffix
    context.sources.note(path, replaced_only=True)
    try:
        file, find, contents = open_file(path)
    except OSError as error:
        raise TableError(spec, f"open database {path}: {error.strerror}", "config") from error
    except (CorruptError, BusyError, ValueError) as error:
        raise TableError(spec, f"open database {path}: {error}", "config") from error
    warn_if_older(path, source, context)
    return IndexedTable(spec, file, find, contents)


def warn_if_older(path: str, source: str, context: TableContext) -> None:
    """Say so where the text file has changed since postmap last ran."""
    try:
        older = os.stat(source).st_mtime > os.stat(path).st_mtime
    except OSError:
        return  # the source need not be there
    if older:
        context.warn(f"database {path} is older than source file {source}")
