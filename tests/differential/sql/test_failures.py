"""What a lookup answers while a server is down, slow, restarted, or does not want us.

Never "not found", always a temporary error in time, and back to normal by itself.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from maysend.tables import LookupTable, TableContext, TableError, open_table
from maysend.tables.sql_servers import MOST_CONNECTIONS
from tests.differential.sql.client_files import PASSWORD, socket_of, spec_of, written
from tests.servers.mariadb import MariaDb
from tests.servers.postgresql import PostgreSql

QUERY = "SELECT login FROM owners WHERE address = '%s'"
KEY = "user1@example.com"

Open = Callable[..., LookupTable]


@pytest.fixture
def opened(server: MariaDb | PostgreSql, tmp_path: Path) -> Open:
    """Opens a table on the server with the parameters that it is given."""

    def open_it(**parameters: str) -> LookupTable:
        spec = written(tmp_path / "table.cf", server, {"query": QUERY} | parameters)
        return open_table(spec, TableContext())

    return open_it


def failure(table: LookupTable, key: str = KEY) -> str:
    """Why the lookup fails; that it may work later, and shows no secret."""
    with pytest.raises(TableError) as error:
        table.lookup(key)
    assert error.value.kind == "retry"
    assert PASSWORD not in str(error.value)
    return error.value.reason


def answer_in(table: LookupTable, seconds: float) -> str | None:
    """The answer, which may take some time to come back to normal."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return table.lookup(KEY)
        except TableError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def test_down_then_up(server: MariaDb | PostgreSql, opened: Open) -> None:
    table = opened()
    server.stop()
    start = time.monotonic()
    assert "connect" in failure(table)
    assert "waiting before the next try" in failure(table)
    assert time.monotonic() - start < 1
    server.start()
    assert answer_in(table, 3) == "login1"


def test_down_after_it_answered(server: MariaDb | PostgreSql, opened: Open) -> None:
    table = opened()
    assert table.lookup(KEY) == "login1"
    server.stop()
    assert "connect" in failure(table)
    server.start()
    assert answer_in(table, 3) == "login1"


def test_a_restart_is_not_noticed(server: MariaDb | PostgreSql, opened: Open) -> None:
    table = opened()
    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(table.lookup, [KEY] * 40)) == {"login1"}
        server.stop()
        server.start()
        assert set(threads.map(table.lookup, [KEY] * 40)) == {"login1"}


def test_a_server_that_hangs_costs_no_more_than_the_timeout(
    server: MariaDb | PostgreSql, opened: Open
) -> None:
    table = opened(timeout="1")
    assert table.lookup(KEY) == "login1"
    server.freeze()
    try:
        start = time.monotonic()
        failure(table)
        assert 0.9 < time.monotonic() - start < 2
        time.sleep(1.1)
        start = time.monotonic()
        failure(table)  # tries to connect anew
        assert time.monotonic() - start < 2
        start = time.monotonic()
        failure(table)  # nobody waits twice
        assert time.monotonic() - start < 0.5
    finally:
        server.thaw()
    assert answer_in(table, 5) == "login1"


def test_a_slow_query_fails_in_time(server: MariaDb | PostgreSql, opened: Open) -> None:
    sleep = "SELECT SLEEP(5)" if isinstance(server, MariaDb) else "SELECT pg_sleep(5)"
    start = time.monotonic()
    failure(opened(query=sleep, timeout="1"))
    assert time.monotonic() - start < 2.5


def test_a_full_pool_answers_at_once(server: MariaDb | PostgreSql, opened: Open) -> None:
    sleep = "SELECT SLEEP(3), 'x'" if isinstance(server, MariaDb) else "SELECT pg_sleep(3), 'x'"
    table = opened(query=sleep)
    with ThreadPoolExecutor(MOST_CONNECTIONS) as threads:
        waiting = [threads.submit(table.lookup, KEY) for _ in range(MOST_CONNECTIONS)]
        time.sleep(1.5)
        start = time.monotonic()
        assert "connections are in use" in failure(table)
        assert time.monotonic() - start < 0.5
        assert all((found.result() or "").endswith("x") for found in waiting)


def test_wrong_password(opened: Open) -> None:
    table = opened(password="wrong-" + PASSWORD)
    assert "postfix" in failure(table)
    assert PASSWORD not in repr(table)


@pytest.mark.parametrize("query", ["SELECT nothing FROM nowhere", "SELEC", "SELECT '%s", "%%"])
def test_bad_query(opened: Open, query: str) -> None:
    table = opened(query=query)
    for _ in range(3):
        assert "waiting" not in failure(table)  # the server itself is well


def test_a_key_that_the_query_can_not_take_harms_no_other(
    server: MariaDb | PostgreSql, opened: Open
) -> None:
    if isinstance(server, MariaDb):
        table = opened(query="SELECT login FROM owners WHERE address = '%u' OR nr = POW(%u, 999)")
    else:
        table = opened(query="SELECT login FROM owners WHERE nr = '%s'")
    failure(table, "9" if isinstance(server, MariaDb) else "x")
    good = "1" if isinstance(server, PostgreSql) else "0"
    assert table.lookup(good) in ("login1", "login0")


def test_over_the_expansion_limit(opened: Open) -> None:
    table = opened(query="SELECT login FROM owners", expansion_limit="19")
    assert "expansion limit exceeded" in failure(table)
    table = opened(query="SELECT login FROM owners", expansion_limit="20")
    assert len((table.lookup(KEY) or "").split(",")) == 20


@pytest.mark.parametrize("dead", ["unix:/none", "127.0.0.1:1", "host.invalid", "inet:127.0.0.1:2"])
def test_the_next_server_answers(server: MariaDb | PostgreSql, opened: Open, dead: str) -> None:
    for living in (socket_of(server), f"127.0.0.1:{server.port}"):
        table = opened(hosts=f"{dead} {living}")
        assert [table.lookup(KEY) for _ in range(20)] == ["login1"] * 20


def test_no_server_is_needed_for_a_key_that_is_not_asked(opened: Open) -> None:
    table = opened(hosts="unix:/none", domain="example.org")
    assert table.lookup(KEY) is None
    assert table.lookup("user1") is None
    failure(table, "a@example.org")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("dbname", ""), ("query", "SELECT '%z'"), ("result_format", ""), ("expansion_limit", "x"),
        ("timeout", "never"), ("retry_interval", "-1"), ("query", ""),
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_named(
    server: MariaDb | PostgreSql, tmp_path: Path, name: str, value: str
) -> None:
    spec = written(tmp_path / "table.cf", server, {"query": QUERY, name: value})
    with pytest.raises(TableError) as error:
        open_table(spec, TableContext(asked_by="postmap"))
    assert error.value.kind == "config"
    assert {"query": "query" if value else "select_field"}.get(name, name) in error.value.reason
    assert PASSWORD not in str(error.value)


@pytest.mark.needs_postgresql
def test_s4_4_a_connection_uri_shows_no_password(postgresql: PostgreSql, tmp_path: Path) -> None:
    for uri in (
        f"postgresql://postfix:{PASSWORD}@127.0.0.1:1/mail",
        f"postgresql://postfix:{PASSWORD}@127.0.0.1:{PASSWORD}/mail?x=y",
        f"postgresql:/{PASSWORD}",
    ):
        spec = written(tmp_path / "table.cf", postgresql, {"query": QUERY, "hosts": uri})
        failure(open_table(spec, TableContext()))


@pytest.mark.needs_postgresql
def test_s4_4_a_connection_uri_connects(postgresql: PostgreSql, tmp_path: Path) -> None:
    uri = f"postgresql://postfix:{PASSWORD}@127.0.0.1:{postgresql.port}/postgres"
    parameters = {"query": "SELECT current_database()", "hosts": uri, "user": "", "password": ""}
    table = open_table(written(tmp_path / "table.cf", postgresql, parameters), TableContext())
    assert table.lookup(KEY) == "postgres"


def test_a_missing_driver_says_what_to_install(
    server: MariaDb | PostgreSql, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maysend.tables.mysql.MariadbLibrary", _missing)
    monkeypatch.setitem(__import__("sys").modules, "maysend.tables.libpq", None)
    wanted = {"mysql": "apt install libmariadb3", "pgsql": "pip install 'maysend[pgsql]'"}
    assert wanted[spec_of(server)] in failure(opened())


def _missing() -> None:
    raise OSError("cannot open shared object file")


def test_s5_2_the_query_as_sent_and_no_password(
    server: MariaDb | PostgreSql, tmp_path: Path
) -> None:
    spec = written(tmp_path / "table.cf", server, {"query": QUERY, "result_format": "<%s>"})
    steps: list[tuple[str, str]] = []
    context = TableContext(trace=lambda step: steps.append((step.what, step.text)))
    assert open_table(spec, context).lookup(KEY.upper()) == "<login1>"
    query = f"SELECT login FROM owners WHERE address = '{KEY}'"
    assert steps[-4:] == [
        ("query", query), ("value", '"login1"'), ("formatted", '"<login1>"'),
        ("answer", '"<login1>"'),
    ]  # fmt: skip
    assert "server" in [what for what, _ in steps]
    assert PASSWORD not in str(steps)
