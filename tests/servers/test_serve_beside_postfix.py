"""S2.14, S4.2: `maysend serve` checks logins and headers of a real Postfix, killed under load."""

import os
import shutil
import signal
import smtplib
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
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
    except smtplib.SMTPDataError as error:
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


def test_workers_that_are_killed_let_nothing_through(folder: Path) -> None:
    """Kill -9 of each worker under load: clients see 4xx at worst, a forged From: never a 250."""
    replies: list[tuple[str, str]] = []
    stop = threading.Event()

    def load(port: int) -> None:
        while not stop.is_set():
            try:
                with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
                    client.login("bob@example.com", "secret")
                    for author in ("bob@example.com", "eve@example.com") * 3:
                        replies.append((author, send(client, author)))
            except smtplib.SMTPAuthenticationError as error:
                replies.append(("login", str(error.smtp_code)))
            except smtplib.SMTPResponseException as error:
                replies.append(("command", str(error.smtp_code)))
            except (smtplib.SMTPException, OSError):
                replies.append(("connection", "lost"))

    with (
        serving(folder, CONFIGURATION.format(folder=folder)) as running,
        postfix_with(folder, smtpd_client_auth_rate_limit="0") as postfix,
    ):
        threads = [threading.Thread(target=load, args=(postfix.port,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for round_ in range(1, 4):
            before = len(replies)
            os.kill(running.workers[0], signal.SIGKILL)
            running.wait_for(r"is replaced: pid", round_)
            for _ in range(400):
                if len(replies) > before + 20:
                    break
                stop.wait(0.05)
        stop.set()
        for thread in threads:
            thread.join(60)
    bobs = {reply[:3] for who, reply in replies if who == "bob@example.com"}
    forged = {reply[:3] for who, reply in replies if who == "eve@example.com"}
    assert "250" in bobs
    assert all(code[0] in "24" for code in bobs), bobs
    assert "554" in forged
    assert all(code == "554" or code[0] == "4" for code in forged), forged


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
