"""The gateway of `maysend serve`, with two workers: killed, stopped, reloaded."""

import base64
import os
import re
import resource
import shutil
import signal
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from maysend.directory import Directory
from maysend.servers.sink import Sink
from tests.servers.certificates import Authority
from tests.servers.conftest import LoopThread
from tests.servers.gateways import Client
from tests.servers.serving import Serving, eventually, serving

CLIENTS = 6
KILLS = 4
LISTENER = """
directory = "sqlite:///d.db"
workers = 2
grace = 10
[metrics]
address = "inet:127.0.0.1:0"
[[listener]]
kind = "submission"
address = "inet:127.0.0.1:0"
{settings}
[[listener.next_hop]]
host = "127.0.0.1"
port = {sink}
"""
PLAIN = "AUTH PLAIN " + base64.b64encode(b"\0bob@example.com\0secret").decode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with Directory.open(tmp_path / "d.db") as directory:
        for login in ("bob@example.com", "eve@example.com"):
            directory.accounts.add(login, password_hash="{PLAIN}secret")
    return tmp_path


@pytest.fixture
def sink(loop_thread: LoopThread) -> Iterator[Sink]:
    sink = Sink(keep=1_000_000)
    loop_thread.run(sink.start())
    yield sink
    loop_thread.run(sink.stop())


def configuration(sink: Sink, settings: str = 'tls = "none"') -> str:
    return LISTENER.format(sink=sink.port, settings=settings)


def logged_in(port: int) -> Client:
    client = Client(port)
    assert client.command("EHLO client.example").startswith("250")
    assert client.command(PLAIN).startswith("235 ")
    return client


class Sending:
    """Clients that send numbered messages, as bob and, which is refused, as eve.

    `accepted`: the numbers that were answered with 250; `doubtful`: those whose connection was
    lost before the answer; `wrong`: every answer that should not have been given. `lost`: how many
    connections were.
    """

    def __init__(self, port: int) -> None:
        self.accepted: list[str] = []
        self.doubtful: list[str] = []
        self.wrong: list[str] = []
        self.lost = 0
        self._port = port
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(number,)) for number in range(CLIENTS)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join(30)

    def _run(self, client: int) -> None:
        sent = 0
        while not self._stopped.is_set():
            try:
                with logged_in(self._port) as connection:
                    while not self._stopped.is_set():
                        sent += 1
                        if not self._send(connection, f"{client}-{sent}"):
                            break
            except (OSError, AssertionError):
                pass  # lost at some other command or while logging in: no message was under way
            self.lost += not self._stopped.is_set()
            time.sleep(0.01)

    def _say(self, client: Client, command: str, wanted: str) -> None:
        reply = client.command(command)
        if not reply.startswith(wanted):
            if reply[:1] not in ("", "4"):
                self.wrong.append(reply)
            raise ConnectionError(reply)

    def _send(self, client: Client, number: str) -> bool:
        """Whether the connection can be used again."""
        if client.command("MAIL FROM:<eve@example.com>").startswith("250"):
            refused = client.command("RCPT TO:<x@example.net>")
            if refused[:3] not in ("553", ""):
                self.wrong.append(refused)
        self._say(client, "RSET", "250 ")
        self._say(client, "MAIL FROM:<bob@example.com>", "250 ")
        self._say(client, "RCPT TO:<x@example.net>", "250 ")
        self._say(client, "DATA", "354 ")
        body = f"Number: {number}\r\nFrom: bob@example.com\r\n\r\n" + "line\r\n" * 400
        try:
            client.send(f"{body}end of {number}\r\n.\r\n".encode())
            reply = client.reply()
        except OSError:
            reply = ""
        if reply.startswith("250 "):
            self.accepted.append(number)
            return True
        self.doubtful.append(number)
        if reply[:1] not in ("", "4"):
            self.wrong.append(reply)
        return False


def test_a_worker_is_killed_under_load(folder: Path, sink: Sink) -> None:
    """Kill -9: what was answered 250 is at the next hop, whole and once; nothing else is, but for
    messages whose answer was lost with the connection."""
    with serving(folder, configuration(sink)) as running:
        sending = Sending(running.port("submission"))
        for round_ in range(1, KILLS + 1):
            before = len(sending.accepted)
            eventually("messages go on", lambda before=before: len(sending.accepted) > before + 40)
            os.kill(running.workers[round_ % 2], signal.SIGKILL)
            running.wait_for(r"is replaced: pid", round_)
        before = len(sending.accepted)
        eventually("and after that", lambda: len(sending.accepted) > before + 40)
        sending.stop()
    arrived = [numbered(message.text) for message in sink.messages]
    assert sending.wrong == []
    assert len(arrived) == len(set(arrived))
    assert set(sending.accepted) <= set(arrived)
    assert set(arrived) <= set(sending.accepted) | set(sending.doubtful)
    assert {message.sender for message in sink.messages} == {"bob@example.com"}
    assert sending.lost, "no client noticed anything: nothing was tested"


def numbered(text: bytes) -> str:
    """The message's number; both ends of it have to be there."""
    found = re.search(rb"^Number: (.*?)\r\n.*^end of (.*?)\r\n\Z", text, re.DOTALL | re.MULTILINE)
    assert found is not None
    assert found[1] == found[2]
    return found[1].decode()


def refuses(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
    except ConnectionError:
        return True
    return False


def test_sigterm_lets_a_message_end(folder: Path, sink: Sink) -> None:
    """An idle client is told 421; one in DATA may end, and only then its connection does."""
    with serving(folder, configuration(sink)) as running:
        port = running.port("submission")
        with logged_in(port) as idle, logged_in(port) as busy:
            busy.command("MAIL FROM:<bob@example.com>")
            busy.command("RCPT TO:<x@example.net>")
            assert busy.command("DATA").startswith("354 ")
            busy.send(b"From: bob@example.com\r\n\r\nfirst half\r\n")
            running.signal(signal.SIGTERM)
            assert idle.reply().startswith("421 4.3.2 ")
            # Each process closes its own copy of the listening socket; the last one refuses.
            eventually("new clients are refused", lambda: refuses(port))
            busy.send(b"second half\r\n.\r\n")
            assert busy.reply().startswith("250 ")
            assert busy.reply().startswith("421 4.3.2 ")
        assert running.process.wait(20) == 0
    assert sink.messages[0].text.endswith(b"first half\r\nsecond half\r\n")


def test_sighup_brings_a_new_certificate(folder: Path, sink: Sink) -> None:
    """S4.6: also on the port that begins with TLS; who is connected is let go in good order."""
    authority = Authority(folder)
    used = folder / "used.pem", folder / "used.key"
    tls = f'tls = "wrapper"\ntls_certificate = "{used[0]}"\ntls_key = "{used[1]}"'
    trusting = ssl.create_default_context(cafile=str(authority.file))

    def renew() -> None:
        for made, file in zip(authority.certificate("localhost"), used, strict=True):
            shutil.copy(made, file)

    def connected(port: int) -> ssl.SSLSocket:
        raw = socket.create_connection(("127.0.0.1", port), 20)
        return trusting.wrap_socket(raw, server_hostname="localhost")

    def serial(connection: ssl.SSLSocket) -> str:
        return str((connection.getpeercert() or {})["serialNumber"])

    renew()
    with serving(folder, configuration(sink, tls)) as running:
        port = running.port("submission")
        with connected(port) as old:
            assert old.recv(512).startswith(b"220 ")
            renew()
            running.signal(signal.SIGHUP)
            running.wait_for(r"reloaded: ")
            assert old.recv(512).startswith(b"421 4.3.2 ")
            with connected(port) as new:
                assert new.recv(512).startswith(b"220 ")
                assert serial(new) != serial(old)
        used[0].write_text("no certificate\n")
        running.signal(signal.SIGHUP)
        running.wait_for(r"the configuration before is still served")
        with connected(port) as new:
            assert new.recv(512).startswith(b"220 ")


MAIN_CF = """
smtpd_sasl_auth_enable = yes
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_sender_login_maps = directory:owners
smtpd_sender_restrictions = reject_sender_login_mismatch
smtpd_sasl_local_domain = example.com
mydestination =
mynetworks =
"""


def test_sessions_follow_main_cf(folder: Path, sink: Sink) -> None:
    """S4.1: smtpd_sasl_local_domain. A session that has begun keeps the policy it began with."""
    postfix = folder / "postfix"
    postfix.mkdir()
    (postfix / "main.cf").write_text(MAIN_CF)
    (postfix / "master.cf").write_text("")
    bob = "AUTH PLAIN " + base64.b64encode(b"\0bob\0secret").decode()

    def recipient(client: Client) -> str:
        client.command("RSET")
        client.command("MAIL FROM:<bob@example.com>")
        return client.command("RCPT TO:<x@example.net>")

    settings = f'tls = "none"\npostfix = "{postfix}"'
    with serving(folder, configuration(sink, settings)) as running:
        port = running.port("submission")
        with Client(port) as before:
            before.command("EHLO x")
            assert before.command(bob).startswith("235 ")
            assert recipient(before).startswith("250 ")
            (postfix / "main.cf").write_text(MAIN_CF + "smtpd_recipient_restrictions = reject\n")
            running.wait_for(r"the new policy is in use", 2)
            assert recipient(before).startswith("250 ")
            with Client(port) as after:
                after.command("EHLO x")
                assert after.command(bob).startswith("235 ")
                assert recipient(after).startswith("554 5.7.1 ")
            (postfix / "main.cf").write_text(MAIN_CF + "smtpd_sasl_auth_enable = no\n")
            running.wait_for(r"the new policy is in use", 4)
            with Client(port) as without:
                assert "AUTH" not in without.command("EHLO x")
                assert without.command(bob) == "503 5.5.1 Error: authentication not enabled"


def test_workers_make_the_same_salts(folder: Path, sink: Sink) -> None:
    """S4.1: two answers for a login without an account would give it away."""
    scram = 'mechanisms = ["PLAIN", "SCRAM-SHA-256"]\ntls = "none"\nsalt_key = "salt.key"'
    (folder / "salt.key").write_bytes(os.urandom(32))
    first = base64.b64encode(b"n,,n=nobody@example.com,r=abc").decode()
    salts = set()
    for _ in range(2):
        with serving(folder, configuration(sink, scram)) as running:
            for _ in range(8):
                with Client(running.port("submission")) as client:
                    client.command("EHLO x")
                    said = client.command(f"AUTH SCRAM-SHA-256 {first}").removeprefix("334 ")
                    salts.add(re.findall(r"s=[^,]*", base64.b64decode(said).decode())[0])
    assert len(salts) == 1


def test_more_clients_than_a_shell_allows_files(folder: Path, sink: Sink) -> None:
    """The soft limit of open files, 1024 on most machines, is no limit of connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ExitStack() as clients:
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard))
        try:
            text = configuration(sink).replace("workers = 2", "workers = 1")
            running = clients.enter_context(serving(folder, text))
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        port = running.port("submission")
        for _ in range(150):
            assert clients.enter_context(Client(port)).greeting.startswith("220 ")


def test_guessing_is_seen_from_outside(folder: Path, sink: Sink) -> None:
    """A guesser is told to wait, others are not, and /metrics counts it."""
    settings = 'tls = "none"\nfailures_per_address = 7'
    text = configuration(sink, settings).replace("workers = 2", "workers = 1")
    with serving(folder, text) as running:
        wrong = "AUTH PLAIN " + base64.b64encode(b"\0bob@example.com\0wrong").decode()
        codes = guesses(running, wrong, 12)
        assert codes == ["535"] * 7 + ["454"] * 5
        eventually(
            "throttled logins are counted",
            lambda: (
                running.counted("maysend_submission_logins_throttled_total") == 5
                and running.counted("maysend_submission_logins_failed_total") == 7
            ),
        )


def guesses(running: Serving, line: str, times: int) -> list[str]:
    codes: list[str] = []
    while len(codes) < times:
        with Client(running.port("submission")) as client:
            client.command("EHLO x")
            codes += [client.command(line)[:3] for _ in range(min(5, times - len(codes)))]
    return codes
