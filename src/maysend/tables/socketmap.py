"""# socketmap: a server of your own, asked in netstrings

## What it does
Sends `NAME KEY` to a server and reads one reply, each as a netstring. It is a pattern table: the
server is asked whole keys only, as they are (access(5) folds addresses before), so it has to know
about extensions, catch-alls and bare names itself.

## Arguments
`socketmap:inet:HOST:PORT:NAME` or `socketmap:unix:PATH:NAME`; NAME is what stands behind the last
colon. An IPv6 address stands in brackets.

## Replies
- `OK value`: the value.
- `NOTFOUND `: not found; so is an `OK` that no space follows.

## Errors
- `TEMP text`, `TIMEOUT text`, a reply that means nothing, one longer than 100000 octets, one that
  takes more than 100 seconds, no connection: the lookup fails (retry).
- `PERM text`: the lookup fails (config).
- No NAME, an unknown transport: the table is unavailable (retry). Postfix ends the process for the
  second.

A connection that the server closed is opened again once. One is kept for each of at most 32 threads
that ask at the same time, until it is idle for 10 seconds or 100 seconds old.

## Example
    smtpd_sender_login_maps = socketmap:unix:/run/maysend/socketmap:owners

## Source
socketmap_table(5); Postfix 2.10. https://cr.yp.to/proto/netstrings.txt
"""

from maysend.tables.connections import Connections, LostConnectionError
from maysend.tables.endpoint import Deadline, Endpoint, ReplyTooLongError, Stream
from maysend.tables.table import FailureKind, TableContext, TableError, Tell

TIMEOUT = 100.0
"""Seconds for a whole question, as long as Postfix waits for each part of it."""

_MOST_OCTETS = 100_000
_IDLE = 10.0
_AGE = 100.0

_FAILURES: dict[str, tuple[str, FailureKind]] = {
    "TEMP": ("temporary error", "retry"),
    "TIMEOUT": ("timeout error", "retry"),
    "PERM": ("permanent error", "config"),
}


class SocketmapTable:
    """One map of a socketmap server. `timeout` is in seconds."""

    pattern = True
    blocking = True

    def __init__(
        self,
        spec: str,
        endpoint: Endpoint,
        name: str,
        *,
        timeout: float = TIMEOUT,
        tell: Tell | None = None,
    ) -> None:
        self._tell = tell
        self.spec = spec
        self._endpoint = endpoint
        self._name = name
        self._timeout = timeout
        self._connections = Connections(spec, self._connected, idle=_IDLE, age=_AGE)

    def lookup(self, key: str, /) -> str | None:
        """What the server answers for `key`. Raises TableError."""
        request = f"{self._name} {key}"
        octets = netstring(request.encode("utf-8", "surrogateescape"))
        reply = self._connections.ask(lambda stream: self._reply(stream, octets))
        if self._tell is not None:
            self._tell("server", str(self._endpoint))
            self._tell("request", request)
            self._tell("reply", reply.decode("utf-8", "surrogateescape"))
        status, space, text = reply.decode("utf-8", "surrogateescape").partition(" ")
        if status == "OK":
            return text if space else None
        if status == "NOTFOUND":
            return None
        what, kind = _FAILURES.get(status, (f"unknown reply {status[:30]!r}", "retry"))
        reason = f"{self._endpoint}: {what}: {text.strip()[:200]}".rstrip(": ")
        raise TableError(self.spec, reason, kind)

    def _connected(self) -> Stream:
        try:
            return self._endpoint.connect(Deadline(self._timeout))
        except OSError as error:
            raise TableError(self.spec, f"{self._endpoint}: {error}", "retry") from error

    def _reply(self, stream: Stream, request: bytes) -> bytes:
        """The reply up to its first NUL, which ends a C string."""
        deadline = Deadline(self._timeout)
        try:
            stream.send(request, deadline)
            return read_netstring(stream, _MOST_OCTETS, deadline).partition(b"\0")[0]
        except TimeoutError as error:
            raise TableError(self.spec, f"{self._endpoint}: {error}", "retry") from error
        except (OSError, EOFError) as error:
            raise LostConnectionError(f"{self._endpoint}: {error}") from error
        except (ValueError, ReplyTooLongError) as error:
            raise TableError(self.spec, f"{self._endpoint}: {error}", "retry") from error


def netstring(octets: bytes) -> bytes:
    """`octets` with their length in front."""
    return b"%d:%s," % (len(octets), octets)


def read_netstring(stream: Stream, most: int, deadline: Deadline) -> bytes:
    """Read one netstring of at most `most` octets.

    Raises ValueError where it is none, ReplyTooLongError, EOFError, OSError.
    """
    length = 0
    while (octet := stream.exactly(1, deadline)) != b":":
        if not octet.isdigit():
            raise ValueError("the reply is no netstring")
        length = 10 * length + int(octet)
        if length > most:
            raise ReplyTooLongError(f"a reply of more than {most} octets")
    octets = stream.exactly(length, deadline)
    if stream.exactly(1, deadline) != b",":
        raise ValueError("the reply is no netstring: no comma at its end")
    return octets


def open_socketmap(name: str, context: TableContext) -> SocketmapTable:
    """Open `socketmap:name`. Raises TableError (config)."""
    spec = f"socketmap:{name}"
    server, colon, map_name = name.rpartition(":")
    if not colon:
        raise TableError(
            spec,
            'expecting "socketmap:inet:host:port:name" or "socketmap:unix:path:name"',
            "config",
        )
    return SocketmapTable(spec, Endpoint.parse(server, spec), map_name, tell=context.tell)
