"""What the private SQL servers of the tests have in common: a directory, a process, a port."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.servers.stopping import stop

PATIENCE = 60.0
"""Seconds until a server that does not start is given up."""


class SqlServer(ABC):
    """A server of its own on a private socket and a private port of the loopback.

    It runs as the unprivileged `user`, because these servers refuse to run as root.
    """

    user: str
    program: str

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix=f"maysend-{self.program}-", dir="/tmp"))
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        account = pwd.getpwnam(self.user)
        os.chown(self.directory, account.pw_uid, account.pw_gid)
        self.directory.chmod(0o755)
        self.create()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    @abstractmethod
    def create(self) -> None:
        """Make the data directory."""

    @abstractmethod
    def command(self) -> Sequence[str]:
        """What starts the server."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Whether it answers."""

    @abstractmethod
    def execute(self, statements: str, database: str = "") -> str:
        """Run statements as the administrator, and return what they print."""

    def start(self) -> None:
        """Start the server, where it is not running, and wait until it answers."""
        if self._process is not None:
            return
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self.as_user(self.command()), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        deadline = time.monotonic() + PATIENCE
        while not self.is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(
                    f"{self.program}: {(self.directory / 'log').read_text()[-2000:]}"
                )
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop the server, at once."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGCONT)
        self._process.send_signal(signal.SIGQUIT if self.program == "postgres" else signal.SIGKILL)
        self._process.wait(PATIENCE)
        self._process = None

    def freeze(self) -> None:
        """Let it hang: it takes connections, and nothing more happens."""
        for process in self.processes():
            stop(process)

    def thaw(self) -> None:
        """Let it go on."""
        for process in self.processes():
            os.kill(process, signal.SIGCONT)

    def processes(self) -> list[int]:
        """The server's process and its children."""
        assert self._process is not None
        pid = self._process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *map(int, children)]

    def as_user(self, command: Sequence[str]) -> list[str]:
        """`command`, run by the server's user."""
        drop = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups",
                "--pdeathsig=KILL"]  # fmt: skip
        return [*drop, "--", *command]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
