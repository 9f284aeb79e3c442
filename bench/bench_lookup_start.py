"""How long `maysend lookup 'inline:{a=b}' a` takes as a whole process, beside postmap -q.

Prints `lookup_start ours=MS peer=MS ratio=R` with medians in milliseconds. Measured in turns, so
that whatever else the machine does touches both. Without postmap, peer and ratio are "none".
"""

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 41
TABLE, KEY, ANSWER = "inline:{a=b}", "a", b"b\n"


def main() -> None:
    """Measure both programs and print one line."""
    ours_command = [_our_program(), "lookup", TABLE, KEY]
    with tempfile.TemporaryDirectory() as directory:
        (Path(directory) / "main.cf").write_text("compatibility_level = 3.6\n")
        postmap = shutil.which("postmap") or shutil.which("postmap", path="/usr/sbin")
        peer_command = [postmap, "-c", directory, "-q", KEY, TABLE] if postmap else None
        ours: list[float] = []
        peer: list[float] = []
        for _ in range(ROUNDS):
            ours.append(_milliseconds(ours_command))
            if peer_command:
                peer.append(_milliseconds(peer_command))
    median = statistics.median(ours)
    if not peer:
        print(f"lookup_start ours={median:.1f} peer=none ratio=none")
        return
    theirs = statistics.median(peer)
    print(f"lookup_start ours={median:.1f} peer={theirs:.1f} ratio={median / theirs:.1f}")


def _our_program() -> str:
    beside = Path(sys.executable).with_name("maysend")
    return str(beside) if beside.exists() else "maysend"


def _milliseconds(command: list[str]) -> float:
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, check=True)
    taken = time.perf_counter() - started
    if done.stdout != ANSWER:
        raise SystemExit(f"{command}: unexpected answer {done.stdout!r}")
    return taken * 1000


if __name__ == "__main__":
    main()
