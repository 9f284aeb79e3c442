"""A directory in one SQLite file with a write-ahead log: readers never wait for a writer."""

import os
import sqlite3
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

from maysend.directory.database import READ_VERSION, Database, State
from maysend.directory.errors import DirectoryError, DirectoryUnavailable

BUSY_SECONDS = 5.0
"""How long a writer waits for another to finish before it gives up."""


class SqliteDatabase(Database):
    """The file at `path`, which is there."""

    is_remote = False

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.place = str(path)
        self.engine = _engine(path)
        self._opened_file = _identity(path) or (0, 0)

    @property
    def identity(self) -> State:
        """The file's device and inode."""
        return self._opened_file

    def read_state(self) -> State:
        """The state now, of the file that has this name now."""
        self._follow_file()
        with self.reading() as connection:
            return (*self.identity, connection.execute(READ_VERSION).scalar_one())

    def prepare_migration(self) -> None:
        """Set the write-ahead log; the file remembers it."""
        connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.Error as error:
            raise DirectoryUnavailable(f"{self.place}: {error}") from None
        finally:
            connection.close()

    def _follow_file(self) -> None:
        """Notice that the file was replaced: an open handle would show the old one forever."""
        now = _identity(self.path)
        if now is None:
            raise DirectoryUnavailable(f"{self.path} is gone")
        if now != self._opened_file:
            self.engine.dispose()
            self._opened_file = now


def create_private_file(path: Path) -> None:
    """Make an empty file that only its owner can read: it will hold password hashes."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise DirectoryError(f"can't create {path}: {error.strerror}") from None


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _engine(path: Path) -> Engine:
    uri = f"{path.absolute().as_uri()}?mode=rw"  # rw: a file that went away is not made anew

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA foreign_keys = ON")
        # A suspension that was reported done has to outlive a power cut.
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    # With a creator SQLAlchemy can't see that this is a file, and would keep one connection only.
    engine = create_engine("sqlite://", creator=connect, poolclass=QueuePool)
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    """Begin the transaction that pysqlite would begin too late, after the first read."""
    writes = connection.get_execution_options().get("maysend_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
