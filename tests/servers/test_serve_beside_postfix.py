"""S2.14, S4.2: `maysend serve` checks logins and headers of a real Postfix, killed under load."""

import os
import shutil
import signal
import smtplib
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from maysend.directory import Directory
from tests.servers.real_postfix import RealPostfix, real_postfix
from tests.servers.serving import refused, serving

pytestmark = pytest.mark.needs_postfix

CONFIGURATION = """
directory = "sqlite:///d.db"
workers = 2
[[listener]]
kind = "milter"
address = "unix:{folder}/milter"
mode = "0666"
[[listener]]
kind = "dovecot_auth"
address = "unix:{folder}/auth"
mode = "0666"
"""
NOT_BOBS = "Header From address rejected: not owned by user bob@example.com"


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where Postfix's daemons, which are not root, may look for sockets."""
    folder = Path(tempfile.mkdtemp(prefix="maysend-beside-"))
    folder.chmod(0o755)
    with Directory.open(folder / "d.db") as directory:
        directory.accounts.add("bob@example.com", password_hash="{PLAIN}secret")
        directory.accounts.add("eve@example.com", password_hash="{PLAIN}secret")
    yield folder
    shutil.rmtree(folder)


@contextmanager
def postfix_with(folder: Path, **parameters: str) -> Iterator[RealPostfix]:
    settings = {
        "smtpd_sasl_auth_enable": "yes",
        "smtpd_sasl_type": "dovecot",
        "smtpd_sasl_path": f"unix:{folder}/auth",
        "smtpd_milters": f"unix:{folder}/milter",
        "smtpd_relay_restrictions": "permit_sasl_authenticated, reject",
        "mynetworks": "",
    }
    with real_postfix(settings | parameters) as postfix:
        yield postfix


def send(client: smtplib.SMTP, author: str) -> str:
    """The last reply to one message."""
    text = f"From: {author}\r\nSubject: x\r\n\r\nx\r\n"
    try:
        client.sendmail("bob@example.com", ["x@example.net"], text)
    except (smtplib.SMTPDataError, smtplib.SMTPSenderRefused) as error:
        return f"{error.smtp_code} {error.smtp_error!r}"
    return "250"


def test_logins_and_headers_are_checked(folder: Path) -> None:
    with (
        serving(folder, CONFIGURATION.format(folder=folder)) as running,
        postfix_with(folder) as postfix,
    ):
        with smtplib.SMTP("127.0.0.1", postfix.port) as client:
            with pytest.raises(smtplib.SMTPAuthenticationError):
                client.login("bob@example.com", "wrong")
            client.login("bob@example.com", "secret")
            assert send(client, "Bob <bob@example.com>") == "250"
            assert NOT_BOBS in send(client, "eve@example.com")
            assert send(client, "Bob <bob+tag@example.com>") == "250"
            with Directory.open(folder / "d.db") as directory:
                directory.accounts.remove("bob@example.com")
            deadline = time.monotonic() + 5
            while send(client, "bob@example.com") == "250":
                assert time.monotonic() < deadline, "a removed account owns nothing"
                time.sleep(0.05)
        running.wait_for(r"[0-9A-F]+: reject: END-OF-MESSAGE from .*sasl_username=<bob@example")


def test_a_suspended_account_sends_nothing(folder: Path) -> None:
    """S2.13, S4.2: it may log in, as it is to be told why; in open sessions and new ones the milter
    refuses what it sends, the null sender's too, and takes it again after `resume`."""
    with (
        serving(folder, CONFIGURATION.format(folder=folder)),
        postfix_with(folder) as postfix,
        Directory.open(folder / "d.db") as directory,
        smtplib.SMTP("127.0.0.1", postfix.port) as already,
    ):
        already.login("bob@example.com", "secret")
        assert send(already, "bob@example.com") == "250"
        directory.accounts.suspend("bob@example.com", "unpaid bill")
        time.sleep(1)  # the promise: within a second
        assert NOT_BOBS in send(already, "bob@example.com")
        with smtplib.SMTP("127.0.0.1", postfix.port) as new:
            new.login("bob@example.com", "secret")
            assert NOT_BOBS in send(new, "bob@example.com")
            with pytest.raises(smtplib.SMTPDataError, match="not owned by user bob"):
                new.sendmail("", ["x@example.net"], "From: bob@example.com\r\n\r\nx\r\n")
        directory.accounts.resume("bob@example.com")
        time.sleep(1)
        assert send(already, "bob@example.com") == "250"


class Load:
    """Clients that send without end, half of it forged; `replies` are (author, last reply)."""

    def __init__(self, port: int, *, logs_in: bool = True) -> None:
        self.replies: list[tuple[str, str]] = []
        self._port = port
        self._logs_in = logs_in
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._send) for _ in range(4)]
        for thread in self._threads:
            thread.start()

    def _send(self) -> None:
        while not self._stop.is_set():
            try:
                with smtplib.SMTP("127.0.0.1", self._port, timeout=20) as client:
                    if self._logs_in:
                        client.login("bob@example.com", "secret")
                    for author in ("bob@example.com", "eve@example.com") * 3:
                        self.replies.append((author, send(client, author)))
            except smtplib.SMTPAuthenticationError as error:
                self.replies.append(("login", str(error.smtp_code)))
            except smtplib.SMTPResponseException as error:
                self.replies.append(("command", str(error.smtp_code)))
            except (smtplib.SMTPException, OSError):
                self.replies.append(("connection", "lost"))

    def wait_for(self, count: int, author: str = "", code: str = "") -> None:
        """Wait until that many more such replies are there."""
        before, deadline = len(self.replies), time.monotonic() + 30
        while time.monotonic() < deadline:
            new = self.replies[before:]
            if sum(author in who and reply.startswith(code) for who, reply in new) >= count:
                return
            self._stop.wait(0.05)
        raise AssertionError(f"no {count} {author} {code}: {self.replies[-20:]}")

    def codes(self, author: str) -> set[str]:
        """The reply codes that this author's messages had so far."""
        return {reply[:3] for who, reply in self.replies if who == author}

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def assert_nothing_was_let_through(self) -> None:
        """A sound message is taken or deferred, a forged one refused or deferred."""
        bobs, forged = self.codes("bob@example.com"), self.codes("eve@example.com")
        assert "250" in bobs
        assert all(code[0] in "24" for code in bobs), bobs
        assert "554" in forged
        assert all(code == "554" or code[0] == "4" for code in forged), forged


@contextmanager
def load_on(postfix: RealPostfix, *, logs_in: bool = True) -> Iterator[Load]:
    load = Load(postfix.port, logs_in=logs_in)
    try:
        yield load
    finally:
        load.stop()


def test_workers_that_are_killed_let_nothing_through(folder: Path) -> None:
    """S2.14: kill -9 of each worker under load: 4xx at worst, a forged From: never a 250."""
    with (
        serving(folder, CONFIGURATION.format(folder=folder)) as running,
        postfix_with(folder, smtpd_client_auth_rate_limit="0") as postfix,
        load_on(postfix) as load,
    ):
        for round_ in range(1, 4):
            os.kill(running.workers[0], signal.SIGKILL)
            running.wait_for(r"is replaced: pid", round_)
            load.wait_for(20)
        load.stop()
        load.assert_nothing_was_let_through()


def test_a_restart_under_load_lets_nothing_through(folder: Path) -> None:
    """S2.14: SIGHUP, then an end and a new start: in between 4xx, afterwards all is as before.

    Without SASL here: a Postfix whose auth socket is gone starts no smtpd, as with a Dovecot.
    """
    text = CONFIGURATION.format(folder=folder)
    trusted = {
        "smtpd_sasl_auth_enable": "no",
        "milter_macro_defaults": "{auth_authen}=bob@example.com",
        "smtpd_relay_restrictions": "permit_mynetworks, reject",
        "mynetworks": "127.0.0.1",
    }
    with postfix_with(folder, **trusted) as postfix, load_on(postfix, logs_in=False) as load:
        load.wait_for(5, code="4")
        with serving(folder, text) as running:
            load.wait_for(5, "bob", "250")
            running.signal(signal.SIGHUP)
            load.wait_for(20, "bob", "250")
            assert running.stop() == 0
        load.wait_for(5, code="4")
        with serving(folder, text):
            load.wait_for(10, "bob", "250")
            load.wait_for(5, "eve", "554")
            load.stop()
        load.assert_nothing_was_let_through()


def test_a_maysend_that_hangs_is_a_4xx_until_it_goes_on(folder: Path) -> None:
    """S2.14: stopped workers answer nobody, and Postfix waits no longer than told."""
    names = ("milter_connect_timeout", "milter_command_timeout", "milter_content_timeout")
    with (
        serving(folder, CONFIGURATION.format(folder=folder)) as running,
        postfix_with(folder, **dict.fromkeys(names, "1s")) as postfix,
        smtplib.SMTP("127.0.0.1", postfix.port) as client,
    ):
        client.login("bob@example.com", "secret")
        assert send(client, "bob@example.com") == "250"
        workers = running.workers
        for worker in workers:
            os.kill(worker, signal.SIGSTOP)
        try:
            for author in ("bob@example.com", "eve@example.com"):
                assert send(client, author).startswith("451 ")
        finally:
            for worker in workers:
                with suppress(ProcessLookupError):  # one that hangs for long is replaced
                    os.kill(worker, signal.SIGCONT)
        with smtplib.SMTP("127.0.0.1", postfix.port) as again:
            again.login("bob@example.com", "secret")
            assert send(again, "bob@example.com") == "250"
            assert NOT_BOBS in send(again, "eve@example.com")


def test_the_owners_may_be_those_of_a_main_cf(folder: Path) -> None:
    """With postfix = …, the header is checked by the maps that Postfix itself uses."""
    config = folder / "postfix"
    config.mkdir()
    (config / "main.cf").write_text(
        "compatibility_level = 3.6\nsmtpd_sasl_auth_enable = yes\n"
        "smtpd_sender_login_maps = inline:{boss@example.com=bob@example.com}\n"
    )
    text = CONFIGURATION.format(folder=folder).replace(
        'kind = "milter"', f'kind = "milter"\npostfix = "{config}"'
    )
    with (
        serving(folder, text),
        postfix_with(folder) as postfix,
        smtplib.SMTP("127.0.0.1", postfix.port) as client,
    ):
        client.login("bob@example.com", "secret")
        assert send(client, "boss@example.com") == "250"
        assert "not owned by" in send(client, "bob@example.com")


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('mechanisms = ["PLIAN"]', "mechanisms: no mechanism 'PLIAN', expected some of PLAIN"),
        ("mechanisms = []", "mechanisms: expected at least one"),
        ('mechanisms = ["SCRAM-SHA-256"]', "salt_key: SCRAM-SHA-256 needs a file"),
        ("failures_per_login = -1", "failures_per_login: expected 0 or more"),
        ("envelope = true", "envelope: no such key"),
    ],
)
def test_what_is_wrong_is_told(folder: Path, line: str, complaint: str) -> None:
    _, said = refused(folder, CONFIGURATION.format(folder=folder) + line + "\n")
    assert complaint in said
