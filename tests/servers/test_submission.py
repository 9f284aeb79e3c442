"""The gateway on real sockets: what it offers, whom it lets through, what the next hop gets."""

import base64
import smtplib
import ssl
import threading
import time

import pytest

from maysend.servers.submission import Limits, Timeouts
from tests.servers.conftest import LoopThread
from tests.servers.gateways import Client, running

HELLO = b"From: bob@example.com\r\nSubject: hello\r\n\r\nHello\r\n.\r\n"
BOB = base64.b64encode(b"\0bob@example.com\0secret").decode()
WRONG = base64.b64encode(b"\0bob@example.com\0wrong").decode()


def plain(login: str, password: str) -> str:
    return base64.b64encode(f"\0{login}\0{password}".encode()).decode()


def test_a_real_client_logs_in_and_sends(
    loop_thread: LoopThread, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    """S4.1: STARTTLS, AUTH, and the message arrives with its trace fields."""
    with running(loop_thread, tls=server_tls) as gateway:
        with smtplib.SMTP("localhost", gateway.port, local_hostname="client.example") as client:
            client.starttls(context=client_tls)
            client.login("bob@example.com", "secret")
            recipients = ["a@example.net", "b@example.net"]
            client.sendmail("bob@example.com", recipients, "Subject: x\n\n.y")
        (message,) = gateway.sink.messages
        assert message.sender == "bob@example.com"
        assert message.recipients == recipients
        assert message.text.startswith(b"Received: from client.example (unknown [127.0.0.1])\r\n")
        assert b"by gateway.example (maysend) with ESMTPSA id " in message.text
        assert b"\r\nDate: " in message.text
        assert b"\r\nMessage-ID: <" in message.text
        assert message.text.endswith(b"Subject: x\r\n\r\n.y\r\n")
        (line,) = [line for line in gateway.log if "status=" in line]
        assert "sasl_method=PLAIN, sasl_username=bob@example.com, from=<bob@example.com>" in line
        assert "nrcpt=2" in line
        assert "status=sent (250 2.0.0 Ok: taken by the sink)" in line


def test_auth_is_for_encrypted_connections(
    loop_thread: LoopThread, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    """S4.1: smtpd_tls_auth_only, in EHLO and in what is answered."""
    with (
        running(loop_thread, tls=server_tls, tls_required=False) as gateway,
        gateway.connect() as client,
    ):
        assert "AUTH" not in client.command("EHLO x")
        assert client.command(f"AUTH PLAIN {BOB}") == (
            "503 5.5.1 Error: authentication not enabled"
        )
        assert client.command("STARTTLS") == "220 2.0.0 Ready to start TLS"
        client.start_tls(client_tls)
        assert "250-AUTH PLAIN LOGIN" in client.command("EHLO x")
        assert client.command("STARTTLS") == "554 5.5.1 Error: TLS already active"
        assert client.command(f"AUTH PLAIN {BOB}") == "235 2.7.0 Authentication successful"
        assert client.command(f"AUTH PLAIN {BOB}") == "503 5.5.1 Error: already authenticated"


def test_mechanisms_before_and_after_tls(
    loop_thread: LoopThread, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    """S4.1: the usual pair, no password in the clear: smtpd_sasl_security_options without TLS,
    smtpd_sasl_tls_security_options with it."""
    options = {
        "smtpd_sasl_security_options": "noanonymous, noplaintext",
        "smtpd_sasl_tls_security_options": "noanonymous",
    }
    with (
        running(
            loop_thread, policy=options, tls=server_tls, tls_required=False, tls_auth_only=False
        ) as gateway,
        gateway.connect() as client,
    ):
        assert "AUTH" not in client.command("EHLO x")
        assert client.command(f"AUTH PLAIN {BOB}").startswith("535 5.7.8 ")
        assert client.command("STARTTLS").startswith("220 ")
        client.start_tls(client_tls)
        assert "AUTH PLAIN LOGIN" in client.command("EHLO x")
        assert client.command(f"AUTH PLAIN {BOB}").startswith("235 ")


def test_tls_first(loop_thread: LoopThread, server_tls: ssl.SSLContext) -> None:
    """With TLS required, only what leads to it is answered."""
    with running(loop_thread, tls=server_tls) as gateway, gateway.connect() as client:
        assert client.command("EHLO x").startswith("250-gateway.example\n")
        assert client.command("NOOP").startswith("250")
        for line in (
            "MAIL FROM:<a@b.c>",
            "RCPT TO:<a@b.c>",
            "DATA",
            "RSET",
            "AUTH PLAIN",
            "VRFY a",
        ):
            assert client.command(line) == "530 5.7.0 Must issue a STARTTLS command first"


def test_implicit_tls(
    loop_thread: LoopThread, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    with running(loop_thread, tls=server_tls, tls_wrapper=True) as gateway:
        with smtplib.SMTP_SSL("localhost", gateway.port, context=client_tls) as client:
            client.login("bob@example.com", "secret")
            client.sendmail("bob@example.com", "a@example.net", "Subject: x\n\ny")
        assert len(gateway.sink.messages) == 1


def test_login_step_by_step(loop_thread: LoopThread) -> None:
    """S4.1: LOGIN for clients that know nothing else, and every way to break off."""
    with running(loop_thread, tls_auth_only=False) as gateway, gateway.connect() as client:
        client.command("EHLO x")
        assert client.command("AUTH") == "501 5.5.4 Syntax: AUTH mechanism"
        assert client.command("AUTH CRAM-SHA").startswith("535 5.7.8 Error: authentication failed")
        assert client.command("AUTH LOGIN") == "334 VXNlcm5hbWU6"
        assert client.command("*") == "501 5.7.0 Authentication aborted"
        assert client.command("AUTH PLAIN") == "334 "
        assert client.command("!!!") == (
            "535 5.7.8 Error: authentication failed: Invalid base64 data in continued response"
        )
        assert client.command("AUTH PLAIN =").startswith("535 5.7.8 ")
        assert client.command("AUTH LOGIN") == "334 VXNlcm5hbWU6"
        name, password = (base64.b64encode(x).decode() for x in (b"bob@example.com", b"secret"))
        assert client.command(name) == "334 UGFzc3dvcmQ6"
        assert client.command(password) == "235 2.7.0 Authentication successful"
        assert client.command("MAIL FROM:<bob@example.com>") == "250 2.1.0 Ok"


def test_who_is_not_let_through(loop_thread: LoopThread) -> None:
    """S4.3, S1.6: the policy's own words, and the next hop never hears of it."""
    with running(loop_thread, tls_auth_only=False) as gateway, gateway.connect() as client:
        client.command("EHLO x")
        assert client.command("MAIL FROM:<bob@example.com>") == "250 2.1.0 Ok"
        assert client.command("RCPT TO:<x@example.net>") == (
            "553 5.7.1 <bob@example.com>: Sender address rejected: not logged in"
        )
        assert client.command("DATA") == "554 5.5.1 Error: no valid recipients"
        client.command("RSET")
        assert client.command(f"AUTH PLAIN {plain('eve@example.com', 'secret')}").startswith("235")
        assert client.command("MAIL FROM:<bob@example.com>") == "250 2.1.0 Ok"
        assert client.command("RCPT TO:<x@example.net>") == (
            "553 5.7.1 <bob@example.com>: Sender address rejected: "
            "not owned by user eve@example.com"
        )
        assert not gateway.sink.messages
        refusals = [line for line in gateway.log if line.startswith("NOQUEUE: reject: RCPT")]
        assert len(refusals) == 2
        assert "rule=reject_sender_login_mismatch" in refusals[1]


def test_no_secret_in_the_log(loop_thread: LoopThread) -> None:
    def explode(login: str, password: str) -> str | None:
        raise RuntimeError(f"cannot check {login} {password}")

    with running(loop_thread, tls_auth_only=False, authenticate=explode) as gateway:
        with gateway.connect() as client:
            client.command("EHLO x")
            assert client.command(f"AUTH PLAIN {BOB}") == (
                "454 4.7.0 Temporary authentication failure"
            )
            client.command(f"AUTH PLAIN {WRONG}x")
        assert not any(
            secret in line for line in gateway.log for secret in ("secret", "wrong", BOB)
        )


def test_logins_wait_two_seconds_at_most_for_a_thread(loop_thread: LoopThread) -> None:
    """All threads busy: 454 after 2 s, and other clients are served meanwhile."""
    release = threading.Event()

    def slow(login: str, password: str) -> str | None:
        release.wait(20)
        return login

    with running(loop_thread, tls_auth_only=False, authenticate=slow) as gateway:
        clients = [gateway.connect() for _ in range(5)]
        for client in clients:
            client.command("EHLO x")
            client.send(f"AUTH PLAIN {BOB}\r\n".encode())
        with gateway.connect() as other:
            assert other.message(HELLO).startswith("250 ")
        begun = time.monotonic()
        assert clients[4].reply() == "454 4.7.0 Temporary authentication failure"
        assert time.monotonic() - begun < 3
        release.set()
        assert clients[0].reply().startswith("235 ")
        for client in clients:
            client.socket.close()


def test_everything_in_one_packet(loop_thread: LoopThread) -> None:
    """PIPELINING (RFC 2920), two messages and a refusal in one write; replies in order."""
    one = b"MAIL FROM:<a@b.c>\r\nRCPT TO:<x@example.net>\r\nDATA\r\n"
    with running(loop_thread) as gateway, gateway.connect() as client:
        client.send(b"EHLO x\r\n" + one + HELLO + b"RCPT TO:<x>\r\n" + one + HELLO + b"QUIT\r\n")
        assert client.reply().startswith("250")
        codes = [client.reply()[:3] for _ in range(10)]
        assert codes == ["250", "250", "354", "250", "503", "250", "250", "354", "250", "221"]
        assert client.reply() == ""
        assert len(gateway.sink.messages) == 2


def test_out_of_order_and_misspelt(loop_thread: LoopThread) -> None:
    with (
        running(loop_thread, limits=Limits(smtpd_hard_error_limit=100)) as gateway,
        gateway.connect() as client,
    ):
        for line, reply in {
            "FOO": "500 5.5.2 Error: command not recognized",
            "": "500 5.5.2 Error: bad syntax",
            "MAIL FROM:<a@b.c>": "503 5.5.1 Error: send HELO/EHLO first",
            "EHLO": "501 Syntax: EHLO hostname",
            "HELO x": "250 gateway.example",
            "RCPT TO:<a@b.c>": "503 5.5.1 Error: need MAIL command",
            "DATA": "503 5.5.1 Error: need RCPT command",
        }.items():
            assert client.command(line) == reply, line
        assert client.command("MAIL FROM:<a@b.c>") == "250 2.1.0 Ok"
        assert client.command("MAIL FROM:<a@b.c>") == "503 5.5.1 Error: nested MAIL command"
        assert client.command("RCPT TO:<>") == "501 5.1.3 Bad recipient address syntax"
        assert client.command("RSET x") == "501 5.5.4 Syntax: RSET"
        assert client.command("STARTTLS").startswith("502 ")
        assert client.command("RSET") == "250 2.0.0 Ok"


def test_limits(loop_thread: LoopThread) -> None:
    limits = Limits(smtpd_recipient_limit=3, smtpd_junk_command_limit=5, smtpd_hard_error_limit=4)
    with running(loop_thread, limits=limits) as gateway:
        with gateway.connect() as client:
            client.command("EHLO x")
            client.command("MAIL FROM:<a@b.c>")
            replies = [client.command(f"RCPT TO:<x{n}@example.net>") for n in range(4)]
            assert [reply[:3] for reply in replies] == ["250", "250", "250", "452"]
        with gateway.connect() as client:
            for _ in range(3):
                assert client.command("FOO").startswith("500 ")
            client.send(b"FOO\r\n")
            assert client.reply().startswith("500 ")
            assert client.reply() == "421 4.7.0 gateway.example Error: too many errors"
            assert client.reply() == ""


def test_stopping_lets_a_message_end(loop_thread: LoopThread) -> None:
    """SIGTERM's path: idle clients are told 421, a message under way is still relayed."""
    with running(loop_thread) as gateway:
        idle, busy = gateway.connect(), gateway.connect()
        idle.command("EHLO x")
        busy.begin()
        stopper = threading.Thread(target=lambda: loop_thread.run(gateway.gateway.stop()))
        stopper.start()
        assert idle.reply() == "421 4.3.2 gateway.example Service shutting down"
        assert idle.reply() == ""
        busy.send(HELLO)
        assert busy.reply() == "250 2.0.0 Ok: taken by the sink"
        assert busy.reply().startswith("421 4.3.2 ")
        stopper.join(10)
        with pytest.raises(ConnectionRefusedError):
            Client(gateway.port)


def test_silent_clients_are_let_go(loop_thread: LoopThread) -> None:
    with running(loop_thread, timeouts=Timeouts(smtpd_timeout=0.3)) as gateway:
        with gateway.connect() as client:
            assert client.reply() == "421 4.4.2 Error: timeout exceeded"
        with gateway.connect() as client:
            client.begin()
            client.send(b"Subject: x\r\n")
            assert client.reply() == "421 4.4.2 Error: timeout exceeded"
        assert not gateway.sink.messages
