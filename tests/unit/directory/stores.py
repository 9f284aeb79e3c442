"""The two kinds of database that a directory can be in, empty for each test."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.postgresql import PostgreSql

_NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def postgresql_directories() -> Iterator[PostgreSql]:
    """A server with a role of its own for directories, and a template that is migrated already."""
    from maysend.directory import Directory

    with PostgreSql() as server:
        server.execute("CREATE ROLE maysend LOGIN CREATEDB PASSWORD 'dir-pw'")
        server.execute("CREATE DATABASE template_directory OWNER maysend")
        Directory.open(postgresql_url(server, "template_directory")).close()
        yield server


def postgresql_url(server: PostgreSql, database: str) -> str:
    return f"postgresql://maysend:dir-pw@127.0.0.1:{server.port}/{database}"


def empty_postgresql(server: PostgreSql, *, migrated: bool = True) -> str:
    """The URL of a new database."""
    name = f"directory_{os.getpid()}_{next(_NUMBERS)}"
    template = " TEMPLATE template_directory" if migrated else ""
    server.execute(f"CREATE DATABASE {name} OWNER maysend{template}")
    return postgresql_url(server, name)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.needs_postgresql)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty directory, in each kind of database in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'd.db'}"
    return empty_postgresql(request.getfixturevalue("postgresql_directories"))


in_a_file = pytest.mark.parametrize("store", ["sqlite"], indirect=True)
"""For tests that look at the file, or move the clock that an on-demand watch goes by."""
