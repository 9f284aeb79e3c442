"""The servers of an SQL table: which of them is asked, and what follows when it fails.

Sources: mysql_table(5) and pgsql_table(5), "hosts", "retry_interval", "idle_interval".
"""

import random
import time
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Generic, TypeVar

import msgspec

from maysend.maincf.conversion import seconds
from maysend.tables.client_file import ClientParameters
from maysend.tables.connections import Closable, Connections, LostConnectionError
from maysend.tables.table import TableError, Tell

C = TypeVar("C", bound=Closable)
T = TypeVar("T")

MOST_CONNECTIONS = 8
"""To each server, of each table in each process; Postfix has one."""

_PROBE_INTERVAL = 1.0


class UnreachableError(Exception):
    """The server can't be reached, lets nobody in, or does not answer in time."""


class QueryRefusedError(Exception):
    """The server answered with an error."""


class Host(msgspec.Struct, frozen=True):
    """One item of `hosts`. `shown` is how errors name it: a connection URI may hold a password."""

    name: str
    port: str
    local: bool
    shown: str


class Waiting(msgspec.Struct, frozen=True):
    """How long is waited, in seconds.

    `timeout` is for a server to let us in and for it to answer, and after it no further server is
    tried; `retry` is for a failed server while others answer; `idle` for an unused connection.
    """

    timeout: int
    retry: int
    idle: int

    @classmethod
    def of(cls, parameters: ClientParameters) -> "Waiting":
        """Read the parameters of a table. Raises TableError (config)."""
        return cls(
            timeout=_seconds(parameters, "timeout", "10"),
            retry=_seconds(parameters, "retry_interval", "60"),
            idle=_seconds(parameters, "idle_interval", "60"),
        )


class Server(Generic[C]):
    """One server, the connections to it, and what is known of its state."""

    def __init__(self, host: Host, connections: Connections[C]) -> None:
        self.host = host
        self.connections = connections
        self.answers = False
        self.rests_until = 0.0
        self.probe_at = 0.0

    def failed(self, retry: float) -> None:
        """Leave it alone for `retry` seconds while another answers."""
        now = time.monotonic()
        self.answers = False
        self.rests_until = now + retry
        self.probe_at = now + min(retry, _PROBE_INTERVAL)
        self.connections.close()

    def answered(self) -> None:
        """Prefer it from now on."""
        self.answers = True
        self.rests_until = 0.0


class SqlServers(Generic[C]):
    """The servers of the table `spec`, reached by `connect`.

    As in Postfix the one that answers is kept; else those on a socket of this host come first, and
    chance decides between equals. One that fails rests for retry_interval. Where all of them rest,
    Postfix asks none until that is over; here one lookup a second tries one of them.
    """

    def __init__(
        self,
        spec: str,
        hosts: Sequence[Host],
        connect: Callable[[Host], C],
        waiting: Waiting,
        tell: Tell | None = None,
    ) -> None:
        self.spec = spec
        self._tell = tell
        self._waiting = waiting
        self._probing = Lock()
        self._servers = [
            Server(host, Connections(spec, _connector(connect, host), most=MOST_CONNECTIONS,
                                     idle=waiting.idle))
            for host in hosts
        ]  # fmt: skip

    def ask(self, question: Callable[[C], T]) -> T:
        """Call `question` with a connection to the first server that answers it.

        Raises TableError (retry) where none does, or where all connections are in use.
        """
        start = time.monotonic()
        reasons: list[str] = []
        for server in self._order(start):
            if self._tell is not None:
                self._tell("server", server.host.shown)
            try:
                answer = server.connections.ask(question)
            except UnreachableError as error:
                server.failed(self._waiting.retry)
                reasons.append(f"{server.host.shown}: {error}")
            except QueryRefusedError as error:
                # Postfix lets the server rest for this too; then one bad key would stop them all.
                reasons.append(f"{server.host.shown}: {error}")
            else:
                server.answered()
                return answer
            if time.monotonic() - start >= self._waiting.timeout:
                break
        reason = "; ".join(reasons) or "no server answered lately: waiting before the next try"
        raise TableError(self.spec, reason, "retry")

    def _order(self, now: float) -> list[Server[C]]:
        if len(self._servers) == 1 and self._servers[0].answers:
            return self._servers
        ready = [server for server in self._servers if server.rests_until <= now]
        if not ready:
            return self._probed(now)
        random.shuffle(ready)
        ready.sort(key=lambda server: (not server.answers, not server.host.local))
        return ready

    def _probed(self, now: float) -> list[Server[C]]:
        with self._probing:
            due = [server for server in self._servers if server.probe_at <= now]
            chosen = random.sample(due, min(1, len(due)))
            for server in chosen:  # nobody else is to wait for it meanwhile
                server.probe_at = now + self._waiting.timeout
        return chosen


def connection_error(reason: str, *, used: bool, waited: bool) -> Exception:
    """What a broken connection amounts to.

    One that was `used` before may only be outdated, unless we `waited` as long as we may.
    """
    return LostConnectionError(reason) if used and not waited else UnreachableError(reason)


def _connector(connect: Callable[[Host], C], host: Host) -> Callable[[], C]:
    return lambda: connect(host)


def _seconds(parameters: ClientParameters, name: str, default: str) -> int:
    try:
        return max(1, seconds(parameters.text(name, default), "s"))
    except ValueError as error:
        raise TableError(parameters.spec, f"{name}: {error}", "config") from error
