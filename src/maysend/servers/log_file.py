"""A file of lines that several processes append to, and that may be rotated at any time.

Lines are kept for a moment and written together, by a thread of the file's own: a disk that is busy
takes tens of milliseconds for a write, and nobody who asks for a decision should wait for that.

Whoever finds the file longer than wanted renames it to FILE.1, FILE.1 to FILE.2 and so on; the
other processes notice that the name leads elsewhere and follow, as they do where logrotate(8)
renamed it. Nobody has to be told.
"""

import fcntl
import os
import time
from collections.abc import Callable
from concurrent import futures
from pathlib import Path
from typing import Final

MOST_KEPT: Final = 8 * 1024 * 1024
"""Octets that are kept until the disk has had its time: then whoever appends waits for it."""

AT_A_TIME: Final = 2
"""Pieces that one write has, more where many wait: while they are put together nobody decides."""

MOST_WRITES: Final = 16
"""Writes at most that are made of what waits: each takes the interpreter away from who decides."""

PAUSE: Final = 0.0001
"""Seconds between two writes. Who decides on the same processor would else wait until this thread's
turn is over (sched(7)): up to 4 ms, in place of the time that one write takes."""

MODE: Final = 0o640


class LogFile:
    """Appends to `path`; at `longest` octets the file is rotated and `keep` old ones stay.

    `longest` 0 leaves rotation to others. `lost` is told why lines could not be written, and how
    many, in the thread that writes: a full disk does not stop the mail.
    """

    def __init__(
        self, path: Path, longest: int, keep: int, lost: Callable[[OSError, int], None]
    ) -> None:
        self.path = path
        self._longest = longest
        self._keep = keep
        self._lost = lost
        self._pieces: list[bytes] = []
        self._size = 0
        self._file = -1
        self._writer = futures.ThreadPoolExecutor(1, thread_name_prefix="decision-log")
        self._writing: futures.Future[None] | None = None

    def open(self) -> None:
        """Open the file, so that what is wrong with it shows at the start. Raises OSError."""
        self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, MODE)

    def append(self, lines: bytes) -> None:
        """Write lines, each with its newline, at the next `flush`."""
        self._pieces.append(lines)
        self._size += len(lines)
        if self._size >= MOST_KEPT:
            self._wait()
            self.flush()

    def flush(self) -> None:
        """Begin to write what is kept, unless a write is under way: the next call has it then."""
        if self._pieces and (self._writing is None or self._writing.done()):
            pieces, self._pieces, self._size = self._pieces, [], 0
            self._writing = self._writer.submit(self._write, pieces)

    def settle(self) -> None:
        """Write what is kept, and wait until it is written."""
        self._wait()
        self.flush()
        self._wait()

    def close(self) -> None:
        """Write what is kept and close."""
        self.settle()
        self._writer.shutdown()
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _wait(self) -> None:
        if self._writing is not None:
            futures.wait([self._writing])

    def _write(self, pieces: list[bytes]) -> None:
        begin, at_a_time = 0, max(AT_A_TIME, -(-len(pieces) // MOST_WRITES))
        try:
            self._follow()
            for begin in range(0, len(pieces), at_a_time):
                _write_all(self._file, b"".join(pieces[begin : begin + at_a_time]))
                time.sleep(PAUSE)
            if self._longest and os.fstat(self._file).st_size >= self._longest:
                self._rotate()
        except OSError as problem:
            self._lost(problem, sum([lines.count(b"\n") for lines in pieces[begin:]]))

    def _follow(self) -> None:
        """Open the file anew where its name leads elsewhere."""
        if self._file >= 0 and _is_same(self._file, self.path):
            return
        old, self._file = self._file, -1
        if old >= 0:
            os.close(old)
        self.open()

    def _rotate(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            if not _is_same(self._file, self.path):
                return  # another process was first
            for number in range(self._keep - 1, 0, -1):
                older = self._numbered(number)
                if older.exists():
                    older.replace(self._numbered(number + 1))
            if self._keep:
                self.path.replace(self._numbered(1))
            else:
                self.path.unlink()
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)
        self._follow()

    def _numbered(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}")


def _is_same(file: int, path: Path) -> bool:
    try:
        named = path.stat()
    except FileNotFoundError:
        return False
    opened = os.fstat(file)
    return (named.st_dev, named.st_ino) == (opened.st_dev, opened.st_ino)


def _write_all(file: int, octets: bytes) -> None:
    view = memoryview(octets)
    while view:
        # Not in the slice: mypyc evaluates a call there twice.
        written = os.write(file, view)
        view = view[written:]
