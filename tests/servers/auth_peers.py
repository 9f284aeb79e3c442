"""Dovecot's auth protocol as maysend serves it, and a mail server that asks what it is told to."""

import base64
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from maysend.directory import Directory
from maysend.protocols.dovecot_auth import AuthClient
from maysend.servers.dovecot_auth import DovecotAuthListener
from maysend.servers.metrics import Metrics
from maysend.servers.submission.guessing import Guesses, GuessLimits
from maysend.servers.submission.logins import PasswordLogins
from tests.servers.conftest import LoopThread

MECHANISMS = ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256")
BOB, WRONG, DISABLED = (
    base64.b64encode(f"\0{login}\0{password}".encode()).decode()
    for login, password in (
        ("bob@example.com", "sécret"),
        ("bob@example.com", "wrong"),
        ("eve@example.com", "sécret"),
    )
)


@contextmanager
def sample_directory(folder: Path) -> Iterator[Directory]:
    """Bob, who has an alias; Eve, who may not log in; and one whose password is stored as it is."""
    with Directory.open(folder / "directory.sqlite") as directory:
        directory.accounts.add("bob@example.com", password="sécret")
        directory.accounts.add("eve@example.com", password="sécret")
        directory.accounts.disable("eve@example.com")
        directory.aliases.add("sales@example.com", ["bob@example.com"])
        directory.accounts.add("plain@example.com", password_hash="{PLAIN}secret")
        yield directory


class Running:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.log: list[str] = []
        self.metrics = Metrics()

    def counted(self, outcome: str) -> float:
        return sum(
            sample.value
            for sample in self.metrics.samples()
            if sample.name == "maysend_logins_total" and ("outcome", outcome) in sample.labels
        )


@contextmanager
def serving(
    thread: LoopThread, logins: PasswordLogins, limits: GuessLimits | None = None
) -> Iterator[Running]:
    folder = Path(tempfile.mkdtemp(prefix="maysend-auth-"))
    folder.chmod(0o755)
    running = Running(folder / "auth")
    guesses = Guesses(limits or GuessLimits(per_address=0), time.monotonic)
    listener = DovecotAuthListener(logins, "auth", running.metrics, running.log.append, guesses)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(running.path))
        running.path.chmod(0o666)
        sock.listen(50)
        thread.run(listener.start(sock))
        try:
            yield running
        finally:
            thread.run(listener.stop(2))
            logins.close()
            shutil.rmtree(folder)


class Peer:
    """A mail server that says what it is told to."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(str(path))
        self.client = AuthClient(1)
        while not self.client.ready:
            self.client.receive(self.socket.recv(65536))
        self.socket.sendall(self.client.greeting())

    def __enter__(self) -> "Peer":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def answers(self, octets: bytes, count: int = 1) -> list[object]:
        if octets:  # the other end may have closed its side already
            self.socket.sendall(octets)
        found: list[object] = []
        while len(found) < count:
            received = self.socket.recv(65536)
            if not received:
                return found
            found += self.client.receive(received)
        return found


# -- beside Postfix --------------------------------------------------------------------------------
