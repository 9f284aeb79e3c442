"""S3.5: socketmap: and tcp: when their server is down, slow, restarted, or talks nonsense."""

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maysend.tables import TableContext, TableError, open_table
from maysend.tables.connections import MOST_CONNECTIONS
from maysend.tables.endpoint import Endpoint
from maysend.tables.socketmap import SocketmapTable
from maysend.tables.table import LookupTable
from maysend.tables.tcp import TcpTable, percent_decoded, percent_encoded
from tests.servers.socketmap_server import netstring, socketmap_server
from tests.servers.stream_server import StreamServer
from tests.servers.tcp_table_server import tcp_table_server

TIMEOUT = 1.5


class Asked(NamedTuple):
    """A server that finds every key, and a table that asks it."""

    server: StreamServer
    table: LookupTable


def answer_socketmap(request: bytes) -> bytes:
    return netstring(b"OK found " + request)


def answer_tcp(request: bytes) -> bytes:
    return b"200 found " + request + b"\n"


@pytest.fixture(params=["socketmap", "tcp"])
def asked(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Asked]:
    if request.param == "tcp":
        server = tcp_table_server(answer_tcp)
        endpoint = Endpoint(host="127.0.0.1", port=str(server.port))
        table: LookupTable = TcpTable("tcp:test", endpoint, timeout=TIMEOUT)
    else:
        server = socketmap_server(answer_socketmap, tmp_path / "socket")
        endpoint = Endpoint(path=str(tmp_path / "socket"))
        table = SocketmapTable("socketmap:test", endpoint, "owners", timeout=TIMEOUT)
    with server:
        yield Asked(server, table)


@pytest.mark.parametrize("kind", ["socketmap", "tcp"])
def test_s5_2_the_request_as_sent(kind: str, tmp_path: Path) -> None:
    if kind == "tcp":
        server = tcp_table_server(answer_tcp)
        spec, sent = f"tcp:127.0.0.1:{server.port}", "get a%20b"
    else:
        server = socketmap_server(answer_socketmap, tmp_path / "socket")
        spec, sent = f"socketmap:unix:{tmp_path}/socket:owners", "owners a b"
    steps: list[tuple[str, str]] = []
    context = TableContext(trace=lambda step: steps.append((step.what, step.text)))
    with server:
        open_table(spec, context).lookup("a b")
    assert ("request", sent) in steps
    assert any(what == "reply" and "found" in text for what, text in steps)


def failure(table: LookupTable) -> TableError:
    with pytest.raises(TableError) as caught:
        table.lookup("key")
    return caught.value


def test_one_connection_serves_many_questions(asked: Asked) -> None:
    for _ in range(20):
        assert asked.table.lookup("key")
    assert asked.server.connections == 1


def test_a_dead_server_is_an_error_at_once_until_it_is_back(asked: Asked) -> None:
    assert asked.table.lookup("key")
    asked.server.stop()
    start = time.monotonic()
    assert failure(asked.table).kind == "retry"
    assert failure(asked.table).kind == "retry"
    assert time.monotonic() - start < TIMEOUT

    asked.server.start()
    assert asked.table.lookup("key")


def test_a_restart_between_two_questions_is_not_noticed(asked: Asked) -> None:
    assert asked.table.lookup("key")
    asked.server.stop()
    asked.server.start()
    assert asked.table.lookup("key")
    asked.server.disconnect()
    assert asked.table.lookup("key")


def test_a_slow_server_is_an_error_within_the_timeout(asked: Asked) -> None:
    usual = asked.server.answer
    asked.server.answer = lambda request: time.sleep(2 * TIMEOUT) or b""
    start = time.monotonic()
    assert failure(asked.table).kind == "retry"
    assert time.monotonic() - start < 1.5 * TIMEOUT
    asked.server.answer = usual
    assert asked.table.lookup("key")


def test_a_server_that_hangs_up_is_asked_twice_and_no_more(asked: Asked) -> None:
    asked.server.answer = lambda request: None
    assert failure(asked.table).kind == "retry"
    assert len(asked.server.requests) == 2


@pytest.mark.parametrize(
    "octets",
    [b"x\n", b"x" * 5000, b"999999999:", b"\n", b":,", b"99999999999999999999999", b"3:abc;"],
)
def test_nonsense_is_an_error_and_never_not_found(asked: Asked, octets: bytes) -> None:
    asked.server.answer = lambda request: octets
    assert failure(asked.table).kind == "retry"


def test_a_late_answer_is_never_taken_for_the_next_one(asked: Asked) -> None:
    usual = asked.server.answer

    def late(request: bytes) -> bytes | None:
        if request.endswith(b"slow"):
            time.sleep(1.5 * TIMEOUT)
        return usual(request)

    asked.server.answer = late
    with pytest.raises(TableError):
        asked.table.lookup("slow")
    assert str(asked.table.lookup("quick")).endswith("quick")


def test_threads_get_connections_of_their_own_up_to_a_bound(asked: Asked) -> None:
    usual, hold = asked.server.answer, threading.Event()
    asked.server.answer = lambda request: usual(request) if hold.wait(5) else None
    slow = type(asked.table).__new__(type(asked.table))
    slow.__dict__.update(asked.table.__dict__, _timeout=5.0)
    threads = [threading.Thread(target=slow.lookup, args=("k",)) for _ in range(MOST_CONNECTIONS)]
    for thread in threads:
        thread.start()
    give_up = time.monotonic() + 5
    while len(asked.server.requests) < MOST_CONNECTIONS and time.monotonic() < give_up:
        time.sleep(0.01)
    start = time.monotonic()
    assert f"all {MOST_CONNECTIONS} connections are in use" in str(failure(slow))
    assert time.monotonic() - start < 0.5
    hold.set()
    for thread in threads:
        thread.join()
    assert asked.server.connections == MOST_CONNECTIONS
    assert slow.lookup("key")


@pytest.mark.parametrize(("reply", "kind"), [(b"TEMP x", "retry"), (b"PERM x", "config")])
def test_socketmap_says_whether_somebody_has_to_mend_it(
    tmp_path: Path, reply: bytes, kind: str
) -> None:
    with socketmap_server(lambda request: netstring(reply), tmp_path / "socket"):
        table = SocketmapTable("socketmap:x", Endpoint(path=str(tmp_path / "socket")), "n")
        assert failure(table).kind == kind


@given(st.binary())
def test_percent_encoding_is_undone(octets: bytes) -> None:
    assert percent_decoded(percent_encoded(octets)) == octets
    assert percent_encoded(octets).isascii()


@given(st.binary())
def test_percent_decoding_fails_in_one_way_only(octets: bytes) -> None:
    with contextlib.suppress(ValueError):
        percent_decoded(octets)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("inet:h:25", Endpoint(host="h", port="25")),
        ("inet:[::1]:25", Endpoint(host="::1", port="25")),
        ("inet::25", Endpoint(host="localhost", port="25")),
        ("unix:/a:b", Endpoint(path="/a:b")),
    ],
)
def test_endpoints(text: str, wanted: Endpoint) -> None:
    assert Endpoint.parse(text, "x") == wanted


@pytest.mark.parametrize("text", ["", "inet:", "unix:", "udp:h:1", "h", "inet:[::1:25", "inet:h:"])
def test_wrong_endpoints_are_config_errors(text: str) -> None:
    with pytest.raises(TableError) as caught:
        Endpoint.parse(text, "socketmap:x")
    assert caught.value.kind == "config"
