"""docker-mailserver's mounted files, kept in the directory for as long as `maysend serve` runs.

A thread of the supervisor does it: once, however many workers there are, and with the rights that
it was started with, because docker-mailserver's files are root's. The workers see a change as they
see every other, by the directory's version.
"""

import os
import pwd
import threading
from collections.abc import Callable, Sequence

from maysend.directory import Directory, DirectoryError
from maysend.directory.location import absolute_url
from maysend.directory.opening import is_postgresql, sqlite_path
from maysend.importers.docker_mailserver import Follower
from maysend.importers.remark import Remark
from maysend.servers.configuration import Configuration
from maysend.servers.processes.configured import CannotServe

ACTOR = "serve"
"""Whom the audit trail names."""


class Following:
    """Follows what `configuration` says, from `start` until `stop`.

    `folder` is what it says there. `log` takes lines; it is called from the thread too.
    """

    def __init__(self, configuration: Configuration, log: Callable[[str], None]) -> None:
        self.settings = configuration.follow
        self.folder = configuration.path(self.settings.docker_mailserver)
        self.problem = ""
        """Why the directory is not at what the files say, where that is so."""
        self._configuration = configuration
        self._log = log
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._directory: Directory | None = None

    def start(self) -> None:
        """Import what is there, then follow it. Raises CannotServe.

        Files that can't be read yet, or hold nothing yet, are told and looked at again.
        """
        if not self.folder.is_dir():
            raise CannotServe(f"follow: there is no folder {self.folder}")
        self._directory = self._opened()
        environment = self.settings.environment
        follower = Follower(
            self._directory,
            self.folder,
            self._configuration.path(environment) if environment else None,
            imported=self._imported,
            failed=self._failed,
        )
        follower.look()
        self._stop.wait(follower.interval)  # until the files stand still
        follower.look()
        self._thread = threading.Thread(
            target=self._run, args=(follower,), name="docker-mailserver", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Follow no more."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        if self._directory is not None:
            self._directory.close()

    def _opened(self) -> Directory:
        configuration = self._configuration
        if not configuration.directory:
            raise CannotServe(
                f"{configuration.file}: what is followed is written into a directory: add "
                'directory = "sqlite:///maysend.db"'
            )
        url = absolute_url(configuration.directory, configuration.file)
        is_new = not is_postgresql(url) and not sqlite_path(url).exists()
        try:
            directory = Directory.open(url, actor=ACTOR)
            if is_new and configuration.user and os.geteuid() == 0:
                # The workers give up root, and must be able to write beside the file too.
                entry = pwd.getpwnam(configuration.user)
                os.chown(sqlite_path(url), entry.pw_uid, entry.pw_gid)
        except (DirectoryError, OSError) as problem:
            raise CannotServe(f"follow: {problem}") from None
        return directory

    def _run(self, follower: Follower) -> None:
        while not self._stop.wait(follower.interval):
            try:
                follower.look()
            except Exception as problem:
                # A thread that ended unseen would leave old rights in force.
                self._failed(f"{type(problem).__name__}: {problem}")

    def _imported(self, changes: Sequence[str], remarks: Sequence[Remark]) -> None:
        self.problem = ""
        for change in changes:
            self._log(f"docker-mailserver: {change}")
        for remark in remarks:
            self._log(f"warning: docker-mailserver: {remark}")

    def _failed(self, reason: str) -> None:
        if reason != self.problem:
            self._log(f"error: docker-mailserver: {reason}; the directory stays as it is")
        self.problem = reason
