"""A private memcached that tests start, on a socket in a directory of its own."""

import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path


class Memcached:
    """A memcached on the socket `path`. `stop` and `start` keep its place, not what it stores."""

    def __init__(self) -> None:
        self._root = Path(tempfile.mkdtemp(prefix="maysend-memcached-"))
        self.path = self._root / "socket"
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self.start()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Memcached":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def start(self) -> None:
        """Start it, and wait until it listens."""
        self.path.unlink(missing_ok=True)
        self._process = subprocess.Popen(
            ["memcached", "-u", "root", "-s", str(self.path), "-t", "1", "-m", "16"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        give_up = time.monotonic() + 10
        while not self._listens():
            if self._process.poll() is not None or time.monotonic() > give_up:
                raise RuntimeError("memcached does not listen")
            time.sleep(0.02)

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def close(self) -> None:
        """End it and remove its directory."""
        self.stop()
        shutil.rmtree(self._root, ignore_errors=True)

    def store(self, key: bytes, value: bytes) -> bool:
        """Put a value in; False where memcached refuses."""
        command = b"set %s 0 0 %d\r\n%s\r\n" % (key, len(value), value)
        return self.command(command).startswith(b"STORED")

    def command(self, octets: bytes) -> bytes:
        """Send a command, return what comes back at first."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(str(self.path))
            connection.sendall(octets)
            return connection.recv(65536)

    def _listens(self) -> bool:
        try:
            return self.command(b"version\r\n").startswith(b"VERSION")
        except OSError:
            return False
