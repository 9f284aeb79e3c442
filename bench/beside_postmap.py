"""Asks one table the same keys through this program and through postmap -q -, and compares both.

Times are CPU time a key, in microseconds. Of ours it is the lookups in this process, from the key
to the answer, through a table that is opened anew for each round, so that the first use of every
pattern counts. Of postmap it is that of the whole run, with keys from a file and answers to a file,
less that of a run without keys. Opening counts for neither; of ours the first 100 lookups belong
to it, after which a small database file is kept in memory, and telling the collector that all of it
stays, as a worker of `maysend serve` does. The answers have to be the same.

The machine may do other things meanwhile, which costs both of them CPU time too (caches, the other
thread of a core). So both take turns, every few thousand keys; a round is all keys, and of several
rounds the median of their ratios counts. Beside it stand the lowest and the highest of them, and
the median ratio of the time on the clock, which depends on who else is running.
"""

import os
import resource
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

from maysend.servers.processes.worker import settle
from maysend.tables import LookupTable, TableContext, open_table

KEYS = int(os.environ.get("MAYSEND_BENCH_KEYS", "200000"))
ROUNDS = int(os.environ.get("MAYSEND_BENCH_ROUNDS", "7"))

_OPENING = 100  # lookups
_SHARES = 8  # of the keys; both sides take turns after each
_LONG = 20.0  # seconds after which no further round is begun


class Cost(NamedTuple):
    """Seconds, of CPU time and on the clock."""

    cpu: float
    wall: float

    def __add__(self, other: object) -> "Cost":
        assert isinstance(other, Cost)
        return Cost(self.cpu + other.cpu, self.wall + other.wall)

    def __sub__(self, other: "Cost") -> "Cost":
        return Cost(self.cpu - other.cpu, self.wall - other.wall)

    def each(self, count: int) -> "Cost":
        """Microseconds for one of `count`."""
        return Cost(self.cpu / count * 1e6, self.wall / count * 1e6)


class Measured(NamedTuple):
    """What a key costs, in microseconds, by round, and the seconds to open the table."""

    ours: Sequence[Cost]
    peer: Sequence[Cost]
    our_start: float
    keys_of_peer: int

    @property
    def our_cost(self) -> float:
        """Microseconds of CPU time a key, of ours."""
        return median(cost.cpu for cost in self.ours)

    def line(self, name: str) -> str:
        """NAME ours=… peer=… ratio=…"""
        if not self.peer:
            return f"{name} ours={self.our_cost:.2f} peer=none ratio=none"
        peer = median(cost.cpu for cost in self.peer)
        rounds = list(zip(self.ours, self.peer, strict=True))
        ratios = [peer.cpu / ours.cpu for ours, peer in rounds]
        wall = median(peer.wall / ours.wall for ours, peer in rounds)
        note = "" if self.keys_of_peer == KEYS else f"; peer: {self.keys_of_peer} of the keys"
        return (
            f"{name} ours={self.our_cost:.2f} peer={peer:.2f} ratio={median(ratios):.2f} "
            f"({len(ratios)} rounds, {min(ratios):.2f} to {max(ratios):.2f}; by the clock "
            f"{wall:.2f}; opened in {self.our_start:.2f} s{note})"
        )


def measure(spec: str, keys: Sequence[str], directory: Path, keys_of_peer: int = KEYS) -> Measured:
    """Ask `spec` all `keys` here, and evenly chosen `keys_of_peer` of them through postmap."""
    keys_of_peer = min(keys_of_peer, len(keys))
    shares = [keys[number::_SHARES] for number in range(_SHARES)]
    asked = [share[: keys_of_peer // _SHARES] for share in shares]
    started = time.process_time()
    table = _opened(spec, keys)
    our_start = time.process_time() - started
    peer = _Peer.found(spec, directory)
    if peer is not None:
        for number, share in enumerate(asked):
            peer.write(number, share)
        peer.check(table, asked)
    ours, theirs = [], []
    began = time.monotonic()
    while len(ours) < ROUNDS and time.monotonic() - began < _LONG:
        mine, others = _round(_opened(spec, keys), shares, peer)
        ours.append(mine.each(len(keys)))
        if peer is not None:
            theirs.append(others.each(sum(map(len, asked))))
    return Measured(ours, theirs, our_start, keys_of_peer)


def _round(
    table: LookupTable, shares: Sequence[Sequence[str]], peer: "_Peer | None"
) -> tuple[Cost, Cost]:
    """All keys, once."""
    ours = theirs = Cost(0, 0)
    for number, share in enumerate(shares):
        ours += _pass(table, share)
        if peer is not None:
            theirs += peer.ask(number) - peer.start()
    return ours, theirs


def _opened(spec: str, keys: Sequence[str]) -> LookupTable:
    table = open_table(spec, TableContext(asked_by="postmap"))
    for key in keys[:_OPENING]:
        table.lookup(key)
    settle()
    return table


def _pass(table: LookupTable, keys: Sequence[str]) -> Cost:
    lookup = table.lookup
    cpu, wall = time.process_time(), time.perf_counter()
    for key in keys:
        lookup(key)
    return Cost(time.process_time() - cpu, time.perf_counter() - wall)


class _Peer:
    """postmap -q -, asked the keys that stand in files of `directory`."""

    def __init__(self, command: Sequence[str], directory: Path) -> None:
        self._command = command
        self._directory = directory
        self._answers = directory / "answers"

    @classmethod
    def found(cls, spec: str, directory: Path) -> "_Peer | None":
        """None where there is no postmap."""
        postmap = shutil.which("postmap") or shutil.which("postmap", path="/usr/sbin")
        if postmap is None:
            return None
        (directory / "main.cf").write_text("compatibility_level = 3.6\n")
        return cls([postmap, "-c", str(directory), "-q", "-", spec], directory)

    def write(self, number: int, keys: Sequence[str]) -> None:
        """Put a share of the keys where ask() finds it."""
        self._keys(number).write_text("".join(f"{key}\n" for key in keys))

    def check(self, table: LookupTable, shares: Sequence[Sequence[str]]) -> None:
        """Both have to answer the same."""
        for number, keys in enumerate(shares):
            self.ask(number)
            answers = ((key, table.lookup(key)) for key in keys)
            expected = "".join(f"{key}\t{answer}\n" for key, answer in answers if answer)
            if self._answers.read_text() != expected:
                raise SystemExit(f"{table.spec}: postmap answers something else")

    def ask(self, number: int) -> Cost:
        """Ask a share of the keys."""
        return self._run(self._keys(number))

    def start(self) -> Cost:
        """Ask no key."""
        return self._run(Path(os.devnull))

    def _keys(self, number: int) -> Path:
        return self._directory / f"keys{number}"

    def _run(self, keys: Path) -> Cost:
        with keys.open("rb") as source, self._answers.open("wb") as target:
            before, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
            subprocess.run(self._command, stdin=source, stdout=target, check=False)
            wall = time.perf_counter() - wall
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return Cost(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall)
