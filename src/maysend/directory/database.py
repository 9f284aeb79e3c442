"""The database behind a directory: how it is read and written, whichever kind it is.

A read is one transaction, so all it sees is one state. A write takes the write lock first and
raises the version row, so that every worker's cache notices it.
"""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from sqlalchemy import Connection, Engine, select, update
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from maysend.directory import schema
from maysend.directory.errors import DirectoryUnavailable
from maysend.directory.migrating import NEWEST_SCHEMA, run_migrations, schema_of

State: TypeAlias = tuple[object, ...]
"""A state of the directory that every write replaces: which database it is, and its version."""


class Database(ABC):
    """One database, read and written by any number of threads and processes."""

    engine: Engine
    place: str
    """The database in words, for errors; never its password."""

    is_remote: bool
    """Whether an answer may have to be waited for, or not come at all."""

    def __init__(self) -> None:
        self._joined = threading.local()
        self.after_change: Callable[[], None] = _nothing
        """Called when a change of this process is done: it need not wait to notice that."""

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of the directory. DirectoryUnavailable if none can.

        Inside `together` it is the transaction of that.
        """
        joined = self._connection_joined()
        if joined is not None:
            yield joined
            return
        with self._translated(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def answering(self) -> Iterator[Connection]:
        """`reading`, for a lookup: one that can't wait long for its answer."""
        with self.reading() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that changes the directory whole or not at all, and raises the version."""
        joined = self._connection_joined()
        if joined is not None:
            # What one change had done before it was refused goes, what came before it stays.
            with joined.begin_nested():
                yield joined
            return
        with self.writing_schema() as connection:
            yield connection
            connection.execute(update(schema.version).values(number=schema.version.c.number + 1))
        self.after_change()

    @contextmanager
    def together(self) -> Iterator[Connection]:
        """Make all that this thread reads and writes inside one writing transaction."""
        with self.writing() as connection:
            outer = self._connection_joined()
            self._joined.connection = connection
            try:
                yield connection
            finally:
                self._joined.connection = outer

    @contextmanager
    def writing_schema(self) -> Iterator[Connection]:
        """A writing transaction that needs no version row to be there yet."""
        with self._translated(), self.engine.connect() as plain:
            connection = plain.execution_options(maysend_writes=True)
            with connection.begin():
                yield connection

    @property
    @abstractmethod
    def identity(self) -> State:
        """Which database it is: a state is this and a version number."""

    @abstractmethod
    def read_state(self) -> State:
        """The state now. DirectoryUnavailable where nobody can tell."""

    @abstractmethod
    def prepare_migration(self) -> None:
        """What a database needs once, before its first table is made."""

    def migrate(self) -> None:
        """Bring the database to the newest schema; two processes that do so take turns."""
        with self.reading() as connection:
            found = schema_of(connection, self.place)
        if found == NEWEST_SCHEMA:
            return
        self.prepare_migration()
        with self.writing_schema() as connection:
            if schema_of(connection, self.place) != NEWEST_SCHEMA:
                run_migrations(connection)

    def close(self) -> None:
        """Let go of it."""
        self.engine.dispose()

    def _connection_joined(self) -> Connection | None:
        joined: Connection | None = getattr(self._joined, "connection", None)
        return joined

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Database errors as DirectoryUnavailable, without the statement and what was in it."""
        try:
            yield
        except DBAPIError as error:
            reason = " ".join(str(error.orig).split())
            raise DirectoryUnavailable(f"{self.place}: {reason}") from None
        except SQLAlchemyError as error:
            raise DirectoryUnavailable(f"{self.place}: {type(error).__name__}") from None


def _nothing() -> None:
    """Nobody watches."""


READ_VERSION = select(schema.version.c.number)
