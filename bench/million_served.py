"""What bench_directory_million.py measures of whole programs: `serve` and `account list`."""

import os
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.servers.policy_client import PolicyClient
from tests.servers.serving import Serving, start

ACTIVE = 2_000
"""Logins that send during the measurement, of however many there are."""
NEW = 500
"""Logins that send for the first time."""
CLIENTS = 8
ROUNDS = 5
SECONDS = 2.0
"""Of a round; the two directories take turns, so that what else the machine does hits both."""
COMMAND = "from maysend.cli.main import main; main(prog_name='maysend')"


class Served:
    """One `maysend serve` with one worker on a directory, and the logins that it is asked about."""

    def __init__(self, folder: Path, url: str, accounts: int, login: Callable[[int], str]) -> None:
        folder.mkdir()
        began = time.monotonic()
        self.running = start(
            folder,
            f'directory = "{url}"\nworkers = 1\n[[listener]]\nkind = "policy"\n'
            f'address = "unix:{folder}/policy"\n',
        )
        self.running.wait_for(r"ready: ")
        self.ready = time.monotonic() - began
        chosen = random.Random(1).sample(range(accounts), min(ACTIVE + NEW, accounts))
        self._active, self._new = chosen[:ACTIVE], chosen[ACTIVE:]
        self._login = login
        self._ask(iter(self._active))

    def round(self) -> tuple[float, float]:
        """Decisions a second, and a second of the worker's CPU, of logins that sent before."""
        count, seconds, cpu = self._ask(endless(self._active))
        return count / seconds, count / cpu

    def first(self) -> float:
        """Decisions a second of logins never seen."""
        count, seconds, _ = self._ask(iter(self._new))
        return count / seconds

    def memory(self) -> float:
        """MB of the largest process."""
        return max(peak_memory(pid) for pid in (self.running.process.pid, *self.running.workers))

    def _ask(self, numbers: Iterator[int]) -> tuple[int, float, float]:
        return asked(self.running, numbers, self._login)


def compared(
    few: tuple[str, int], many: tuple[str, int], login: Callable[[int], str]
) -> dict[str, tuple[float, float]]:
    """Each figure with many accounts, and with few."""
    with tempfile.TemporaryDirectory() as name:
        served: list[Served] = []
        try:
            for number, (url, accounts) in enumerate((many, few)):
                served.append(Served(Path(name, str(number)), url, accounts, login))
            rounds = [[each.round() for each in served] for _ in range(ROUNDS)]
            figures = {
                name: tuple(median([turn[each][at] for turn in rounds]) for each in (0, 1))
                for at, name in enumerate(("rate", "per_cpu"))
            }
            figures["never_seen"] = tuple(each.first() for each in served)
            figures["ready"] = tuple(each.ready for each in served)
            figures["memory"] = tuple(each.memory() for each in served)
            return {name: (pair[0], pair[1]) for name, pair in figures.items()}
        finally:
            for each in served:
                each.running.stop()


def endless(numbers: list[int]) -> Iterator[int]:
    """Over and over, until SECONDS have passed."""
    end = time.monotonic() + SECONDS
    at = 0
    while time.monotonic() < end:
        yield numbers[at % len(numbers)]
        at += 1


def asked(
    running: Serving, numbers: Iterator[int], login: Callable[[int], str]
) -> tuple[int, float, float]:
    """Ask for each of `numbers`; how many, seconds it took, and of the worker's CPU."""
    lock, count = threading.Lock(), 0

    def ask() -> None:
        nonlocal count
        with PolicyClient(running.folder / "policy") as client:
            while True:
                with lock:
                    number = next(numbers, None)
                if number is None:
                    return
                name = login(number)
                answer = client.ask(sasl_username=name, sender=name, recipient="x@example.net")
                assert answer == "DUNNO", answer
                with lock:
                    count += 1

    worker = running.workers[0]
    began, cpu = time.monotonic(), cpu_seconds(worker)
    threads = [threading.Thread(target=ask) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return count, time.monotonic() - began, cpu_seconds(worker) - cpu


def cpu_seconds(pid: int) -> float:
    """User and system time of a process (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_memory(pid: int) -> float:
    """The largest resident memory that a process had, in MB (proc(5), VmHWM)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def listed(url: str) -> dict[str, float]:
    """Seconds until `account list` prints its first line, until its last, and MB."""
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "account", "list", "--directory", url],
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.readline()
    first = time.monotonic() - began
    lines = sum(chunk.count(b"\n") for chunk in iter(lambda: process.stdout.read(1 << 16), b""))
    assert process.wait() == 0
    took = time.monotonic() - began
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return {"first": first, "seconds": took, "lines": lines, "memory": memory}
