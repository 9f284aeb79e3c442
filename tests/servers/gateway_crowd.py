"""A gateway process with a crowd at its door: connections that say nothing, and clients that send
commands but read no replies. How long the others wait meanwhile."""

import contextlib
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.gateway_memory import peak_memory_mb
from tests.servers.gateways import Client

FLOOD = b"EHLO never.reading.example\r\n" * 4096


def allow_files(wanted: int) -> None:
    """Raise the limit of open files, as far as it can be."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


@contextmanager
def gateway_process(next_hop_port: int, pem_file: Path) -> Iterator[tuple[int, int]]:
    """(port, process id) of a gateway without TLS first, in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.servers.gateway_process", str(next_hop_port), str(pem_file)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline()), process.pid
    finally:
        process.terminate()
        process.wait(30)


class Crowd:
    """Opens connections and keeps them."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> "Crowd":
        return self

    def __exit__(self, *_: object) -> None:
        for connection in self._sockets:
            connection.close()

    def add_idle(self, count: int) -> None:
        """So many that connect, are greeted, and say nothing."""
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", self._port), 30)
            connection.recv(512)
            self._sockets.append(connection)

    def add_slow_readers(self, count: int) -> None:
        """So many that send as much as is taken, and read no reply."""
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", self._port), 30)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.setblocking(False)
            self._sockets.append(connection)
            with contextlib.suppress(OSError):
                for _ in range(100):
                    connection.send(FLOOD)


def delays(port: int, messages: int) -> list[float]:
    """Seconds that each of so many messages took, one after the other, sorted."""
    found = []
    with Client(port) as client:
        client.command("EHLO x")
        for _ in range(messages):
            begun = time.perf_counter()
            assert client.command("MAIL FROM:<a@example.org>").startswith("250")
            assert client.command("RCPT TO:<b@example.net>").startswith("250")
            assert client.command("DATA").startswith("354")
            client.send(b"Subject: x\r\n\r\ny\r\n.\r\n")
            assert client.reply().startswith("250")
            found.append(time.perf_counter() - begun)
    return sorted(found)


def measure(
    next_hop_port: int, pem_file: Path, idle: int, slow_readers: int, messages: int = 200
) -> tuple[list[float], list[float], float]:
    """(delays alone, delays beside the crowd, memory of the gateway in MB)."""
    allow_files(2 * (idle + slow_readers) + 500)
    with gateway_process(next_hop_port, pem_file) as (port, process), Crowd(port) as crowd:
        alone = delays(port, messages)
        crowd.add_idle(idle)
        crowd.add_slow_readers(slow_readers)
        return alone, delays(port, messages), peak_memory_mb(process)
