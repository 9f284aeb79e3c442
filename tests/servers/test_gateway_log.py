"""The gateway's log lines, for those who know smtpd's."""

import base64
import re
import time

import pytest

from maysend.servers.submission import DovecotLogins
from tests.servers.conftest import LoopThread
from tests.servers.dovecot import dovecot_auth
from tests.servers.gateways import Client, running
from tests.servers.real_postfix import real_postfix

FAIL2BAN = re.compile(
    r"^warning: [^[]*\[127\.0\.0\.1\]: SASL (?:LOGIN|PLAIN|CRAM-MD5) authentication failed:"
)
"""What its filter "postfix" looks for."""
WRONG = "AUTH PLAIN " + base64.b64encode(b"\0bob@example.com\0wrong").decode()


@pytest.mark.needs_postfix
@pytest.mark.needs_dovecot
def test_a_failed_login_is_logged_as_smtpd_logs_it(loop_thread: LoopThread) -> None:
    """With the login after it, and never with what was said as password."""
    with dovecot_auth({"bob@example.com": "{PLAIN}secret"}) as auth:
        parameters = {
            "smtpd_sasl_auth_enable": "yes",
            "smtpd_sasl_type": "dovecot",
            "smtpd_sasl_path": str(auth),
        }
        with real_postfix(parameters) as postfix:
            replies = [say(postfix.port, command) for command in (WRONG, "AUTH PLAIN !")]
            theirs = wait_for_lines(postfix.log_file.read_text, 2)
        with running(
            loop_thread, logins=lambda: DovecotLogins(str(auth)), tls_auth_only=False
        ) as gateway:
            assert [say(gateway.port, command) for command in (WRONG, "AUTH PLAIN !")] == replies
            ours = [line for line in gateway.log if "SASL" in line]
    assert ours == theirs
    assert ours[0].endswith(", sasl_username=bob@example.com")
    assert FAIL2BAN.match(ours[0])


def say(port: int, command: str) -> str:
    with Client(port) as client:
        client.command("EHLO x")
        return client.command(command)


def wait_for_lines(read: object, count: int) -> list[str]:
    deadline = time.monotonic() + 20
    lines: list[str] = []
    while callable(read) and time.monotonic() < deadline and len(lines) < count:
        lines = re.findall(r"warning: \S+: SASL .*", read())
        time.sleep(0.05)
    return lines
