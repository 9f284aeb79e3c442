"""Instructions that the policy service takes for a request, and lines of code that it fetches anew.

Counted by valgrind's callgrind, so that nothing else on the machine changes them: requests that
were all asked before are read, decided, answered and logged in one process, without sockets.
`code_cache_misses` are those of a simulated first cache of 32 kB for instructions, lines of 64
octets. Not part of `make bench`: there is no peer, and it needs valgrind.

    python bench/policy_instructions.py [CALLGRIND_FILE]

With a name the profile is kept there, for callgrind_annotate(1).
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from bench_directory import fill
from bench_policy_service import CONFIGURATION, requests
from maysend.servers.configuration import read_configuration
from maysend.servers.kinds import open_listener, settings_by_kind
from maysend.servers.log import Log
from maysend.servers.metrics import Metrics
from maysend.servers.processes.worker import settle
from maysend.servers.questions import QuestionListener
from maysend.servers.worker_site import WorkerSite

ASKED = 1000
_TOTALS = ("events:", "totals:")
PASSES_BEFORE = 2
VALGRIND = (
    *("valgrind", "--tool=callgrind", "--instr-atstart=no", "--cache-sim=yes"),
    *("--I1=32768,8,64", "--D1=32768,8,64", "--LL=8388608,16,64"),
)


def asking(folder: Path) -> Callable[[], None]:
    """What asks the service of a worker ASKED questions."""
    fill(folder / "d.db")
    (folder / "maysend.toml").write_text(CONFIGURATION.format(folder=folder))
    configuration = read_configuration(folder / "maysend.toml", settings_by_kind())
    refusals = (folder / "refusals").open("wb")
    site = WorkerSite(configuration, Log("worker", stream=refusals), Metrics())
    listener = open_listener(configuration.listeners[0], site)
    assert isinstance(listener, QuestionListener)
    service = listener.service
    decoder = service.decoder()
    asked = list(islice(requests(), ASKED))

    def ask() -> None:
        for octets in asked:
            decoder.feed(octets)
            answer = service.answer(decoder.next())
            assert isinstance(answer, bytes)
        site.decision_log.flush()

    settle()
    return ask


def count(folder: Path) -> None:
    """Ask, and let valgrind count the last time."""
    ask = asking(folder)
    for _ in range(PASSES_BEFORE):
        ask()
    switch = ("callgrind_control", str(os.getpid()))
    subprocess.run([*switch, "--instr=on"], check=True, capture_output=True)
    ask()
    subprocess.run([*switch, "--instr=off"], check=True, capture_output=True)


def counted(profile: Path) -> dict[str, int]:
    """What a file of callgrind's has in all, by event."""
    fields = dict(
        line.split(": ", 1) for line in profile.read_text().splitlines() if line[:7] in _TOTALS
    )
    return dict(zip(fields["events"].split(), map(int, fields["totals"].split()), strict=False))


def main() -> None:
    """Count and print."""
    if os.environ.get("MAYSEND_COUNTED"):
        count(Path(os.environ["MAYSEND_COUNTED"]))
        return
    if shutil.which("valgrind") is None:
        sys.exit("install valgrind")
    with tempfile.TemporaryDirectory() as name:
        profile = Path(sys.argv[1] if len(sys.argv) > 1 else f"{name}/callgrind")
        files = (f"--callgrind-out-file={profile}", f"--log-file={name}/valgrind")
        subprocess.run(
            [*VALGRIND, *files, sys.executable, __file__],
            check=True,
            env={**os.environ, "MAYSEND_COUNTED": name},
        )
        totals = counted(profile)
    print(
        f"policy_request instructions={totals['Ir'] / ASKED:.0f} "
        f"code_cache_misses={totals['I1mr'] / ASKED:.0f}"
    )


if __name__ == "__main__":
    main()
