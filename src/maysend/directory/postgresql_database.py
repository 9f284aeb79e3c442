"""A directory in PostgreSQL, for several nodes (needs the extra `maysend[pgsql]`).

One pool of connections is for lookups and one for reading the version: there nothing may take
longer than ANSWER_SECONDS, the connecting included, because a partition drops packets and closes no
sockets. Another is for changes, which may wait for one another.
"""

import selectors
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, ExceptionContext, create_engine, event
from sqlalchemy.pool import QueuePool

from maysend.directory.database import READ_VERSION, Database, State
from maysend.directory.errors import DirectoryError
from maysend.tables.abandoning import Abandoning, TooManyCallsError

if TYPE_CHECKING:
    import psycopg

ANSWER_SECONDS = 0.5
"""How long a lookup waits for the database, for each of its statements and for a connection."""

CONNECT_SECONDS = 5
"""How long a change waits for a connection."""

SILENCE_MILLISECONDS = 20_000
"""How long a change waits for a host that acknowledges nothing (tcp(7), TCP_USER_TIMEOUT)."""

LOOKUP_CONNECTIONS = 8
"""Connections of one process for lookups; a thread more than that waits for one."""

WRITERS = 0x6D61_7973_656E_64
"""The advisory lock that every change takes first, so that changes take turns."""


class PostgresqlDatabase(Database):
    """The database that `url`, "postgresql://…", names."""

    is_remote = True

    def __init__(self, url: str) -> None:
        super().__init__()
        self._conninfo = _conninfo(url)
        self.place = _place(self._conninfo)
        self.engine = create_engine(
            "postgresql+psycopg://",
            creator=self._connect,
            isolation_level="REPEATABLE READ",
            pool_pre_ping=True,
            poolclass=QueuePool,
            pool_size=2,
        )
        event.listen(self.engine, "begin", _begin)
        self._connecting: Abandoning[psycopg.Connection[Any]] = Abandoning(
            LOOKUP_CONNECTIONS + 1, lambda late: late.close()
        )
        self._lookups = self._engine_for_lookups(LOOKUP_CONNECTIONS)
        # Many lookups at once must not keep the version from being read: all would fail then.
        self._watching = self._engine_for_lookups(1)
        event.listen(self._watching, "handle_error", self._drop_lookups)

    @contextmanager
    def answering(self) -> Iterator[Connection]:
        """A read transaction that gives up in time."""
        with self._translated(), self._lookups.connect() as connection, connection.begin():
            yield connection

    @property
    def identity(self) -> State:
        """Nothing: it stays where it is."""
        return ()

    def read_state(self) -> State:
        """The state now."""
        with self._translated(), self._watching.connect() as connection, connection.begin():
            return (connection.execute(READ_VERSION).scalar_one(),)

    def prepare_migration(self) -> None:
        """Nothing: the administrator made the database."""

    def close(self) -> None:
        """Let go of every connection."""
        super().close()
        self._lookups.dispose()
        self._watching.dispose()

    def _drop_lookups(self, context: ExceptionContext) -> None:
        """Where the server went away for one connection, it did for those that wait in the pool."""
        if context.is_disconnect:
            self._lookups.dispose()

    def _engine_for_lookups(self, connections: int) -> Engine:
        return create_engine(
            "postgresql+psycopg://",
            creator=self._connect_for_lookups,
            isolation_level="REPEATABLE READ",
            poolclass=QueuePool,
            pool_size=connections,
            max_overflow=0,
            pool_timeout=ANSWER_SECONDS,
        )

    def _connect(self) -> "psycopg.Connection[Any]":
        import psycopg

        return psycopg.connect(
            self._conninfo,
            connect_timeout=CONNECT_SECONDS,
            tcp_user_timeout=SILENCE_MILLISECONDS,
        )

    def _connect_for_lookups(self) -> "psycopg.Connection[Any]":
        import psycopg

        def connect() -> "psycopg.Connection[Any]":
            return _bounded_connection_class().connect(self._conninfo, prepare_threshold=2)

        try:
            return self._connecting.call(connect, ANSWER_SECONDS)
        except (TimeoutError, TooManyCallsError):
            raise psycopg.OperationalError(f"no connection within {ANSWER_SECONDS:g} s") from None


def _bounded_connection_class() -> "type[psycopg.Connection[Any]]":
    """A connection whose every wait ends in time. psycopg is imported only where it is needed."""
    import psycopg
    from psycopg.waiting import Ready

    class BoundedConnection(psycopg.Connection[Any]):
        def wait(self, gen: Any, *arguments: Any, **named: Any) -> Any:
            deadline = time.monotonic() + ANSWER_SECONDS
            try:
                wanted = next(gen)
                with selectors.DefaultSelector() as selector:
                    selector.register(self.fileno(), wanted)
                    while True:
                        left = deadline - time.monotonic()
                        ready = selector.select(left) if left > 0 else []
                        if not ready:
                            # What may still arrive would be taken for the next answer.
                            self.close()
                            raise psycopg.OperationalError(f"no answer within {ANSWER_SECONDS:g} s")
                        wanted = gen.send(Ready(ready[0][1]))
                        selector.modify(self.fileno(), wanted)
            except StopIteration as done:
                return done.value

    return BoundedConnection


def _begin(connection: Connection) -> None:
    if connection.get_execution_options().get("maysend_writes"):
        # Changes take turns, so what one has read stays true until it is done.
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITERS})")


def _conninfo(url: str) -> str:
    try:
        from psycopg import ProgrammingError
        from psycopg.conninfo import make_conninfo
    except ImportError:
        raise DirectoryError(
            "a directory in PostgreSQL needs a driver: pip install 'maysend[pgsql]'"
        ) from None
    try:
        return make_conninfo(url.replace("postgresql+psycopg://", "postgresql://", 1))
    except ProgrammingError:
        # The error's text would repeat the URL, password and all.
        raise DirectoryError(
            "the directory's URL can't be read, expected postgresql://USER@HOST/DATABASE"
        ) from None


def _place(conninfo: str) -> str:
    """The database in words: host and name, never the password."""
    from psycopg.conninfo import conninfo_to_dict

    parts = conninfo_to_dict(conninfo)
    return (
        f"postgresql database {parts.get('dbname', '?')} at {parts.get('host', 'the local socket')}"
    )
