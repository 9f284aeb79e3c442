"""Servers that a table talks to over a stream: `inet:host:port` and `unix:path`."""

import socket
import time

import msgspec

from maysend.tables.table import TableError

_CHUNK = 16384


class ReplyTooLongError(Exception):
    """The server sends more than the protocol allows."""


class Deadline:
    """A point in time, `seconds` from now, that no wait may pass."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._at = time.monotonic() + seconds

    def left(self) -> float:
        """The seconds that are left. Raises TimeoutError where there are none."""
        left = self._at - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"no answer within {self._seconds:g} s")
        return left


class Stream:
    """A connected socket that is read in lines or in counted octets."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._unread = b""

    def send(self, octets: bytes, deadline: Deadline) -> None:
        """Send all of it. Raises OSError; TimeoutError at the deadline."""
        self._socket.settimeout(deadline.left())
        self._socket.sendall(octets)

    def exactly(self, size: int, deadline: Deadline) -> bytes:
        """The next `size` octets. Raises EOFError, OSError; TimeoutError at the deadline."""
        while len(self._unread) < size:
            self._receive(deadline)
        octets, self._unread = self._unread[:size], self._unread[size:]
        return octets

    def until(self, end: bytes, longest: int, deadline: Deadline) -> bytes:
        """What stands before the octet `end`, which is taken too.

        Raises ReplyTooLongError where `longest` octets, `end` included, do not hold it; EOFError,
        OSError; TimeoutError at the deadline.
        """
        while (found := self._unread.find(end, 0, longest)) < 0:
            if len(self._unread) >= longest:
                raise ReplyTooLongError(f"a reply of more than {longest} octets")
            self._receive(deadline)
        octets, self._unread = self._unread[:found], self._unread[found + 1 :]
        return octets

    def discard_input(self) -> None:
        """Forget what was received and not read."""
        self._unread = b""

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _receive(self, deadline: Deadline) -> None:
        self._socket.settimeout(deadline.left())
        octets = self._socket.recv(_CHUNK)
        if not octets:
            raise EOFError("the server closed the connection")
        self._unread += octets


class Endpoint(msgspec.Struct, frozen=True):
    """Where a server listens: a socket's path, or a host with a port name or number."""

    path: str = ""
    host: str = ""
    port: str = ""

    def __str__(self) -> str:
        return f"unix:{self.path}" if self.path else f"inet:{self.host}:{self.port}"

    @classmethod
    def parse(cls, text: str, spec: str) -> "Endpoint":
        """Read `inet:host:port`, `inet:[address]:port` or `unix:path`; raises TableError (config).

        `local:` is another name of `unix:`, and a missing host is localhost, as in Postfix.
        """
        transport, _, name = text.partition(":")
        if transport in ("unix", "local") and name:
            return cls(path=name)
        if transport == "inet" and name:
            return cls.host_and_port(name, spec)
        raise TableError(spec, f'"{text}": expecting "inet:host:port" or "unix:pathname"', "config")

    @classmethod
    def host_and_port(cls, text: str, spec: str) -> "Endpoint":
        """Read `host:port`, `[address]:port` or `port`. Raises TableError (config)."""
        host, _, port = text.rpartition(":")
        if host.startswith("[") and host.endswith("]"):
            host = host[1:-1]
        if not port or set(host) & set("[]"):
            raise TableError(spec, f'"{text}": expecting "host:port"', "config")
        return cls(host=host or "localhost", port=port)

    def connect(self, deadline: Deadline) -> Stream:
        """Connect to the first address that answers. Raises OSError; TimeoutError in time."""
        if self.path:
            return Stream(_connected(socket.AF_UNIX, self.path, deadline))
        failure: OSError | None = None
        for family, _, _, _, address in socket.getaddrinfo(
            self.host, self.port, type=socket.SOCK_STREAM
        ):
            try:
                connection = _connected(family, address, deadline)
            except OSError as error:
                failure = error
                continue
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return Stream(connection)
        raise failure or OSError(f"{self.host} has no address")


def _connected(family: int, address: object, deadline: Deadline) -> socket.socket:
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.settimeout(deadline.left())
        connection.connect(address)  # type: ignore[arg-type]
    except BaseException:
        connection.close()
        raise
    return connection
