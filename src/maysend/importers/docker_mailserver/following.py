"""Following a folder: importing it again within two seconds after it changed.

The files are looked at twice a second, by inode, time and size, because a mounted folder gives no
notice of changes made outside its container. A change counts once the files stood still between
two looks, so that a file is not read while it is being written.
"""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from maysend.directory import Directory, DirectoryError
from maysend.importers.docker_mailserver.folder import FILES, read_folder
from maysend.importers.docker_mailserver.synchronising import synchronise
from maysend.importers.remark import Remark

INTERVAL = 0.5
"""Seconds between two looks: a change is in after at most three of them."""

Look: TypeAlias = tuple[tuple[int, int, int] | None, ...]


class Follower:
    """Keeps a directory at what a folder says.

    `imported` is told each import, with what it changed and the remarks that are new; `failed` each
    that could not be made, once, with the reason. The directory keeps its last state then.
    """

    def __init__(
        self,
        directory: Directory,
        folder: Path,
        environment: Path | None = None,
        *,
        imported: Callable[[Sequence[str], Sequence[Remark]], None],
        failed: Callable[[str], None],
    ) -> None:
        self.interval = INTERVAL
        self._directory = directory
        self._folder = folder
        self._environment = environment
        self._imported = imported
        self._failed = failed
        self._seen: Look | None = None
        self._done: Look | None = None
        self._reason = ""
        self._told: frozenset[Remark] = frozenset()

    def run(self, stop: threading.Event) -> None:
        """Look and import until `stop` is set."""
        while not stop.is_set():
            self.look()
            stop.wait(self.interval)

    def look(self) -> None:
        """Look once: import what changed and stands still since the last look."""
        now = self._look()
        settled, self._seen = now == self._seen, now
        if not settled or now == self._done:
            return
        try:
            wanted = read_folder(self._folder, self._environment)
            # No accounts: an editor or a mount that is under way. Who means it imports by hand.
            outcome = synchronise(self._directory, wanted, may_remove_all=False)
        except DirectoryError as error:
            if str(error) != self._reason:
                self._reason = str(error)
                self._failed(self._reason)
            return
        self._reason = ""
        self._done = now
        new = [remark for remark in wanted.remarks if remark not in self._told]
        self._told = frozenset(wanted.remarks)
        self._imported(outcome.changes, new)

    def _look(self) -> Look:
        paths = [self._folder / name for name in FILES]
        if self._environment is not None:
            paths.append(self._environment)
        return tuple(_identity(path) for path in paths)


def _identity(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
