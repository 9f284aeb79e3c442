"""The load generator in load/load.c: compiled when it is first needed, run, and read."""

import shutil
import struct
import subprocess
from collections.abc import Iterable
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


class LoadGenerator:
    """Asks `questions` on unix sockets. `folder` takes the program and the questions."""

    def __init__(self, folder: Path, questions: Iterable[bytes], end: str) -> None:
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
            list(map(str, command)), check=True, capture_output=True, text=True
        ).stdout.split()
        answered, lasted, p50, p99, longest, busy = map(float, said[:6])
        answers = {word.rpartition(":")[0]: int(word.rpartition(":")[2]) for word in said[6:]}
        return Load(answered / lasted, p50, p99, longest, busy / lasted, answers)
