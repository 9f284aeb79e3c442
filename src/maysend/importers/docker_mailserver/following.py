"""Following a folder: importing it again within two seconds after it changed.

The files are looked at twice a second, by inode, time and size, because a mounted folder gives no
notice of changes made outside its container. A change counts once the files stood still between
two looks, so that a file is not read while it is being written.
"""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from maysend.directory import Directory, DirectoryError
from maysend.importers.docker_mailserver.folder import ACCOUNTS, FILES, read_folder
from maysend.importers.docker_mailserver.synchronising import Outcome, synchronise
from maysend.importers.docker_mailserver.wanted import Wanted

INTERVAL = 0.5
"""Seconds between two looks: a change is in after at most three of them."""

Look: TypeAlias = tuple[tuple[int, int, int] | None, ...]


class Follower:
    """Keeps a directory at what a folder says.

    `imported` is told each import that changed something; `failed` each that could not be made,
    once, with the reason. The directory keeps its last state then.
    """

    def __init__(
        self,
        directory: Directory,
        folder: Path,
        environment: Path | None = None,
        *,
        imported: Callable[[Outcome, Wanted], None] = lambda outcome, wanted: None,
        failed: Callable[[str], None] = lambda reason: None,
    ) -> None:
        self._directory = directory
        self._folder = folder
        self._environment = environment
        self._imported = imported
        self._failed = failed
        self._seen: Look | None = None
        self._done: Look | None = None
        self._reason = ""

    def run(self, stop: threading.Event) -> None:
        """Look and import until `stop` is set."""
        while not stop.is_set():
            self.look()
            stop.wait(INTERVAL)

    def look(self) -> None:
        """Look once: import what changed and stands still since the last look."""
        now = self._look()
        settled, self._seen = now == self._seen, now
        if not settled or now == self._done:
            return
        try:
            if self._done is not None and _is_empty(self._folder / ACCOUNTS):
                # An editor or a mount that is under way; who means it imports once, by hand.
                raise DirectoryError(f"{ACCOUNTS} is empty or gone: nothing was changed")
            wanted = read_folder(self._folder, self._environment)
            outcome = synchronise(self._directory, wanted)
        except DirectoryError as error:
            if str(error) != self._reason:
                self._reason = str(error)
                self._failed(self._reason)
            return
        self._reason = ""
        self._done = now
        if outcome.changes:
            self._imported(outcome, wanted)

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


def _is_empty(path: Path) -> bool:
    try:
        return path.stat().st_size == 0
    except OSError:
        return True
