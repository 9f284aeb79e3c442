"""A database file that other processes rewrite: read in pieces, under the writers' lock.

The file is read with pread(2) and never mapped: postmap(1) and cp(1) truncate a file in place, and
touching a mapped page that is gone kills the process. Nothing is remembered between lookups without
asking whether the file has changed (indexed), so a file that was rewritten is seen as it is now.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from maysend.tables.file_watch import Watch

_LOCK_WAIT = 1.0  # seconds; postmap holds its lock while it writes a table
_LOCK_STEP = 0.01

LockStyle = Callable[[int, bool], None]
"""Takes (True) or gives back a shared lock on a descriptor; BlockingIOError where it is taken."""


class CorruptError(ValueError):
    """The file is not what its kind of file looks like; the text says where."""


class BusyError(Exception):
    """Somebody is writing the file."""


class DatabaseFile:
    """An open file. Raises OSError where it can't be opened."""

    def __init__(self, path: str, lock_style: LockStyle) -> None:
        self.path = path
        self._lock_style = lock_style
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._one_at_a_time = Lock()  # the lock belongs to the descriptor, not to a thread

    def __del__(self) -> None:
        descriptor = getattr(self, "_descriptor", -1)
        if descriptor >= 0:
            os.close(descriptor)

    @property
    def size(self) -> int:
        """The size of the file in bytes, as it is now."""
        return os.fstat(self._descriptor).st_size

    def watch(self) -> "Watch | None":
        """Watch the file from now on; None where that does not work yet."""
        from maysend.tables.file_watch import watch  # few processes need it

        return watch(self._descriptor)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep writers out meanwhile, as Postfix does. Raises BusyError after a second."""
        with self._one_at_a_time:
            self._take_lock()
            try:
                yield
            finally:
                self._lock_style(self._descriptor, False)

    def read(self, offset: int, size: int) -> bytes:
        """Exactly `size` bytes at `offset`. Raises CorruptError where the file ends before."""
        raw = os.pread(self._descriptor, size, offset)
        if len(raw) < size:
            raise CorruptError(f"the file ends before byte {offset + size}")
        return raw

    def _take_lock(self) -> None:
        deadline = time.monotonic() + _LOCK_WAIT
        while True:
            try:
                return self._lock_style(self._descriptor, True)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise BusyError(f"{self.path} is locked by its writer") from None
                time.sleep(_LOCK_STEP)
