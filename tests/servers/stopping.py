"""Stops a server's processes without ending them, as one that hangs."""

import os
import signal
import time
from pathlib import Path

_LONGEST = 5.0


def stop(process: int) -> None:
    """Stop a process; returns when none of its threads can answer anybody any more."""
    os.kill(process, signal.SIGSTOP)
    deadline = time.monotonic() + _LONGEST
    while not _is_stopped(process):
        if time.monotonic() > deadline:
            raise RuntimeError(f"process {process} does not stop")
        time.sleep(0.005)


def _is_stopped(process: int) -> bool:
    """Whether proc(5) says "T" of every thread."""
    threads = Path(f"/proc/{process}/task").glob("*/stat")
    return all(stat.read_text().rpartition(")")[2].split()[0] == "T" for stat in threads)
