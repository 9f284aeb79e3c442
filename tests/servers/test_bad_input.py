"""Octets that are no SMTP, or SMTP made to be misread: the right 5xx, nothing relayed, no
traceback, and the process goes on."""

import contextlib
import random
import ssl
import time
from collections.abc import Iterator

import pytest

from maysend.servers.submission import Limits
from tests.servers.conftest import LoopThread
from tests.servers.gateways import Client, Running, running

INNER = (
    b"MAIL FROM:<smuggler@example.org>\r\nRCPT TO:<victim@example.net>\r\n"
    b"DATA\r\nSubject: smuggled\r\n\r\nsmuggled\r\n"
)
VARIANTS = {
    "LF.LF": b"\n.\n",
    "LF.CRLF": b"\n.\r\n",
    "CRLF.LF": b"\r\n.\n",
    "LF.CR": b"\n.\r",
    "CR.CR": b"\r.\r",
    "CR.CRLF": b"\r.\r\n",
    "CRLF.CR": b"\r\n.\r",
    "CR.LF": b"\r.\n",
    "CRLF.CRCRLF": b"\r\n.\r\r\n",
    "LFLF.LFLF": b"\n\n.\n\n",
    "CRLF.NULCRLF": b"\r\n.\0\r\n",
    "LFCR.LFCR": b"\n\r.\n\r",
}


@pytest.fixture
def gateway(loop_thread: LoopThread) -> Iterator[Running]:
    with running(loop_thread, limits=Limits(smtpd_hard_error_limit=1000)) as started:
        yield started
        assert_it_goes_on(started)
        assert not [line for line in started.log if line.startswith("error:")]


def assert_it_goes_on(gateway: Running) -> None:
    before = len(gateway.sink.messages)
    with gateway.connect() as client:
        assert client.message(b"Subject: sound\r\n\r\nx\r\n.\r\n").startswith("250 ")
    assert len(gateway.sink.messages) == before + 1


def in_one_piece(client: Client, octets: bytes) -> None:
    client.send(octets)


def in_small_pieces(client: Client, octets: bytes) -> None:
    for start in range(0, len(octets), 3):
        client.send(octets[start : start + 3])


@pytest.mark.parametrize("send", [in_one_piece, in_small_pieces])
@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_smuggling(gateway: Running, variant: str, send: object) -> None:
    """One message with one reply, a 5xx, whatever a dot stands between."""
    with gateway.connect() as client:
        client.begin()
        send(  # type: ignore[operator]
            client, b"Subject: x\r\n\r\nhello" + VARIANTS[variant] + INNER + b".\r\nNOOP\r\n"
        )
        assert client.reply()[:8] in ("550 5.5.", "554 5.6.")
        assert client.reply() == "250 2.0.0 Ok"
    time.sleep(0.02)
    assert not gateway.sink.messages


@pytest.mark.parametrize("variant", ["LF.LF", "CR.CR", "LF.CRLF", "CRLF.LF"])
def test_a_client_that_believes_it_has_ended(gateway: Running, variant: str) -> None:
    """It waits for its reply: it gets one, and the connection ends."""
    with gateway.connect() as client:
        client.begin()
        client.send(b"Subject: x\r\n\r\nhello" + VARIANTS[variant])
        assert client.reply()[:10] == "521 5.5.2 "
        assert client.reply() == ""
    assert not gateway.sink.messages


@pytest.mark.parametrize(
    ("octets", "code"),
    [
        (b"Subject: x\r\n\r\na\nb\r\n.\r\n", "550 5.5.2"),
        (b"Subject: x\r\n\r\na\rb\r\n.\r\n", "550 5.5.2"),
        (b"Subject: x\r\n\r\na\0b\r\n.\r\n", "550 5.5.2"),
        (b"Subject: x\r\nFrom: a\nBcc: b\r\n\r\nx\r\n.\r\n", "550 5.5.2"),
        (b"no header at all\r\n.\r\n", "554 5.6.0"),
        (b"From eve Sat Nov 21\r\nSubject: x\r\n\r\nx\r\n.\r\n", "554 5.6.0"),
        (b"Subject : x\r\n\r\nx\r\n.\r\n", "554 5.6.0"),
        (b"X: " + b"y" * 200_000 + b"\r\n\r\nx\r\n.\r\n", "55"),
        (b"X: y\r\n" * 30_000 + b"\r\nx\r\n.\r\n", "552 5.3.4"),
        (b"Received: x\r\n" * 51 + b"\r\nx\r\n.\r\n", "554 5.4.6"),
        (b"Subject: x\r\n\r\n" + b"x" * 10_000_000 + b"\r\n.\r\n", "554 5.6.0"),
    ],
)
def test_broken_messages(gateway: Running, octets: bytes, code: str) -> None:
    with gateway.connect() as client:
        assert client.message(octets).startswith(code)
        assert client.command("NOOP") == "250 2.0.0 Ok"
    assert not gateway.sink.messages


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        (b"NO\0OP\r\n", "500 5.5.2 Error: NUL octet received"),
        (b"NOOP\rNOOP\r\n", "500 5.5.2 Error: bare <CR> received"),
        (b"MAIL FROM:<\xff@b.c>\r\n", "500 5.5.2 Error: bad UTF-8 syntax"),
        (b"EHLO " + b"x" * 10_000_000 + b"\r\n", "500 5.5.2 Error: line too long"),
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n", "500 5.5.2"),
    ],
)
def test_broken_commands(gateway: Running, line: bytes, reply: str) -> None:
    with gateway.connect() as client:
        client.send(line)
        assert client.reply().startswith(reply)
        assert client.command("NOOP") == "250 2.0.0 Ok"


@pytest.mark.parametrize(
    ("octets", "reply"),
    [
        (b"--boundary\r\nNOOP\r\n", "221 2.7.0 Error: I can break rules, too. Goodbye."),
        (b"BDAT x LAST\r\nRSET\r\n", "521 5.5.4 Syntax: BDAT count [LAST]"),
        (b"GET / HTTP/1.1\r\nNOOP\r\n", "221 2.7.0 Error: I can break rules, too. Goodbye."),
        (b"POST / HTTP/1.1\r\n\r\nEHLO x\r\n", "221 2.7.0 Error: I can break rules, too. Goodbye."),
    ],
)
def test_what_follows_is_not_taken_for_commands(
    gateway: Running, octets: bytes, reply: str
) -> None:
    with gateway.connect() as client:
        client.send(octets)
        assert client.reply() == reply
        assert client.reply() == ""


def test_a_bare_newline_in_commands_ends_the_connection(gateway: Running) -> None:
    with gateway.connect() as client:
        client.send(b"EHLO x\nMAIL FROM:<a@b.c>\r\nRCPT TO:<x@y.z>\r\n")
        assert client.reply() == "521 5.5.2 Error: bare <LF> received"
        assert client.reply() == ""


def test_a_line_without_end_is_not_kept(gateway: Running) -> None:
    with gateway.connect() as client:
        client.send(b"x" * 10_000_000)
        assert client.reply() == "500 5.5.2 Error: line too long"
    with gateway.connect() as client:
        client.begin()
        client.send(b"x" * 10_000_000)


def test_commands_after_starttls_in_the_same_packet(
    loop_thread: LoopThread, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    """RFC 3207 4.2: what came in the clear is thrown away, not run under TLS."""
    with running(loop_thread, tls=server_tls) as gateway, gateway.connect() as client:
        client.command("EHLO before")
        client.send(b"STARTTLS\r\nEHLO injected\r\nMAIL FROM:<a@b.c>\r\n")
        assert client.reply() == "220 2.0.0 Ready to start TLS"
        client.start_tls(client_tls)
        assert client.command("MAIL FROM:<a@b.c>") == "503 5.5.1 Error: send HELO/EHLO first"
        assert client.command("EHLO after").startswith("250-")
        assert client.command("MAIL FROM:<a@b.c>") == "250 2.1.0 Ok"
        assert any("octets after STARTTLS" in line for line in gateway.log)


def test_random_octets(gateway: Running) -> None:
    """Whatever is sent, nothing is relayed that was not accepted, and nobody else is disturbed."""
    rng = random.Random(20)
    parts = [b"EHLO x\r\n", b"MAIL FROM:<a@b.c>\r\n", b"RCPT TO:<x@y.z>\r\n", b"DATA\r\n", b".\r\n"]
    parts += [b"\r\n", b"\n", b"\r", b"\0", b"\xff", b"RSET\r\n", b"AUTH PLAIN\r\n", b"*\r\n"]
    parts += [b"Subject: x\r\n", b"\r\n.\n", b"STARTTLS\r\n", b"BDAT 5 LAST\r\n", b"x" * 5000]
    accepted = 0
    for _ in range(60):
        with gateway.connect(timeout=0.05) as client, contextlib.suppress(OSError):
            client.send(b"".join(rng.choices(parts, k=40)))
            while reply := client.reply():
                accepted += reply.startswith("250 2.0.0 Ok: taken")
    time.sleep(0.1)
    assert len(gateway.sink.messages) <= accepted
