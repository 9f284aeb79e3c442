"""Which kind of database an URL names."""

import os
from pathlib import Path

from maysend.directory.database import Database
from maysend.directory.errors import DirectoryError
from maysend.directory.sqlite_database import SqliteDatabase, create_private_file

SQLITE_PREFIX = "sqlite:///"
POSTGRESQL_PREFIXES = ("postgresql://", "postgres://", "postgresql+psycopg://")
EXPECTED = "expected sqlite:///FILE, a file name or postgresql://USER@HOST/DATABASE"


def open_database(url: str | Path, *, create: bool) -> Database:
    """The database at `url`, migrated to the newest schema.

    DirectoryError where the URL is none, the file is missing and `create` is false, or it holds
    something else; DirectoryUnavailable where it can't be read.
    """
    database = _postgresql(str(url)) if is_postgresql(url) else _sqlite(url, create)
    try:
        database.migrate()
    except BaseException:
        database.close()
        raise
    return database


def is_postgresql(url: str | Path) -> bool:
    """Whether `url` names a database in PostgreSQL."""
    return os.fspath(url).startswith(POSTGRESQL_PREFIXES)


def sqlite_path(url: str | Path) -> Path:
    """The file that `url` names. DirectoryError for an URL of anything but SQLite."""
    text = os.fspath(url)
    if text.startswith(SQLITE_PREFIX):
        text = text.removeprefix(SQLITE_PREFIX)
    elif "://" in text or text.startswith("sqlite:"):
        # The rest of an URL may hold a password.
        scheme = text.partition(":")[0]
        raise DirectoryError(f"a directory at '{scheme}:…' is not supported, {EXPECTED}")
    if not text or "\0" in text:
        raise DirectoryError(f"no file is named, {EXPECTED}")
    return Path(text)


def _sqlite(url: str | Path, create: bool) -> Database:
    path = sqlite_path(url)
    if not path.exists():
        if not create:
            raise DirectoryError(
                f"there is no directory at {path}: the first `maysend account add` makes it"
            )
        create_private_file(path)
    return SqliteDatabase(path)


def _postgresql(url: str) -> Database:
    # The driver is an extra.
    from maysend.directory.postgresql_database import PostgresqlDatabase

    return PostgresqlDatabase(url)
