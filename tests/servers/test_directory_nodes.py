"""S5.4: several nodes on one PostgreSQL; one that is cut off; suspension within a second."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from maysend.directory import Directory
from maysend.policy import Policy, Request
from maysend.tables.table import TableError
from tests.servers.postgresql import PostgreSql
from tests.unit.directory.conftest import open_directory_table
from tests.unit.directory.stores import empty_postgresql, postgresql_directories

__all__ = ["postgresql_directories"]

pytestmark = pytest.mark.needs_postgresql

BOB, ALICE = "bob@example.com", "alice@example.com"


@pytest.fixture
def url(postgresql_directories: PostgreSql) -> str:
    made = empty_postgresql(postgresql_directories)
    with Directory.open(made) as directory:
        for number in range(20):
            directory.accounts.add(f"user{number}@example.com")
        directory.accounts.add(BOB)
    return made


@pytest.fixture
def node(url: str) -> Iterator[Directory]:
    with Directory.open(url, create=False) as opened:
        yield opened


def test_suspension_counts_on_three_nodes_under_load_within_a_second(url: str) -> None:
    """S5.4. The measured times are printed: pytest -s."""
    program = str(Path(__file__).with_name("node.py"))
    nodes = [
        subprocess.Popen(
            [sys.executable, program, url, BOB, "4"], stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    for each in nodes:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    time.sleep(0.5)
    with Directory.open(url) as directory:
        directory.accounts.suspend(BOB, "Call 123")
        done = time.time()
    found = [json.loads(each.communicate(timeout=60)[0]) for each in nodes]
    delays = [each["first"] - done for each in found]
    rates = [round(each["decisions"] / 4) for each in found]
    print(f"suspension effective after {max(delays):.3f} s at worst, {rates} decisions/s a node")
    assert all(each["first"] for each in found)
    assert max(delays) < 1
    assert all(each["last"] <= each["first"] for each in found)


def test_change_on_one_node_is_seen_on_the_other(node: Directory, url: str) -> None:
    table = open_directory_table(node, "owners")
    assert table.lookup(BOB) == BOB
    with Directory.open(url) as other:
        other.grants.add("user1@example.com", BOB)
    _wait(lambda: table.lookup(BOB) == f"{BOB},user1@example.com", 1)


def test_nodes_change_at_once_and_nothing_is_lost(url: str) -> None:
    def add(name: str) -> None:
        with Directory.open(url) as directory:
            for number in range(30):
                directory.accounts.add(f"{name}{number}@example.com")
                directory.aliases.add("all@example.com", [f"{name}{number}@example.com"])

    threads = [threading.Thread(target=add, args=(name,)) for name in ("a", "b", "c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with Directory.open(url) as directory:
        assert len(directory.accounts.list()) == 21 + 90
        assert len(directory.owners("all@example.com").logins) == 90
        assert len(directory.trail()) == 21 + 180


def test_node_that_is_cut_off_defers_within_a_second_and_comes_back(
    node: Directory, postgresql_directories: PostgreSql
) -> None:
    """A partition drops packets and closes no sockets: nothing answers, nothing is closed."""
    table = open_directory_table(node, "owners")
    policy = Policy.builtin(node.table_types())
    request = Request(sasl_username=BOB, sasl_method="PLAIN", sender=BOB, recipient="x@example.net")
    assert policy.decide(request).reply is None
    postgresql_directories.freeze()
    try:
        cut = time.monotonic()
        began = time.monotonic()
        with pytest.raises(TableError) as error:
            table.lookup("never@asked.example")
        assert time.monotonic() - began < 1
        assert error.value.kind == "retry"
        time.sleep(max(0.0, cut + 1.5 - time.monotonic()))
        for _ in range(3):
            began = time.monotonic()
            reply = policy.decide(request).reply
            assert time.monotonic() - began < 1
            assert reply is not None
            assert reply.code == 451  # never from a cache that may be stale
    finally:
        postgresql_directories.thaw()
    _wait(lambda: policy.decide(request).reply is None, 3)


def test_many_threads_of_a_node_that_is_cut_off_wait_no_longer_than_one(
    node: Directory, postgresql_directories: PostgreSql
) -> None:
    table = open_directory_table(node, "owners")
    table.lookup(BOB)
    took: list[float] = []

    def ask(number: int) -> None:
        began = time.monotonic()
        with pytest.raises(TableError):
            table.lookup(f"cold{number}@asked.example")
        took.append(time.monotonic() - began)

    postgresql_directories.freeze()
    try:
        threads = [threading.Thread(target=ask, args=(number,)) for number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    finally:
        postgresql_directories.thaw()
    assert len(took) == 20
    assert max(took) < 2


def test_server_that_is_restarted_is_found_again(
    node: Directory, postgresql_directories: PostgreSql
) -> None:
    table = open_directory_table(node, "owners")
    assert table.lookup(BOB) == BOB
    postgresql_directories.stop()
    _wait(lambda: _fails(lambda: table.lookup(BOB)), 2)
    postgresql_directories.start()
    _wait(lambda: not _fails(lambda: table.lookup(BOB)), 5)
    node.accounts.add(ALICE)
    assert table.lookup(ALICE) == ALICE


def test_error_names_the_database_and_never_its_password(
    postgresql_directories: PostgreSql,
) -> None:
    made = empty_postgresql(postgresql_directories)
    with Directory.open(made) as directory:
        postgresql_directories.stop()
        try:
            with pytest.raises(Exception, match="postgresql database directory_") as error:
                directory.accounts.list()
            assert "dir-pw" not in str(error.value)
        finally:
            postgresql_directories.start()


def _fails(ask: Callable[[], object]) -> bool:
    try:
        ask()
    except TableError:
        return True
    return False


def _wait(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            if condition():
                return
        except TableError:
            pass
        assert time.monotonic() < deadline
        time.sleep(0.02)
