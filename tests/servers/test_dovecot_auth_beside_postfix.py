"""S4.2, S2.4: a real Postfix checks passwords in the directory, through Dovecot's protocol."""

import base64
import smtplib
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from maysend.directory import Directory
from maysend.servers.submission.logins import PasswordLogins, directory_logins
from tests.servers.auth_peers import (
    BOB,
    MECHANISMS,
    Running,
    sample_directory,
    serving,
)
from tests.servers.conftest import LoopThread
from tests.servers.real_postfix import RealPostfix, real_postfix


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Directory]:
    with sample_directory(tmp_path_factory.mktemp("directory")) as directory:
        yield directory


@pytest.fixture
def auth(loop_thread: LoopThread, directory: Directory) -> Iterator[Running]:
    logins = directory_logins(directory, mechanisms=MECHANISMS, hostname="mail.example.com")
    with serving(loop_thread, logins) as running:
        yield running


@contextmanager
def postfix_asking(path: Path) -> Iterator[RealPostfix]:
    parameters = {
        "smtpd_sasl_auth_enable": "yes",
        "smtpd_sasl_type": "dovecot",
        "smtpd_sasl_path": f"unix:{path}",
        "smtpd_relay_restrictions": "permit_sasl_authenticated, reject",
        "smtpd_sender_login_maps": "inline:{bob@example.com=bob@example.com}",
        "smtpd_sender_restrictions": "reject_authenticated_sender_login_mismatch",
        "mynetworks": "",
    }
    with real_postfix(parameters) as postfix:
        yield postfix


def swaks(postfix: RealPostfix, mechanism: str, login: str, password: str) -> str:
    command = ["swaks", "--server", "127.0.0.1", "--port", str(postfix.port), "--timeout", "20"]
    who = ["--from", "bob@example.com", "--to", "x@example.net", "--auth", mechanism]
    password_given = ["--auth-user", login, "--auth-password", password]
    return subprocess.run(
        [*command, *who, *password_given], capture_output=True, text=True, timeout=60, check=False
    ).stdout


@pytest.mark.needs_postfix
@pytest.mark.needs_swaks
def test_swaks_logs_in_to_postfix(auth: Running) -> None:
    with postfix_asking(auth.path) as postfix:
        for mechanism in ("PLAIN", "LOGIN"):
            said = swaks(postfix, mechanism, "bob@example.com", "sécret")
            assert "235 2.7.0 Authentication successful" in said
            assert "queued as" in said
            assert "535 5.7.8" in swaks(postfix, mechanism, "bob@example.com", "wrong")
            assert "535 5.7.8" in swaks(postfix, mechanism, "nobody@example.com", "sécret")
            assert "535 5.7.8" in swaks(postfix, mechanism, "eve@example.com", "sécret")
        # S2.4: a login by an alias is the account's, and sends as the account.
        assert "queued as" in swaks(postfix, "PLAIN", "sales@example.com", "sécret")
        assert "sasl_username=bob@example.com" in postfix.log
        assert "sasl_username=sales@example.com" not in postfix.log
    assert auth.counted("ok") == 3
    assert auth.counted("failed") == 6
    assert not auth.log


@pytest.mark.needs_postfix
def test_pythons_smtplib_and_a_login_only_client(auth: Running) -> None:
    with (
        postfix_asking(auth.path) as postfix,
        smtplib.SMTP("127.0.0.1", postfix.port) as client,
    ):
        client.ehlo()
        offered = client.esmtp_features["auth"].split()
        assert set(MECHANISMS) == set(offered)
        code, _ = client.docmd("AUTH", "LOGIN")
        assert code == 334
        client.docmd(base64.b64encode(b"bob@example.com").decode())
        code, text = client.docmd(base64.b64encode("sécret".encode()).decode())
        assert (code, text) == (235, b"2.7.0 Authentication successful")
        assert client.docmd("AUTH", "PLAIN " + BOB)[0] == 503
    with (
        postfix_asking(auth.path) as postfix,
        smtplib.SMTP("127.0.0.1", postfix.port) as client,
    ):
        client.login("plain@example.com", "secret")  # CRAM-MD5: smtplib tries it first
        assert "CRAM-MD5" in str(client.esmtp_features)
        assert client.docmd("MAIL", "FROM:<bob@example.com>")[0] == 250
        code, text = client.docmd("RCPT", "TO:<x@example.net>")
        assert (code, text) == (
            553,
            b"5.7.1 <bob@example.com>: Sender address rejected: "
            b"not owned by user plain@example.com",
        )


@pytest.mark.needs_postfix
def test_while_the_directory_is_away_logins_are_deferred(loop_thread: LoopThread) -> None:
    def away(login: str, password: str) -> str | None:
        raise OSError("the database is away")

    with (
        serving(loop_thread, PasswordLogins(away)) as auth,
        postfix_asking(auth.path) as postfix,
        smtplib.SMTP("127.0.0.1", postfix.port) as client,
    ):
        client.ehlo()
        code, _ = client.docmd("AUTH", "PLAIN " + BOB)
        assert code in (454, 535)
        assert client.docmd("MAIL", "FROM:<bob@example.com>")[0] == 250
        assert client.docmd("RCPT", "TO:<x@example.net>")[0] == 554
        assert auth.counted("unavailable") == 1


# -- the protocol on a socket ----------------------------------------------------------------------
