"""Messages a second through the gateway, and through Postfix, to the same sink.

Both are authenticated, have the same policy (the built-in one's restrictions on a directory of
1,000 accounts; in smtpd the same owners in an lmdb: table) and take messages of 4 kB on 10
connections, one command at a time. The gateway, one process, checks the header too. Client and sink
are C programs.

`gateway` is beside a Postfix that delivers to the sink from its queue (in memory, so that it does
not wait for a disk); `gateway_proxy` beside a bare smtpd that passes messages on in the same
dialogue, without a queue and without looking into them (smtpd_proxy_filter). Where cores are few
and busy with other things the rates say little; the CPU time of a message (microseconds, of all
processes that handle it) says more.
"""

import base64
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.differential.live_postfix import LivePostfix, xtext
from tests.servers.dovecot import dovecot_auth
from tests.servers.real_postfix import RealPostfix

CONNECTIONS = 10
SIZE = 4000
SECONDS = float(os.environ.get("MAYSEND_BENCH_SECONDS", "4"))
ROUNDS = int(os.environ.get("MAYSEND_BENCH_ROUNDS", "3"))
LOGIN = "user7@example.com"
PASSWORD = "secret"
ACCOUNTS = 1000
PROCESS = Path(__file__).parent / "load" / "gateway_under_load.py"
AUTH = "AUTH PLAIN " + base64.b64encode(f"\0{LOGIN}\0{PASSWORD}".encode()).decode()
QUEUES = ("maildrop", "incoming", "active", "deferred")
TICKS = os.sysconf("SC_CLK_TCK")


def build_client(folder: Path) -> Path:
    """Compile the client."""
    program = folder / "smtp_load"
    source = Path(__file__).parent / "load" / "smtp_load.c"
    subprocess.run(["gcc", "-O2", "-w", "-o", program, source], check=True)
    return program


@contextmanager
def smtp_sink() -> Iterator[int]:
    """The port of a Postfix smtp-sink."""
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    process = subprocess.Popen(
        ["smtp-sink", "-c", "-u", "postfix", f"127.0.0.1:{port}", "256"], stdout=subprocess.DEVNULL
    )
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def gateway(folder: Path, sink: int) -> Iterator[tuple[int, int]]:
    """(port, process id) of a gateway."""
    command = [sys.executable, PROCESS, str(folder), str(sink), str(ACCOUNTS), PASSWORD]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline()), process.pid
    finally:
        process.terminate()
        process.wait(30)


def run(program: Path, target: str, *setup: str) -> tuple[float, float]:
    """(messages a second, messages) of one run of the client."""
    arguments = [target, str(CONNECTIONS), str(SECONDS), str(SIZE), LOGIN, "someone@example.net"]
    said = subprocess.run(
        [program, *arguments, *setup], capture_output=True, text=True, check=False
    )
    if said.returncode:
        raise RuntimeError(said.stderr)
    messages, seconds, *_ = map(float, said.stdout.split())
    return messages / seconds, messages


def cpu_seconds(*processes: int, ended: int = 0) -> float:
    """CPU time that the processes have used, the system's included; and what those children of
    `ended` have used that have ended."""
    total = 0
    for process in processes:
        with suppress(FileNotFoundError):
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
            if process == ended:
                total += int(fields[13]) + int(fields[14])
    return total / TICKS


def seconds_until_empty(queue: Path) -> float:
    """How long it takes until no message is left in a Postfix queue."""
    begun = time.monotonic()
    while any(path.is_file() for name in QUEUES for path in (queue / name).rglob("*")):
        if time.monotonic() - begun > 120:
            raise RuntimeError("Postfix does not deliver what it has taken")
        time.sleep(0.01)
    return time.monotonic() - begun


def policy_parameters() -> dict[str, str]:
    """The built-in policy's restrictions, in Postfix's own words."""
    return {
        "mynetworks": "",
        "mydestination": "",
        "append_dot_mydomain": "no",
        "recipient_delimiter": "+",
        "smtpd_sender_login_maps": "lmdb:$config_directory/owners",
        "smtpd_client_restrictions": "check_sasl_access lmdb:$config_directory/suspended",
        "smtpd_sender_restrictions": "reject_non_fqdn_sender "
        "reject_authenticated_sender_login_mismatch",
        "smtpd_relay_restrictions": "permit_sasl_authenticated, reject",
        "smtpd_recipient_restrictions": "reject_non_fqdn_recipient",
        "smtpd_reject_unlisted_recipient": "no",
    }


def policy_files() -> dict[str, str]:
    """The same owners as in the directory."""
    logins = [f"user{n}@example.com" for n in range(ACCOUNTS)]
    return {
        "owners": "".join(f"{login} {login}\n" for login in logins),
        "suspended": "nobody@example.com REJECT suspended\n",
    }


def measure_gateway(program: Path, folder: Path, sink: int) -> tuple[float, float]:
    """(messages a second, CPU µs a message), the median of the rounds."""
    with gateway(folder, sink) as (port, process):
        found = []
        for _ in range(ROUNDS):
            before = cpu_seconds(process)
            rate, messages = run(program, str(port), "EHLO client", AUTH)
            found.append((rate, (cpu_seconds(process) - before) / messages * 1e6))
    return median(found)


def measure_queue(program: Path, folder: Path, sink: int) -> tuple[float, float]:
    """The same of a whole Postfix: smtpd, cleanup, queue, smtp."""
    root = folder / "postfix"
    root.mkdir()
    root.chmod(0o755)
    postfix = RealPostfix(root)
    (postfix.directory / "main.cf").write_text("compatibility_level = 3.6\n")
    for name, text in policy_files().items():
        (postfix.directory / name).write_text(text)
        postmap = ["postmap", "-c", postfix.directory, f"lmdb:{postfix.directory / name}"]
        subprocess.run(postmap, check=True)
    found = []
    with dovecot_auth({LOGIN: "{PLAIN}" + PASSWORD}) as socket_path:
        parameters = {
            "smtpd_sasl_auth_enable": "yes",
            "smtpd_sasl_type": "dovecot",
            "smtpd_sasl_path": str(socket_path),
            "default_transport": f"smtp:[127.0.0.1]:{sink}",
            "smtp_dns_support_level": "disabled",
        }
        postfix.start({**policy_parameters(), **parameters})
        try:
            for _ in range(ROUNDS):
                before = cpu_seconds(*children(postfix.process_id), ended=postfix.process_id)
                rate, messages = run(program, str(postfix.port), "EHLO client", AUTH)
                # A gateway's 250 says that the next hop has it: here an empty queue says that.
                took = messages / rate + seconds_until_empty(postfix.queue)
                after = cpu_seconds(*children(postfix.process_id), ended=postfix.process_id)
                found.append((messages / took, (after - before) / messages * 1e6))
        finally:
            postfix.stop()
    return median(found)


def children(parent: int) -> list[int]:
    """The processes that `parent` started, and itself."""
    found = [parent]
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            name, _, rest = path.read_text().rpartition(")")
            if int(rest.split()[1]) == parent:
                found.append(int(name.split()[0]))
    return found


def measure_smtpd(program: Path, sink: int) -> tuple[float, float]:
    """The same of smtpd alone: as many processes as connections."""
    found = []
    parameters = {**policy_parameters(), "smtpd_proxy_filter": f"127.0.0.1:{sink}"}
    with LivePostfix(parameters, policy_files()) as postfix:
        setup = (f"XCLIENT ADDR=192.0.2.7 LOGIN={xtext(LOGIN)}", "EHLO client")
        for _ in range(ROUNDS):
            before = cpu_seconds(*postfix.processes("smtpd", "trivial-rewrite"))
            rate, messages = run(program, str(postfix.queue / "private/smtpd"), *setup)
            spent = cpu_seconds(*postfix.processes("smtpd", "trivial-rewrite")) - before
            found.append((rate, spent / messages * 1e6))
    return median(found)


def median(found: list[tuple[float, float]]) -> tuple[float, float]:
    """Of rates and of CPU times."""
    rates, costs = zip(*found, strict=True)
    return statistics.median(rates), statistics.median(costs)


def main() -> None:
    """Measure and print."""
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=memory) as name, smtp_sink() as sink:
        folder = Path(name)
        folder.chmod(0o755)
        program = build_client(folder)
        alone, _ = run(program, str(sink), "EHLO client")
        ours = measure_gateway(program, folder, sink)
        peers = {
            "gateway": measure_queue(program, folder, sink),
            "gateway_proxy": measure_smtpd(program, sink),
        }
    for what, theirs in peers.items():
        rate = ours[0] / theirs[0]
        print(f"{what}_messages_s ours={ours[0]:.0f} peer={theirs[0]:.0f} ratio={rate:.2f}")
        cost = theirs[1] / ours[1]
        print(f"{what}_cpu_us ours={ours[1]:.0f} peer={theirs[1]:.0f} ratio={cost:.2f}")
    print(f"# client to sink directly: {alone:.0f} messages a second", file=sys.stderr)


def _wait_for(port: int) -> None:
    for _ in range(100):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise RuntimeError("smtp-sink does not answer")


if __name__ == "__main__":
    main()
