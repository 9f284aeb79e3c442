"""S5.4: three `maysend serve` on one PostgreSQL, asked without pause: suspension and partition."""

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from maysend.directory import Directory
from tests.servers.policy_client import PolicyClient
from tests.servers.postgresql import PostgreSql
from tests.servers.serving import Serving, serving
from tests.unit.directory.stores import empty_postgresql, postgresql_directories

__all__ = ["postgresql_directories"]

pytestmark = pytest.mark.needs_postgresql

BOB = "bob@example.com"
SUSPENDED = "554 5.7.1 Call 123"
UNKNOWN = "451 4.3."
CLIENTS = 2
"""Of each node."""


class Load:
    """Clients of several nodes that ask whether a login may send, over and over.

    `answers` are when each came, how long it took, and what it was. Every other question is about a
    sender that nobody has asked for before, so that remembered and unknown answers are both there.
    """

    def __init__(self, nodes: list[Serving]) -> None:
        self.answers: list[tuple[float, float, str]] = []
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._ask, args=(node, number))
            for node in nodes
            for number in range(CLIENTS)
        ]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    def since(self, moment: float) -> list[tuple[float, float, str]]:
        return [answer for answer in self.answers if answer[0] >= moment]

    def _ask(self, node: Serving, number: int) -> None:
        tags = itertools.count()
        with PolicyClient(node.folder / "policy") as client:
            while not self._stop.is_set():
                tag = next(tags)
                sender = f"bob+{number}.{tag}@example.com" if tag % 2 else BOB
                began = time.monotonic()
                answer = client.ask(sasl_username=BOB, sender=sender, recipient="x@example.net")
                now = time.monotonic()
                self.answers.append((now, now - began, answer))


@pytest.fixture
def url(postgresql_directories: PostgreSql) -> str:
    made = empty_postgresql(postgresql_directories)
    with Directory.open(made) as directory:
        directory.accounts.add(BOB)
    return made


@pytest.fixture
def nodes(url: str, tmp_path: Path) -> Iterator[list[Serving]]:
    with ExitStack() as stack:
        started = []
        for number in range(3):
            folder = tmp_path / str(number)
            folder.mkdir()
            text = (
                f'directory = "{url}"\nworkers = 1\n[[listener]]\nkind = "policy"\n'
                f'address = "unix:{folder}/policy"\n'
            )
            started.append(stack.enter_context(serving(folder, text)))
        yield started


def test_suspension_counts_on_every_node_within_a_second(nodes: list[Serving], url: str) -> None:
    """S5.4. The figures are printed: pytest -s."""
    worst = 0.0
    with Load(nodes) as load, Directory.open(url) as directory:
        time.sleep(2)
        for _ in range(3):
            directory.accounts.suspend(BOB, "Call 123")
            suspended = time.monotonic()
            time.sleep(1.5)
            permitted = [when for when, _, answer in load.since(suspended) if answer == "DUNNO"]
            worst = max(worst, max(permitted, default=suspended) - suspended)
            later = {answer for _, _, answer in load.since(suspended + 1)}
            assert later == {SUSPENDED}
            directory.accounts.resume(BOB)
            time.sleep(1.5)
            assert load.answers[-1][2] == "DUNNO"
    rate = len(load.answers) / 11
    print(f"suspended on 3 nodes after {worst:.3f} s at worst, {rate:.0f} answers/s in all")
    assert worst < 1


def test_nodes_that_are_cut_off_defer_and_come_back(
    nodes: list[Serving], postgresql_directories: PostgreSql
) -> None:
    """S5.4: packets are dropped, no socket is closed; never an answer that may be stale."""
    with Load(nodes) as load:
        time.sleep(2)
        postgresql_directories.freeze()
        cut = time.monotonic()
        try:
            time.sleep(4)
        finally:
            postgresql_directories.thaw()
        thawed = time.monotonic()
        time.sleep(4)
    during = load.since(cut)
    stale = [when for when, _, answer in during if answer == "DUNNO" and when < thawed]
    slowest = max(took for when, took, _ in during if when < thawed)
    back = min(when for when, _, answer in load.since(thawed) if answer == "DUNNO") - thawed
    print(
        f"cut off: last permit after {max(stale, default=cut) - cut:.3f} s, slowest answer "
        f"{slowest:.3f} s, back after {back:.3f} s"
    )
    assert max(stale, default=cut) - cut < 1.5
    assert slowest < 1.5
    answers = {answer for _, _, answer in load.answers}
    assert {answer for answer in answers if not answer.startswith(UNKNOWN)} == {"DUNNO"}
    assert any(answer.startswith(UNKNOWN) for _, _, answer in during)
    assert {answer for _, _, answer in load.answers[-20:]} == {"DUNNO"}
