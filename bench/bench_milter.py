"""Messages a second through a real Postfix with our milter, and through the same one without.

A private Postfix takes messages of 4 kB on 30 connections from smtp-source and throws them away;
its milter is a `maysend serve` with one worker, the policy that comes with it and a directory of
1,000 accounts. They are measured in turns, and the median of the rounds counts: other work on
the machine hits both. The processor time says more on a busy machine: Postfix waits for its disk,
and where nothing else runs, the milter uses that time.

A third turn has a milter in C that accepts everything unseen (`null`): what no milter can be
quicker than, because Postfix has to ask it.
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.servers.real_postfix import RealPostfix, real_postfix
from tests.servers.serving import serving

from maysend.directory import Directory

MESSAGES = int(os.environ.get("MAYSEND_BENCH_MESSAGES", "1500"))
ROUNDS = int(os.environ.get("MAYSEND_BENCH_ROUNDS", "5"))
CONNECTIONS = os.environ.get("MAYSEND_BENCH_CONNECTIONS", "30")
ACCOUNTS = 1000
LOGIN = "user7@example.com"
CONFIGURATION = """
directory = "sqlite:///directory.sqlite"
workers = 1
[[listener]]
kind = "milter"
address = "unix:{folder}/milter"
mode = "0666"
"""


@contextmanager
def running_milter(folder: Path) -> Iterator[tuple[Path, int]]:
    """Its socket, and the process that answers there."""
    with Directory.open(folder / "directory.sqlite") as directory:
        for number in range(ACCOUNTS):
            directory.accounts.add(f"user{number}@example.com")
    with serving(folder, CONFIGURATION.format(folder=folder)) as running:
        yield folder / "milter", running.workers[0]


@contextmanager
def null_milter(folder: Path) -> Iterator[Path]:
    """The socket of the milter that does nothing."""
    program, path = folder / "null_milter", folder / "null"
    source = Path(__file__).parent / "load" / "null_milter.c"
    subprocess.run(["gcc", "-O2", "-o", program, source], check=True)
    process = subprocess.Popen([program, path], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield path
    finally:
        process.kill()
        process.wait()


def processor_seconds(process: int) -> float:
    """What a process has used so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def used_by_children() -> float:
    """What all that was started here and has ended used: Postfix and its clients."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def rate(postfix: RealPostfix) -> float:
    """Messages a second, sent by Postfix's own load generator."""
    command = ["smtp-source", "-s", CONNECTIONS, "-m", str(MESSAGES), "-l", "4096", "-d"]
    addresses = ["-f", LOGIN, "-t", "alice@example.net", f"inet:127.0.0.1:{postfix.port}"]
    begun = time.monotonic()
    subprocess.run([*command, *addresses], check=True, timeout=300)
    return MESSAGES / (time.monotonic() - begun)


def main() -> None:
    """Measure and print."""
    rates: dict[str, list[float]] = {"ours": [], "peer": [], "null": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        # Nobody logs in: the macro says so, which is all that the milter is told.
        login = {"milter_macro_defaults": f"{{auth_authen}}={LOGIN}"}
        with (
            running_milter(folder) as (path, process),
            null_milter(folder) as null,
            real_postfix({}) as postfix,
        ):
            settings = {
                "ours": {"smtpd_milters": f"unix:{path}", **login},
                "peer": {},
                "null": {"smtpd_milters": f"unix:{null}", **login},
            }
            used = dict.fromkeys(settings, 0.0)
            before = processor_seconds(process)
            for _ in range(ROUNDS):
                for side, parameters in settings.items():
                    postfix.stop()
                    begun = used_by_children()
                    postfix.start(parameters)
                    rates[side].append(rate(postfix))
                    postfix.stop()
                    used[side] += used_by_children() - begun
            in_milter = processor_seconds(process) - before
    ours, peer, null_rate = (statistics.median(rates[side]) for side in ("ours", "peer", "null"))
    print(f"milter_messages_a_second ours={ours:.0f} peer={peer:.0f} ratio={ours / peer:.2f}")
    print(f"milter_null_a_second null={null_rate:.0f} peer={peer:.0f} ratio={null_rate / peer:.2f}")
    messages = MESSAGES * ROUNDS / 1e6
    with_milter, without = (used["ours"] + in_milter) / messages, used["peer"] / messages
    print(
        f"milter_processor_us_a_message ours={with_milter:.0f} peer={without:.0f} "
        f"ratio={without / with_milter:.2f}"
    )
    print(f"# of that in the milter itself: {in_milter / messages:.0f} us", file=sys.stderr)
    for side, values in rates.items():
        print(f"# {side}: {' '.join(f'{value:.0f}' for value in values)}", file=sys.stderr)


if __name__ == "__main__":
    main()
