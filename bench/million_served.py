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

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.servers.policy_client import PolicyClient
from tests.servers.serving import Serving, start

ACTIVE = 2_000
"""Logins that send during the measurement, of however many there are."""
NEW = 500
"""Logins that send for the first time."""
CLIENTS = 8
SECONDS = 5.0
COMMAND = "from maysend.cli.main import main; main(prog_name='maysend')"


def served(url: str, accounts: int, login: Callable[[int], str]) -> dict[str, float]:
    """Seconds until `serve` is ready, decisions a second and a CPU second, MB of each process.

    `rate` is that of ACTIVE logins which have sent before, `cold` of logins never seen.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        began = time.monotonic()
        running = start(
            folder,
            f'directory = "{url}"\nworkers = 1\n[[listener]]\nkind = "policy"\n'
            f'address = "unix:{folder}/policy"\n',
        )
        try:
            running.wait_for(r"ready: ")
            ready = time.monotonic() - began
            chosen = random.Random(1).sample(range(accounts), min(ACTIVE + NEW, accounts))
            active, others = chosen[:ACTIVE], chosen[ACTIVE:]
            asked(running, iter(active), login)
            count, seconds, cpu = asked(running, endless(active), login)
            found = {"ready": ready, "rate": count / seconds, "per_cpu": count / cpu}
            if others:
                count, seconds, _ = asked(running, iter(others), login)
                found["cold"] = count / seconds
            processes = [running.process.pid, *running.workers]
            return found | {"memory": max(peak_memory(pid) for pid in processes)}
        finally:
            running.stop()


def endless(numbers: list[int]) -> Iterator[int]:
    """Over and over, until SECONDS have passed."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        yield from numbers[:1000]
        numbers = numbers[1000:] + numbers[:1000]


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
