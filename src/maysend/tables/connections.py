"""The open connections of one table: bounded, one thread on each, closed when idle or old."""

import os
import time
from collections.abc import Callable
from threading import Lock
from typing import Generic, Protocol, TypeVar

from maysend.tables.table import TableError


class Closable(Protocol):
    """What the pool needs to know of a connection."""

    def close(self) -> None:
        """Close it; never raises."""
        ...


C = TypeVar("C", bound=Closable)
T = TypeVar("T")

MOST_CONNECTIONS = 32


class LostConnectionError(Exception):
    """The server closed the connection, perhaps long ago: worth one more try on a new one."""


class Connections(Generic[C]):
    """The connections of the table `spec`, made by `connect`.

    `idle` and `age` are the seconds after which a connection is not used again, and `keep` says
    after each question whether it may be used again at all. One that was opened before a fork(2)
    belongs to the parent, and is left to it.
    """

    def __init__(
        self,
        spec: str,
        connect: Callable[[], C],
        *,
        most: int = MOST_CONNECTIONS,
        idle: float = 60.0,
        age: float = 3600.0,
        keep: Callable[[C], bool] = lambda _: True,
    ) -> None:
        self._spec = spec
        self._connect = connect
        self._most = most
        self._idle_time = idle
        self._age = age
        self._keep = keep
        self._lock = Lock()
        self._idle: list[tuple[C, float, float]] = []  # connection, opened at, used last
        self._open = 0
        self._process = os.getpid()

    def ask(self, question: Callable[[C], T]) -> T:
        """Call `question` with a connection that nobody else has.

        It is called again, once, on a new connection where it raises LostConnectionError. Raises
        TableError (retry) where all connections are taken, and what `question` raises; the
        connection is closed then.
        """
        try:
            return self._ask_once(question)
        except LostConnectionError:
            self.close()  # they all go back to before the server was restarted
        try:
            return self._ask_once(question)
        except LostConnectionError as error:
            raise TableError(self._spec, str(error), "retry") from error

    def close(self) -> None:
        """Close the connections that nobody uses."""
        with self._lock:
            idle, self._idle = self._idle, []
            self._open -= len(idle)
        for connection, _, _ in idle:
            connection.close()

    def _ask_once(self, question: Callable[[C], T]) -> T:
        connection, opened = self._taken()
        try:
            answer = question(connection)
        except BaseException:
            self._forget()
            connection.close()
            raise
        if not self._keep(connection):
            self._forget()
            connection.close()
            return answer
        with self._lock:
            self._idle.append((connection, opened, time.monotonic()))
        return answer

    def _taken(self) -> tuple[C, float]:
        now = time.monotonic()
        outdated: list[C] = []
        with self._lock:
            if self._process != os.getpid():
                self._process, self._idle, self._open = os.getpid(), [], 0
            found: tuple[C, float] | None = None
            while self._idle and found is None:
                connection, opened, used = self._idle.pop()
                if now - used < self._idle_time and now - opened < self._age:
                    found = (connection, opened)
                else:
                    outdated.append(connection)
                    self._open -= 1
            if found is None and self._open >= self._most:
                raise TableError(self._spec, f"all {self._most} connections are in use", "retry")
            if found is None:
                self._open += 1
        for connection in outdated:
            connection.close()
        if found is not None:
            return found
        try:
            return self._connect(), now
        except BaseException:
            self._forget()
            raise

    def _forget(self) -> None:
        with self._lock:
            self._open -= 1
