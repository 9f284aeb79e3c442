"""Which server of an SQL table is asked, without any server."""

from collections.abc import Callable

import pytest

from maysend.tables import TableError
from maysend.tables.sql_servers import (
    Host,
    QueryRefusedError,
    SqlServers,
    UnreachableError,
    Waiting,
)

SOCKET = Host("/socket", "", True, "unix:/socket")
ONE = Host("one", "", False, "one")
TWO = Host("two", "", False, "two")


class Connection:
    def __init__(self, host: Host) -> None:
        self.host = host

    def close(self) -> None:
        """Nothing is open."""


class Servers:
    """Servers that are up or down as the test says."""

    def __init__(self, *hosts: Host, retry: int = 60) -> None:
        self.down: set[Host] = set()
        self.connects: list[Host] = []
        self.servers = SqlServers("mysql:x", hosts, self._connect, Waiting(5, retry, 60))

    def _connect(self, host: Host) -> Connection:
        self.connects.append(host)
        if host in self.down:
            raise UnreachableError("is down")
        return Connection(host)

    def asked(self, question: Callable[[Connection], Host] = lambda c: c.host) -> Host:
        return self.servers.ask(question)


def test_a_socket_comes_first() -> None:
    assert all(Servers(ONE, SOCKET, TWO).asked() == SOCKET for _ in range(20))


def test_chance_decides_between_equals() -> None:
    assert {Servers(ONE, TWO).asked() for _ in range(60)} == {ONE, TWO}


def test_the_server_that_answers_is_kept() -> None:
    servers = Servers(ONE, TWO)
    assert len({servers.asked() for _ in range(20)}) == 1
    assert len(servers.connects) == 1


def test_a_failed_server_rests_while_another_answers() -> None:
    servers = Servers(SOCKET, ONE)
    servers.down = {SOCKET}
    assert [servers.asked() for _ in range(5)] == [ONE] * 5
    assert servers.connects == [SOCKET, ONE]


def test_all_down_then_one_probe_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("maysend.tables.sql_servers.time.monotonic", lambda: now[0])
    servers = Servers(SOCKET, ONE)
    servers.down = {SOCKET, ONE}
    with pytest.raises(TableError, match=r"unix:/socket: is down; one: is down"):
        servers.asked()
    for _ in range(10):
        with pytest.raises(TableError, match="waiting"):
            servers.asked()
    assert len(servers.connects) == 2
    now[0] += 1.1
    servers.down = set()
    assert servers.asked() in (SOCKET, ONE)
    assert len(servers.connects) == 3


def test_a_refused_query_is_put_to_the_next_and_nobody_rests() -> None:
    servers = Servers(ONE, TWO)

    def refused_by_one(connection: Connection) -> Host:
        if connection.host == ONE:
            raise QueryRefusedError("no such column")
        return connection.host

    def refused(_: Connection) -> Host:
        raise QueryRefusedError("no such column")

    assert servers.asked(refused_by_one) == TWO
    for _ in range(3):
        with pytest.raises(TableError, match=r"no such column.*no such column") as error:
            servers.asked(refused)
        assert error.value.kind == "retry"
    assert servers.asked() in (ONE, TWO)
