"""A real Postfix behind the gateway: TLS with a checked name, our login, and what it is told."""

import re
import smtplib
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from maysend.servers.submission import NextHop, NextHopTls, client_context
from tests.servers.certificates import Authority
from tests.servers.conftest import LoopThread
from tests.servers.dovecot import dovecot_auth
from tests.servers.gateways import running
from tests.servers.real_postfix import RealPostfix

pytestmark = [pytest.mark.needs_postfix, pytest.mark.needs_dovecot]

US = {"login": "relay@example.com", "password": "secret"}
PARAMETERS = {
    "smtpd_tls_security_level": "encrypt",
    "smtpd_tls_auth_only": "yes",
    "smtpd_sasl_auth_enable": "yes",
    "smtpd_sasl_type": "dovecot",
    "smtpd_authorized_xclient_hosts": "127.0.0.0/8",
    "smtpd_authorized_xforward_hosts": "127.0.0.0/8",
    "smtpd_relay_restrictions": "permit_sasl_authenticated, reject",
    "smtpd_recipient_restrictions": "check_recipient_access "
    "inline:{{full@example.net=452 4.2.2 Mailbox full}, {gone@example.net=550 5.1.1 Gone}}, permit",
}


@contextmanager
def postfix(**changes: str) -> Iterator[tuple[RealPostfix, NextHopTls]]:
    with (
        tempfile.TemporaryDirectory(prefix="maysend-next-hop-") as name,
        dovecot_auth({US["login"]: "{PLAIN}" + US["password"]}) as auth,
    ):
        root = Path(name)
        root.chmod(0o755)
        authority = Authority(root)
        certificate, key = authority.certificate("next.example")
        tls = {"smtpd_tls_cert_file": str(certificate), "smtpd_tls_key_file": str(key)}
        started = RealPostfix(root)
        started.start(PARAMETERS | tls | {"smtpd_sasl_path": str(auth)} | changes)
        try:
            trusting = client_context("verify", str(authority.file))
            yield started, NextHopTls(trusting, server_name="next.example")
        finally:
            started.stop()


def logged(started: RealPostfix, pattern: str) -> re.Match[str]:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found = re.search(pattern, started.log)
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"no {pattern!r}: {started.log}")


def test_a_message_over_tls_with_our_login(loop_thread: LoopThread) -> None:
    """Each recipient's own answer comes back word for word, and the others get the message."""
    with postfix() as (started, tls):
        hop = NextHop("127.0.0.1", started.port, tls=tls, **US)  # type: ignore[arg-type]
        with (
            running(loop_thread, next_hops=(hop,), tls_auth_only=False) as gateway,
            smtplib.SMTP("127.0.0.1", gateway.port, timeout=20) as client,
        ):
            client.login("bob@example.com", "secret")
            assert "chunking" in client.esmtp_features
            recipients = ["a@example.net", "full@example.net", "gone@example.net"]
            refused = client.sendmail("bob@example.com", recipients, "Subject: x\n\ny\n")
            assert refused == {
                "full@example.net": (
                    452,
                    b"4.2.2 <full@example.net>: Recipient address rejected: Mailbox full",
                ),
                "gone@example.net": (
                    550,
                    b"5.1.1 <gone@example.net>: Recipient address rejected: Gone",
                ),
            }
        logged(started, r"client=\S+, sasl_method=PLAIN, sasl_username=relay@example.com")
        logged(started, r"to=<a@example.net>.*status=sent")
        wrong = NextHop("127.0.0.1", started.port, tls=tls, login=US["login"], password="wrong")
        with (
            running(loop_thread, next_hops=(wrong,)) as gateway,
            smtplib.SMTP("127.0.0.1", gateway.port, timeout=20) as client,
        ):
            client.ehlo()
            client.docmd("MAIL FROM:<carol@example.org>")
            assert client.docmd("RCPT TO:<a@example.net>")[0] == 451
    assert "wrong" not in "".join(gateway.log)


@pytest.mark.parametrize("tell", ["xclient", "xforward"])
def test_it_is_told_who_it_was(loop_thread: LoopThread, tell: str) -> None:
    """By XCLIENT it takes the user's login for its own decisions; by XFORWARD it logs the client.

    XCLIENT makes Postfix forget the TLS that was begun: so without TLS on this way.
    """
    without_tls = {"smtpd_tls_security_level": "none", "smtpd_tls_auth_only": "no"}
    with postfix(**(without_tls if tell == "xclient" else {})) as (started, tls):
        if tell == "xclient":
            hop = NextHop("127.0.0.1", started.port, tell="xclient")
        else:
            hop = NextHop("127.0.0.1", started.port, tls=tls, tell="xforward", **US)  # type: ignore[arg-type]
        with (
            running(loop_thread, next_hops=(hop,), tls_auth_only=False) as gateway,
            smtplib.SMTP("127.0.0.1", gateway.port, timeout=20) as client,
        ):
            client.login("bob@example.com", "secret")
            for _ in range(2):
                client.sendmail("bob@example.com", "a@example.net", "Subject: x\n\ny\n")
        logged(started, r"(?s)(to=<a@example.net>.*status=sent.*){2}")
        if tell == "xclient":
            logged(started, r"client=unknown\[127.0.0.1\], sasl_method=\S+, sasl_username=bob@")
        else:
            logged(started, r"client=\S+, .*orig_client=unknown\[127.0.0.1\]")
