"""The database behind a directory: how it is opened, migrated, read and written.

A read is one transaction, so all it sees is one state. A write takes the write lock first and
raises the version row, so that every worker's cache notices it.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from sqlalchemy import (
    Connection,
    Engine,
    create_engine,
    event,
    inspect,
    select,
    update,
)
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from maysend.directory import schema
from maysend.directory.errors import DirectoryError, DirectoryUnavailable

NEWEST_SCHEMA = "0001"
"""The last migration under migrations/versions; a test holds the two together."""

BUSY_SECONDS = 5.0
"""How long a writer waits for another to finish before it gives up."""

SQLITE_PREFIX = "sqlite:///"

State: TypeAlias = tuple[int, int, int]
"""A state of the directory that every write replaces: the file's device, inode, version number."""


class Database:
    """One SQLite file, read and written by any number of threads and processes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.engine = _sqlite_engine(path)
        self._opened_file = _identity(path) or (0, 0)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of the directory. DirectoryUnavailable if none can."""
        with self._translated(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that changes the directory whole or not at all, and raises the version."""
        with self.writing_schema() as connection:
            yield connection
            connection.execute(update(schema.version).values(number=schema.version.c.number + 1))

    @contextmanager
    def writing_schema(self) -> Iterator[Connection]:
        """A writing transaction that needs no version row to be there yet."""
        with self._translated(), self.engine.connect() as plain:
            connection = plain.execution_options(maysend_writes=True)
            with connection.begin():
                yield connection

    def state(self, connection: Connection) -> State:
        """Which state `connection`'s transaction sees; another file's states are others."""
        return (*self._opened_file, connection.execute(_READ_VERSION).scalar_one())

    def follow_file(self) -> None:
        """Notice that the file was replaced: an open handle would show the old one forever."""
        now = _identity(self.path)
        if now is None:
            raise DirectoryUnavailable(f"{self.path} is gone")
        if now != self._opened_file:
            self.engine.dispose()
            self._opened_file = now

    def close(self) -> None:
        """Let go of the file."""
        self.engine.dispose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Database errors as DirectoryUnavailable, without the statement and what was in it."""
        try:
            yield
        except DBAPIError as error:
            raise DirectoryUnavailable(f"{self.path}: {error.orig}") from None
        except SQLAlchemyError as error:
            raise DirectoryUnavailable(f"{self.path}: {type(error).__name__}") from None


_READ_VERSION = select(schema.version.c.number)


def open_database(url: str | Path, *, create: bool) -> Database:
    """The database at `url` ("sqlite:///file" or a path), migrated to the newest schema.

    DirectoryError where the URL is none, the file is missing and `create` is false, or it holds
    something else; DirectoryUnavailable where it can't be read.
    """
    path = sqlite_path(url)
    if not path.exists():
        if not create:
            raise DirectoryError(f"there is no directory at {path}")
        _create_private_file(path)
    database = Database(path)
    try:
        _migrate(database)
    except BaseException:
        database.close()
        raise
    return database


def sqlite_path(url: str | Path) -> Path:
    """The file that `url` names. DirectoryError for an URL of anything but SQLite."""
    text = os.fspath(url)
    if text.startswith(SQLITE_PREFIX):
        text = text.removeprefix(SQLITE_PREFIX)
    elif "://" in text or text.startswith("sqlite:"):
        # The rest of an URL may hold a password.
        scheme = text.partition(":")[0]
        raise DirectoryError(
            f"a directory at '{scheme}:…' is not supported, expected sqlite:///FILE or a file name"
        )
    if not text or "\0" in text:
        raise DirectoryError("no file is named, expected sqlite:///FILE or a file name")
    return Path(text)


def _create_private_file(path: Path) -> None:
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


def _sqlite_engine(path: Path) -> Engine:
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


def _migrate(database: Database) -> None:
    """Bring the database to NEWEST_SCHEMA; two processes that open it at once take turns."""
    with database.reading() as connection:
        found = _schema_of(connection, database.path)
    if found == NEWEST_SCHEMA:
        return
    _use_write_ahead_log(database.path)
    with database.writing_schema() as connection:
        if _schema_of(connection, database.path) != NEWEST_SCHEMA:
            _run_migrations(connection)


def _use_write_ahead_log(path: Path) -> None:
    """With a write-ahead log readers never wait for a writer; the file remembers the setting."""
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.Error as error:
        raise DirectoryUnavailable(f"{path}: {error}") from None
    finally:
        connection.close()


def _schema_of(connection: Connection, path: Path) -> str | None:
    """The migration that the database is at, None for an empty one."""
    tables = set(inspect(connection).get_table_names())
    if not tables:
        return None
    if "alembic_version" not in tables or "accounts" not in tables:
        raise DirectoryError(f"{path} is a database of something else, not a maysend directory")
    found: str = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one()
    if found > NEWEST_SCHEMA:
        raise DirectoryError(
            f"{path} was written by a newer maysend (schema {found}, this one knows "
            f"{NEWEST_SCHEMA}): upgrade maysend"
        )
    return found


def _run_migrations(connection: Connection) -> None:
    # Alembic takes a tenth of a second to import and is needed once in a directory's life.
    from alembic import command
    from alembic.config import Config

    migrations = Path(__file__).parent / "migrations"
    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
