"""The connections of one listener: at most so many, counted in its metrics, ended in good order."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Generic, Protocol, TypeVar

from maysend.servers.metrics import Metrics

END_CHECK = 0.02
"""Seconds between two looks at who is still there."""


class Endable(Protocol):
    """A connection as its listener sees it."""

    def end(self) -> None:
        """Close as soon as what is under way has its answer."""
        ...

    def abort(self) -> None:
        """Close at once."""
        ...


Connection = TypeVar("Connection", bound=Endable)


class Connections(Generic[Connection]):
    """Those of the listener `name`, at most `most` at a time; problems are told to `log`."""

    def __init__(self, name: str, metrics: Metrics, log: Callable[[str], None], most: int) -> None:
        self._name = name
        self._log = log
        self._most = most
        self._connected: set[Connection] = set()
        labels = {"listener": name}
        self._open = metrics.gauge("maysend_connections", "Clients that are connected.", **labels)
        self._accepted = metrics.counter(
            "maysend_connections_total", "Clients that have connected.", **labels
        )
        self._refused = metrics.counter(
            "maysend_connections_refused_total",
            "Clients that were sent away: too many were connected.",
            **labels,
        )
        self._errors = metrics.counter(
            "maysend_protocol_errors_total", "Clients that did not speak the protocol.", **labels
        )

    def __iter__(self) -> Iterator[Connection]:
        """Those that are connected now, also if some go meanwhile."""
        return iter(tuple(self._connected))

    def admits(self, connection: Connection) -> bool:
        """Whether there is room for one more; from then on it is counted."""
        if len(self._connected) >= self._most:
            if self._refused.value == 0:
                self._log(f"warning: {self._name}: more than {self._most} connections")
            self._refused.value += 1
            return False
        self._connected.add(connection)
        self._accepted.value += 1
        self._open.value = len(self._connected)
        return True

    def gone(self, connection: Connection) -> None:
        """A client has gone."""
        self._connected.discard(connection)
        self._open.value = len(self._connected)

    def misunderstood(self, problem: Exception) -> None:
        """A client did not speak the protocol."""
        self._errors.value += 1
        self._log(f"warning: {self._name}: connection closed: {problem}")

    async def end(self, grace: float) -> None:
        """End all of them; what is under way may take `grace` seconds."""
        for connection in self:
            connection.end()
        deadline = asyncio.get_running_loop().time() + grace
        while self._connected and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(END_CHECK)
        for connection in self:
            connection.abort()
