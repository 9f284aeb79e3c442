"""One private server of each kind for each pytest worker."""

from collections.abc import Iterator

import pytest

from tests.differential.sql.generators import fill
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


@pytest.fixture(
    params=[
        pytest.param("mariadb", marks=pytest.mark.needs_mariadb),
        pytest.param("postgresql", marks=pytest.mark.needs_postgresql),
    ]
)
def server(request: pytest.FixtureRequest) -> MariaDb | PostgreSql:
    """Each server in turn, with a database `mail` that holds the table `owners`."""
    chosen: MariaDb | PostgreSql = request.getfixturevalue(request.param)
    chosen.start()
    fill(chosen, [(f"user{n}@example.com", f"login{n}", None) for n in range(20)])
    return chosen
