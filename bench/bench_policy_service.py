"""Requests a second that `maysend serve` answers on unix sockets, beside postfwd in the same run.

One worker, maysend's own policy, a directory of 10,000 accounts; every request is another login's,
one in twenty is refused; each is decided afresh, traced, counted, and written to the decision log.
postfwd has 20 rules of which the last matches, and no cache. `generator` is the share of the time
in which the load generator had something to do: under 100 % it was not the limit. `cpu` is what the
worker itself took for one request, which other work on the machine changes less than the rate. The
generator has a processor for itself, whoever it asks the others.

On a virtual machine the host now and then takes the processors away, 10 ms at a time, and everybody
who asks waits. So p99 is the median of several rounds, and beside each is how much the host took.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from bench_directory import fill
from load_generator import Load, LoadGenerator, leave_a_processor

REQUEST = """request=smtpd_access_policy
protocol_state=RCPT
protocol_name=ESMTP
client_address=192.0.2.7
client_name=client.example.com
client_port=54321
reverse_client_name=client.example.com
server_address=192.0.2.1
server_port=587
helo_name=client.example.com
sender={sender}
recipient=recipient{number}@example.net
recipient_count=0
queue_id=
instance=123.456.{number}
size=12345
etrn_domain=
stress=
sasl_method=plain
sasl_username=user{number}@example.com
sasl_sender=
ccert_subject=
ccert_issuer=
ccert_fingerprint=
ccert_pubkey_fingerprint=
encryption_protocol=TLSv1.3
encryption_cipher=TLS_AES_256_GCM_SHA384
encryption_keysize=256
policy_context=

"""
CONFIGURATION = """directory = "sqlite:///d.db"
workers = 1
[log]
decisions = "decisions.jsonl"
[[listener]]
kind = "policy"
address = "unix:{folder}/policy"
[[listener]]
kind = "socketmap"
address = "unix:{folder}/socketmap"
"""
POSTFWD = ("--user", "root", "--group", "root", "--cache", "0", "--nodns")
ACCOUNTS = 10_000
SECONDS = 4.0
ROUNDS = 5
"""In which latency is measured."""


def requests() -> Iterator[bytes]:
    """A request of every account; one in twenty for somebody else's address."""
    for number in range(ACCOUNTS):
        owner = number if number % 20 else (number + 2) % ACCOUNTS
        yield REQUEST.format(sender=f"user{owner}@example.com", number=number).encode()


def lookups() -> Iterator[bytes]:
    """A socketmap query for every account's address."""
    for number in range(ACCOUNTS):
        text = f"owners user{number}@example.com".encode()
        yield b"%d:%b," % (len(text), text)


@contextmanager
def maysend(folder: Path) -> Iterator[int]:
    """A running `maysend serve`; the process id of its worker."""
    fill(folder / "d.db")
    (folder / "maysend.toml").write_text(CONFIGURATION.format(folder=folder))
    command = "from maysend.cli.main import main; main()"
    with (folder / "stderr").open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-c", command, "serve", "--config", folder / "maysend.toml"],
            stderr=stderr,
        )
    try:
        while b"ready" not in (folder / "stderr").read_bytes():
            assert process.poll() is None, (folder / "stderr").read_text()
            time.sleep(0.1)
        yield int(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0])
    finally:
        process.terminate()
        process.wait()


@contextmanager
def postfwd(folder: Path) -> Iterator[Path]:
    """A running postfwd; its socket."""
    rules = [
        f"id=R{n:02d}; sasl_username==x{n}@example.org; sender==y{n}@example.org; action=REJECT"
        for n in range(19)
    ]
    (folder / "rules").write_text("\n".join([*rules, r"id=LAST; size>=0; action=DUNNO", ""]))
    options = {"file": "rules", "port": "postfwd", "pidfile": "pid"}
    arguments = [part for name, file in options.items() for part in (f"--{name}", folder / file)]
    subprocess.run(
        ["postfwd1", "-d", "--proto", "unix", *arguments, *POSTFWD],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    while not (folder / "postfwd").exists():
        time.sleep(0.1)
    try:
        yield folder / "postfwd"
    finally:
        os.kill(int((folder / "pid").read_text()), signal.SIGTERM)


def cpu_seconds(process: int) -> float:
    """What a process has used so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measured(
    generator: LoadGenerator, path: Path, worker: int, connections: int, rate: float = 0
) -> tuple[Load, float]:
    """One run, and the worker's microseconds for each question."""
    before = cpu_seconds(worker)
    load = generator.run(path, connections, SECONDS, rate)
    return load, (cpu_seconds(worker) - before) / (load.rate * SECONDS) * 1e6


def report(name: str, load: Load, cpu: float, peer: float) -> None:
    """One line for `make bench`."""
    print(
        f"{name} ours={load.rate:.0f}/s peer={peer:.0f}/s ratio={load.rate / peer:.2f} "
        f"cpu={cpu:.0f}us generator={load.busy:.0%}",
        flush=True,
    )


def taken_by_the_host() -> float:
    """Seconds of all processors together, so far (proc(5): steal)."""
    first_line = Path("/proc/stat").read_text().partition("\n")[0]
    return int(first_line.split()[8]) / os.sysconf("SC_CLK_TCK")


def latency_at_10000(asking: LoadGenerator, path: Path) -> None:
    """Offer 10,000 requests a second, round after round."""
    rounds: list[tuple[Load, float]] = []
    for _ in range(ROUNDS):
        before = taken_by_the_host()
        load = asking.run(path, 32, SECONDS, 10_000)
        rounds.append((load, (taken_by_the_host() - before) / SECONDS / (os.cpu_count() or 1)))
    loads = [load for load, _ in rounds]
    p99 = median(load.latency_99 for load in loads)
    print(
        f"policy_service_p99_at_10000 ours={p99:.0f}us peer=2000us ratio={p99 / 2000:.2f} "
        f"offered=10000/s answered={min(load.rate for load in loads):.0f}/s "
        f"p50={median(load.latency_50 for load in loads):.0f}us",
        "rounds="
        + ",".join(f"{load.latency_99:.0f}us(host:{taken:.0%})" for load, taken in rounds),
        flush=True,
    )


def main() -> None:
    """Measure and print."""
    processor = leave_a_processor()
    with tempfile.TemporaryDirectory() as name, maysend(folder := Path(name)) as worker:
        asking = LoadGenerator(folder, requests(), "nn", processor)
        path = folder / "policy"
        asking.run(path, 8, 0)  # each once: from then on the directory's answers are remembered
        fastest = 0.0
        for connections in (16, 64):
            load, cpu = measured(asking, path, worker, connections)
            assert set(load.answers) == {"action=DUNNO", "action=553"}, load.answers
            report(f"policy_service_{connections}_connections", load, cpu, 25_000)
            fastest = max(fastest, load.rate)
        latency_at_10000(asking, path)
        looking = LoadGenerator(folder, lookups(), ",", processor)
        looking.run(folder / "socketmap", 8, 0)
        load, cpu = measured(looking, folder / "socketmap", worker, 16)
        report("socketmap_16_connections", load, cpu, 60_000)
        if shutil.which("postfwd1") is None:
            print("policy_service_beside_postfwd: left out: needs postfwd1")
            return
        with postfwd(folder) as beside:
            peer = asking.run(beside, 16, SECONDS).rate
        print(
            f"policy_service_beside_postfwd ours={fastest:.0f}/s peer={peer:.0f}/s "
            f"ratio={fastest / peer:.1f}"
        )


if __name__ == "__main__":
    main()
