"""One private server of each kind for each pytest worker."""

from collections.abc import Iterator

import pytest

from tests.servers.mariadb import MariaDb
from tests.servers.postgresql import PostgreSql


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDb]:
    with MariaDb() as server:
        yield server


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSql]:
    with PostgreSql() as server:
        yield server
