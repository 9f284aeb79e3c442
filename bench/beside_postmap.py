"""Asks one table the same keys through this program and through postmap -q -, and compares both.

Times are CPU time a key, in microseconds: the machine may do other things meanwhile. Of ours it is
the lookups in this process, the first use of every pattern included, from the key to the answer;
of postmap that of the whole run, less that of a run without keys. Opening counts for neither.
The answers have to be the same.
"""

import os
import resource
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from maysend.tables import LookupTable, TableContext, open_table

KEYS = int(os.environ.get("MAYSEND_BENCH_KEYS", "200000"))
_SHORT = 1.0  # seconds; what takes less is measured three times, and the best counts


class Measured(NamedTuple):
    """Microseconds a key, and seconds to open the table."""

    ours: float
    peer: float | None
    our_start: float
    keys_of_peer: int

    def line(self, name: str) -> str:
        """NAME ours=… peer=… ratio=…"""
        note = "" if self.keys_of_peer == KEYS else f" (peer: {self.keys_of_peer} of the keys)"
        if self.peer is None:
            return f"{name} ours={self.ours:.2f} peer=none ratio=none"
        return (
            f"{name} ours={self.ours:.2f} peer={self.peer:.2f} ratio={self.peer / self.ours:.1f}"
            f" opened in {self.our_start:.2f} s{note}"
        )


def measure(spec: str, keys: Sequence[str], directory: Path, keys_of_peer: int = KEYS) -> Measured:
    """Ask `spec` all `keys` here, and the first `keys_of_peer` of them through postmap."""
    started = time.process_time()
    table = open_table(spec, TableContext(asked_by="postmap"))
    our_start = time.process_time() - started
    ours = _ours(table, spec, keys)
    answers = {key: table.lookup(key) for key in keys[:keys_of_peer]}
    peer = _peer(spec, keys[:keys_of_peer], directory, answers)
    return Measured(ours, peer, our_start, min(keys_of_peer, len(keys)))


def _ours(table: LookupTable, spec: str, keys: Sequence[str]) -> float:
    best = _pass(table, keys)
    if best < _SHORT:
        again = [open_table(spec, TableContext(asked_by="postmap")) for _ in range(2)]
        best = min(best, *(_pass(table, keys) for table in again))
    return best / len(keys) * 1e6


def _pass(table: LookupTable, keys: Sequence[str]) -> float:
    lookup = table.lookup
    started = time.process_time()
    for key in keys:
        lookup(key)
    return time.process_time() - started


def _peer(
    spec: str, keys: Sequence[str], directory: Path, answers: dict[str, str | None]
) -> float | None:
    postmap = shutil.which("postmap") or shutil.which("postmap", path="/usr/sbin")
    if postmap is None:
        return None
    (directory / "main.cf").write_text("compatibility_level = 3.6\n")
    command = [postmap, "-c", str(directory), "-q", "-", spec]
    expected = "".join(f"{key}\t{answers[key]}\n" for key in keys if answers[key] is not None)
    seconds, output = _run(command, "".join(f"{key}\n" for key in keys))
    if output != expected:
        raise SystemExit(f"{spec}: postmap answers something else")
    start, _ = _run(command, "")
    if seconds < _SHORT:
        again = [_run(command, "".join(f"{key}\n" for key in keys))[0] for _ in range(4)]
        seconds = min(seconds, *again)
        start = min(start, *(_run(command, "")[0] for _ in range(4)))
    return (seconds - start) / len(keys) * 1e6


def _run(command: Sequence[str], keys: str) -> tuple[float, str]:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, input=keys.encode(), capture_output=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, done.stdout.decode()
