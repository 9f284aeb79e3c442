"""`maysend serve` as a process: start, workers, signals, metrics, and what it refuses."""

import os
import pwd
import signal
import smtplib
import socket
import stat
import sys
import threading
import time
from pathlib import Path

import msgspec
import pytest

from maysend.directory import Directory
from maysend.servers.processes.worker import become
from maysend.servers.sink import Sink
from maysend.tables import TableContext, open_table
from tests.servers.conftest import LoopThread
from tests.servers.policy_client import PolicyClient
from tests.servers.serving import Serving, eventually, refused, serving, start

LISTENERS = """
directory = "sqlite:///d.db"
workers = {workers}
grace = 5
[log]
decisions = "decisions.jsonl"
[metrics]
address = "inet:127.0.0.1:0"
[[listener]]
kind = "policy"
address = "unix:{folder}/policy"
mode = "0600"
[[listener]]
kind = "socketmap"
address = "inet:127.0.0.1:0"
"""
BOB = {"sasl_username": "bob@example.com", "sender": "bob@example.com", "recipient": "x@y.net"}
EVE = BOB | {"sender": "eve@example.com"}
REFUSAL = "553 5.7.1 not owned by user bob@example.com"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with Directory.open(tmp_path / "d.db") as directory:
        directory.accounts.add("bob@example.com", "secret")
        directory.accounts.add("eve@example.com", "secret")
    return tmp_path


def configuration(folder: Path, workers: int = 1) -> str:
    return LISTENERS.format(folder=folder, workers=workers)


def ask(running: Serving, **attributes: str) -> str:
    with PolicyClient(running.folder / "policy") as client:
        return client.ask(**attributes)


def test_all_listeners_are_served_and_counted(folder: Path) -> None:
    with serving(folder, configuration(folder, 2)) as running:
        assert ask(running, **BOB) == "DUNNO"
        assert ask(running, **EVE) == REFUSAL
        port = running.port("socketmap")
        table = open_table(f"socketmap:inet:127.0.0.1:{port}:owners", TableContext())
        for _ in range(4):
            assert table.lookup("bob+tag@example.com") == "bob@example.com"
        assert running.web("/healthz") == (200, "ok\n")
        assert running.web("/other")[0] == 404
        eventually(
            "decisions are counted over the workers",
            lambda: (
                running.counted("maysend_decisions_total", outcome="reject") == 1
                and running.counted("maysend_lookups_total", map="owners", result="found") == 4
            ),
        )
        assert running.counted("maysend_workers") == 2
        mode = (folder / "policy").stat()
        assert stat.S_IMODE(mode.st_mode) == 0o600
        assert len(running.workers) == 2
        running.wait_for(r"maysend\[\d\]: NOQUEUE: reject: RCPT from unknown\[unknown\]: 553 5.7.1")
        assert running.stop() == 0
    decisions = [msgspec.json.decode(line) for line in (folder / "decisions.jsonl").open("rb")]
    assert sorted(decision["outcome"] for decision in decisions) == ["permit", "reject"]
    assert not (folder / "policy").exists()
    assert "secret" not in running.log


def test_a_killed_worker_is_replaced_and_who_asks_again_is_answered(folder: Path) -> None:
    """Kill -9 under load: a client loses its connection at worst, and never gets a wrong answer."""
    answers: list[str] = []
    lost: list[str] = []
    stop = threading.Event()

    def load() -> None:
        while not stop.is_set():
            try:
                with PolicyClient(folder / "policy") as client:
                    while not stop.is_set():
                        answer = client.ask(**EVE)
                        if not answer:
                            break
                        answers.append(answer)
            except OSError as problem:
                lost.append(str(problem))
                time.sleep(0.01)

    with serving(folder, configuration(folder, 2)) as running:
        threads = [threading.Thread(target=load) for _ in range(4)]
        for thread in threads:
            thread.start()
        for round_ in range(1, 4):
            victim = running.workers[0]
            os.kill(victim, signal.SIGKILL)
            running.wait_for(r"is replaced: pid", round_)
            before = len(answers)
            eventually("answers go on", lambda before=before: len(answers) > before + 20)
        eventually("all is well again", lambda: running.web("/healthz") == (200, "ok\n"))
        assert running.counted("maysend_worker_restarts_total") == 3
        stop.set()
        for thread in threads:
            thread.join(20)
    assert set(answers) == {REFUSAL}
    assert all("refused" not in problem for problem in lost)


def test_sighup_serves_the_new_configuration_and_keeps_the_sockets(folder: Path) -> None:
    with serving(folder, configuration(folder, 1)) as running:
        inode = (folder / "policy").stat().st_ino
        old = running.workers
        with PolicyClient(folder / "policy") as client:
            assert client.ask(**BOB) == "DUNNO"
            changed = configuration(folder, 2).replace('kind = "socketmap"', 'kind = "policy"')
            (folder / "maysend.toml").write_text(changed)
            running.signal(signal.SIGHUP)
            running.wait_for(r"reloaded: .*policy-2 on inet:127.0.0.1:\d+.*2 workers")
            assert client.answer() == ""
        assert ask(running, **EVE) == REFUSAL
        assert (folder / "policy").stat().st_ino == inode
        eventually("the old worker is gone", lambda: not set(old) & set(running.workers))


def test_sighup_with_a_broken_configuration_changes_nothing(folder: Path) -> None:
    with serving(folder, configuration(folder)) as running:
        old = running.workers
        for broken in ("workers = ", 'worker = 2\n[[listener]]\nkind="policy"'):
            (folder / "maysend.toml").write_text(broken)
            running.signal(signal.SIGHUP)
        running.wait_for(r"maysend.toml:1: .*the configuration before is still served")
        assert ask(running, **EVE) == REFUSAL
        assert running.workers == old


def test_sigterm_lets_what_is_under_way_end(folder: Path) -> None:
    """A decision that waits for a table is still answered."""
    postfix = folder / "postfix"
    postfix.mkdir()
    (postfix / "main.cf").write_text(
        "smtpd_relay_restrictions = check_sender_access inline:{a@example.com=sleep_2}, reject\n"
        "smtpd_restriction_classes = sleep_2\nsleep_2 = sleep 2\nmynetworks =\nmydestination =\n"
    )
    (postfix / "master.cf").write_text("")
    text = configuration(folder) + f'[[listener]]\nkind="policy"\naddress="unix:{folder}/slow"\n'
    with serving(folder, text + f'postfix = "{postfix}"\n') as running:
        with PolicyClient(folder / "slow") as client:
            client.socket.sendall(b"request=smtpd_access_policy\nprotocol_state=RCPT\n")
            client.socket.sendall(b"sender=a@example.com\nrecipient=x@y.net\n\n")
            time.sleep(0.3)
            running.signal(signal.SIGTERM)
            assert client.answer().startswith("554 5.7.1 ")
        assert running.process.wait(20) == 0


def test_a_policy_follows_main_cf(folder: Path) -> None:
    postfix = folder / "postfix"
    postfix.mkdir()
    (postfix / "main.cf").write_text("smtpd_relay_restrictions = reject\nmynetworks =\n")
    (postfix / "master.cf").write_text("")
    text = configuration(folder).replace('mode = "0600"', f'postfix = "{postfix}"')
    with serving(folder, text) as running:
        assert ask(running, **EVE).startswith("554 5.7.1 ")
        (postfix / "main.cf").write_text("smtpd_relay_restrictions = defer\nmynetworks =\n")
        running.wait_for("the new policy is in use")
        assert ask(running, **EVE).startswith("450 ")


def test_the_gateway_is_one_of_the_listeners(folder: Path, loop_thread: LoopThread) -> None:
    """A login, a message that may be sent, one that may not, and what was counted."""
    sink = Sink()
    loop_thread.run(sink.start())
    text = configuration(folder) + (
        '[[listener]]\nkind = "submission"\naddress = "inet:127.0.0.1:0"\ntls = "none"\n'
        f'[[listener.next_hop]]\nhost = "127.0.0.1"\nport = {sink.port}\n'
    )
    with serving(folder, text) as running:
        with smtplib.SMTP("127.0.0.1", running.port("submission"), timeout=20) as client:
            client.login("bob@example.com", "secret")
            client.sendmail("bob@example.com", ["x@example.net"], "From: bob@example.com\n\nHi\n")
            with pytest.raises(smtplib.SMTPRecipientsRefused, match="not owned by user bob"):
                client.sendmail("eve@example.com", ["x@example.net"], "Hi\n")
        assert [message.sender for message in sink.messages] == ["bob@example.com"]
        eventually(
            "the message is counted",
            lambda: running.counted("maysend_submission_messages_sent_total") == 1,
        )
    loop_thread.run(sink.stop())


def test_nothing_outlives_a_killed_supervisor(folder: Path) -> None:
    with serving(folder, configuration(folder, 2)) as running:
        workers = running.workers
        running.process.kill()
        running.process.wait()
        eventually(
            "the workers end", lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers)
        )
    with serving(folder, configuration(folder)) as running:  # the stale socket is no obstacle
        assert ask(running, **EVE) == REFUSAL


def test_systemd_hands_over_sockets_and_is_told(folder: Path) -> None:
    """Socket activation (sd_listen_fds(3)) and readiness (sd_notify(3))."""
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.bind(str(folder / "notify"))
    notify.settimeout(30)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(folder / "policy"))
    listening.listen()
    environment = {"NOTIFY_SOCKET": str(folder / "notify"), "JOURNAL_STREAM": "1:2"}
    (folder / "maysend.toml").write_text(configuration(folder))
    pid = os.fork()
    if pid == 0:
        try:
            os.dup2(listening.fileno(), 3)
            output = os.open(folder / "stderr", os.O_WRONLY | os.O_CREAT)
            os.dup2(output, 2)
            program = "from maysend.cli.main import main; main()"
            arguments = [
                sys.executable,
                "-c",
                program,
                "serve",
                "--config",
                f"{folder}/maysend.toml",
            ]
            variables = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"}
            os.execve(sys.executable, arguments, {**os.environ, **environment, **variables})
        finally:
            os._exit(1)
    try:
        assert notify.recv(100) == b"READY=1"
        with PolicyClient(folder / "policy") as client:
            assert client.ask(**EVE) == REFUSAL
        os.kill(pid, signal.SIGTERM)
        assert notify.recv(100) == b"STOPPING=1"
    finally:
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)
    assert (folder / "policy").exists()  # it is systemd's
    assert (folder / "stderr").read_text().startswith("maysend: ready: ")


@pytest.mark.needs_postfix  # which needs root
def test_workers_that_stay_root_are_warned_of(folder: Path) -> None:
    with serving(folder, configuration(folder)) as running:
        running.wait_for(r"warning: the workers run as root: name a user for them, user = ")


@pytest.mark.needs_postfix  # which needs root
def test_workers_give_up_root() -> None:
    """In a process of its own, for there is no way back."""
    entry = pwd.getpwnam("postfix")
    pid = os.fork()
    if pid == 0:
        try:
            become("postfix")
            is_postfix = os.getresuid() == (entry.pw_uid,) * 3 and 0 not in os.getgroups()
            os._exit(0 if is_postfix and os.getgid() == entry.pw_gid else 2)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("workers = 1", "worker = 1", "maysend.toml:3: worker: no such key, did you mean workers?"),
        ("sqlite:///d.db", "sqlite:///none.db", "none.db"),
        ("mode", 'owner = "nosuchuser"\nmode', 'policy: owner = "nosuchuser": there is no such'),
        ("mode", 'postfix = "/nonexistent"\nmode', "/nonexistent/main.cf: cannot be read"),
        ("unix:", "unix:/nonexistent", ": there is no folder /nonexistent/"),
        ('"decisions.jsonl"', '"/nonexistent/d"', "/nonexistent/d: No such file or directory"),
    ],
)
def test_what_cannot_be_served_is_refused(folder: Path, old: str, new: str, message: str) -> None:
    status, said = refused(folder, configuration(folder).replace(old, new, 1))
    assert status == 78, said
    assert said.startswith("maysend serve: ")
    assert message in said
    assert said.count("\n") == 1
    assert not (folder / "policy").exists()


def begun(folder: Path) -> Serving:
    """A `maysend serve` whose first worker has been started and is not ready yet."""
    running = start(folder, configuration(folder))
    eventually("a worker starts", lambda: running.workers)
    return running


def test_stopped_while_it_starts_it_says_so_rather_than_that_a_worker_failed(folder: Path) -> None:
    """timeout(1), Ctrl-C and systemd signal the workers too, and those have no answer to it yet."""
    running = begun(folder)
    for pid in (running.process.pid, *running.workers):
        os.kill(pid, signal.SIGTERM)
    assert running.process.wait(30) == 0, running.log
    assert running.log.endswith("maysend: stopped before it was ready\n")
    assert running.log.count("\n") == 1
    assert not (folder / "policy").exists()


def test_a_worker_that_ends_while_it_starts_is_named_with_its_reason(folder: Path) -> None:
    running = begun(folder)
    os.kill(running.workers[0], signal.SIGKILL)
    assert running.process.wait(30) == 78
    assert running.log == (
        "maysend serve: worker 1 ended before it was ready: killed by SIGKILL, perhaps by the "
        "kernel for want of memory\n"
    )


def test_a_port_or_socket_that_is_taken_is_refused(folder: Path) -> None:
    with serving(folder, configuration(folder)) as running:
        port = running.port("socketmap")
        again = folder / "again"
        again.mkdir()
        text = configuration(folder).replace("sqlite:///", f"sqlite:///{folder}/")
        status, said = refused(again, text)
        assert (status, "another process listens there already" in said) == (78, True)
        text = text.replace(f"{folder}/policy", f"{again}/policy")
        text = text.replace(
            'socketmap"\naddress = "inet:127.0.0.1:0',
            f'socketmap"\naddress = "inet:127.0.0.1:{port}',
        )
        status, said = refused(again, text)
        assert (status, "another process listens there already" in said) == (78, True)
        assert ask(running, **EVE) == REFUSAL
