"""The load generator in load/load.c: compiled when it is first needed, run, and read.

It never sleeps, so it has a processor for itself: else whoever is asked may be put on the same one
and wait until the generator has had its turn, 4 ms where Linux looks 250 times a second.
"""

import os
import shutil
import struct
import subprocess
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import NamedTuple

SOURCE = Path(__file__).parent / "load" / "load.c"


class Load(NamedTuple):
    """What one run measured. `latency_…` are microseconds.

    `busy` is the share of the time in which the generator had something to do: with less than 1 it
    was not the limit.
    """

    rate: float
    latency_50: float
    latency_99: float
    longest: float
    busy: float
    answers: dict[str, int]


def leave_a_processor() -> int:
    """The processor for the generator: off it this process is kept, and what it starts from now on.

    Where there is one only, all share it.
    """
    own = max(os.sched_getaffinity(0))
    others = os.sched_getaffinity(0) - {own}
    if others:
        os.sched_setaffinity(0, others)
    return own


class LoadGenerator:
    """Asks `questions` on unix sockets, from `processor`; `folder` takes program and questions."""

    def __init__(self, folder: Path, questions: Iterable[bytes], end: str, processor: int) -> None:
        self._processor = processor
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            raise SystemExit("the load generator is C: install gcc")
        self._program = folder / "load"
        if not self._program.exists():
            subprocess.run([compiler, "-O2", "-o", self._program, SOURCE], check=True)
        self._file = folder / f"questions-{id(self)}"
        with self._file.open("wb") as file:
            for question in questions:
                file.write(struct.pack(">I", len(question)) + question)
        self._end = end

    def run(self, path: Path, connections: int, seconds: float, rate: float = 0) -> Load:
        """Ask for so long (0: each question once), as fast as answers come or `rate` a second."""
        command = [self._program, path, connections, seconds, rate, self._end, self._file]
        said = subprocess.run(
            list(map(str, command)),
            check=True,
            capture_output=True,
            text=True,
            preexec_fn=partial(os.sched_setaffinity, 0, {self._processor}),
        ).stdout.split()
        answered, lasted, p50, p99, longest, busy = map(float, said[:6])
        answers = {word.rpartition(":")[0]: int(word.rpartition(":")[2]) for word in said[6:]}
        return Load(answered / lasted, p50, p99, longest, busy / lasted, answers)
