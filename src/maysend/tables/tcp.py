"""# tcp: a server of your own, asked in lines

## What it does
Sends `get KEY` to a server and reads one line. It is a pattern table: the server is asked whole
keys only, as they are (access(5) folds addresses before).

## Arguments
`tcp:HOST:PORT`, `tcp:[ADDRESS]:PORT`, or `tcp:PORT` on localhost. In requests and replies `%XX`
stands for an octet; requests have it for "%", whitespace and everything beyond printable ASCII.

## Replies
- `200 value`: the value.
- `500 text`: not found. Only the first of the three digits counts.

## Errors
- `400 text`, a reply that means nothing or is badly encoded, one of more than 4096 octets, one that
  takes more than 100 seconds, no connection: the lookup fails (retry).
- No port: the table is unavailable (retry).

A connection that the server closed is opened again once; where that fails, the lookup fails at
once. Postfix goes on trying for ten seconds before it says the same. One connection is kept for
each of at most 32 threads that ask at the same time.

## Example
    smtpd_sender_restrictions = check_sender_access tcp:127.0.0.1:9998

## Source
tcp_table(5); Postfix 2.1.
"""

from maysend.tables.connections import Connections, LostConnectionError
from maysend.tables.endpoint import Deadline, Endpoint, ReplyTooLongError, Stream
from maysend.tables.table import TableContext, TableError, Tell

TIMEOUT = 100.0
"""Seconds for a whole question, as long as Postfix waits for each part of it."""

_MOST_OCTETS = 4096
_PLAIN = frozenset(range(0x21, 0x7F)) - {ord("%")}
_HEX = frozenset(b"0123456789abcdefABCDEF")
_SPACE = b" \t\v\f\r"


class TcpTable:
    """A tcp_table(5) server. `timeout` is in seconds."""

    pattern = True
    blocking = True

    def __init__(
        self,
        spec: str,
        endpoint: Endpoint,
        *,
        timeout: float = TIMEOUT,
        tell: Tell | None = None,
    ) -> None:
        self._tell = tell
        self.spec = spec
        self._endpoint = endpoint
        self._timeout = timeout
        self._connections = Connections(spec, self._connected)

    def lookup(self, key: str, /) -> str | None:
        """What the server answers for `key`. Raises TableError."""
        request = b"get %s\n" % percent_encoded(key.encode("utf-8", "surrogateescape"))
        reply = self._connections.ask(lambda stream: self._reply(stream, request))
        if self._tell is not None:
            self._tell("server", str(self._endpoint))
            self._tell("request", request.decode("ascii").rstrip())
            self._tell("reply", reply.decode("utf-8", "surrogateescape").rstrip())
        status, text = reply[:1], percent_decoded(reply[4:])
        if status == b"2":
            return text.partition(b"\0")[0].decode("utf-8", "surrogateescape")
        if status == b"5":
            return None
        raise self._failed("temporary error: " + text.decode("utf-8", "replace")[:200])

    def _connected(self) -> Stream:
        try:
            return self._endpoint.connect(Deadline(self._timeout))
        except OSError as error:
            raise self._failed(str(error)) from error

    def _reply(self, stream: Stream, request: bytes) -> bytes:
        """A reply that keeps to the syntax; any other costs the server the connection."""
        deadline = Deadline(self._timeout)
        try:
            stream.send(request, deadline)
            reply = stream.until(b"\n", _MOST_OCTETS, deadline).partition(b"\0")[0]
            percent_decoded(reply[4:])
        except TimeoutError as error:
            raise self._failed(str(error)) from error
        except (OSError, EOFError) as error:
            raise LostConnectionError(f"{self._endpoint}: {error}") from error
        except (ValueError, ReplyTooLongError) as error:
            raise self._failed(str(error)) from error
        if not reply[:3].isdigit() or len(reply) < 4 or reply[3] not in _SPACE:
            raise self._failed(f"malformed reply: {reply[:100]!r}")
        if reply[:1] not in (b"2", b"4", b"5"):
            raise self._failed(f"bad status code: {reply[:100]!r}")
        return reply

    def _failed(self, reason: str) -> TableError:
        return TableError(self.spec, f"{self._endpoint}: {reason}", "retry")


def percent_encoded(octets: bytes) -> bytes:
    """`octets` with `%XX` for all that is not plain."""
    return b"".join(b"%c" % octet if octet in _PLAIN else b"%%%02X" % octet for octet in octets)


def percent_decoded(octets: bytes) -> bytes:
    """The octets meant. Raises ValueError where two hexadecimal digits don't follow a `%`."""
    first, *rest = octets.split(b"%")
    decoded = [first]
    for piece in rest:
        if len(piece) < 2 or not _HEX.issuperset(piece[:2]):
            raise ValueError("malformed reply: a % without two hexadecimal digits")
        decoded += [bytes([int(piece[:2], 16)]), piece[2:]]
    return b"".join(decoded)


def open_tcp(name: str, context: TableContext) -> TcpTable:
    """Open `tcp:name`. Raises TableError (config)."""
    spec = f"tcp:{name}"
    return TcpTable(spec, Endpoint.host_and_port(name, spec), tell=context.tell)
