"""S2.7 in the gateway: the header's From: is checked before the next hop hears of DATA."""

import base64
import smtplib
import socket
import ssl
from pathlib import Path

import pytest

from maysend.directory import Directory
from maysend.policy import Policy
from maysend.servers.sink import Sink
from maysend.servers.submission import Gateway, GatewaySettings, NextHop, directory_logins
from tests.servers.conftest import LoopThread
from tests.servers.gateways import QUICK, Client, NextHopScript, running

BOB = base64.b64encode(b"\0bob@example.com\0secret").decode()
POLICY = {
    "smtpd_end_of_data_restrictions": "reject_header_from_login_mismatch",
    "smtpd_on_behalf_login_maps": "inline:{ceo@example.com=bob@example.com}",
}
NOT_BOBS = (
    "554 5.7.1 <eve@example.com>: Header From address rejected: not owned by user bob@example.com"
)
FORGED = b"From: eve@example.com\r\n\r\n" + b"x" * 70 + b"\r\n.\r\n"
SOUND = b"From: Bob <bob@example.com>\r\n\r\nHello\r\n.\r\n"


def log_in(client: Client) -> None:
    client.command("EHLO x")
    assert client.command(f"AUTH PLAIN {BOB}").startswith("235 ")


def send(client: Client, message: bytes) -> str:
    assert client.command("MAIL FROM:<bob@example.com>").startswith("250 ")
    assert client.command("RCPT TO:<x@example.net>").startswith("250 ")
    assert client.command("DATA").startswith("354 ")
    client.send(message)
    return client.reply()


def test_a_refused_header_and_then_a_sound_one_on_one_connection(loop_thread: LoopThread) -> None:
    with (
        running(loop_thread, policy=POLICY, tls_auth_only=False) as gateway,
        gateway.connect() as client,
    ):
        log_in(client)
        assert send(client, FORGED) == NOT_BOBS
        assert send(client, SOUND).startswith("250 ")
        assert send(client, b"\r\nno header\r\n.\r\n") == (
            "554 5.6.0 Header From rejected: there is none"
        )
        assert send(client, b"Subject: all header\r\n.\r\n") == (
            "554 5.6.0 Header From rejected: there is none"
        )
        assert send(client, SOUND).startswith("250 ")
        assert len(gateway.sink.messages) == 2
        (line, *_) = [line for line in gateway.log if "reject: END-OF-MESSAGE" in line]
        assert "rule=reject_header_from_login_mismatch at " in line


def test_the_body_of_a_refused_message_is_drained_and_no_data_said(loop_thread: LoopThread) -> None:
    commands: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        reader = connection.makefile("rb", buffering=0)
        connection.sendall(b"220 next hop\r\n")
        for line in reader:
            commands.append(line.rstrip())
            connection.sendall(b"250 2.0.0 Ok\r\n")

    next_hop = NextHopScript(serve)
    try:
        with (
            running(
                loop_thread, policy=POLICY, tls_auth_only=False, next_hop_port=next_hop.port
            ) as gateway,
            gateway.connect() as client,
        ):
            log_in(client)
            body = b"y" * 998 + b"\r\n"
            forged = b"From: eve@example.com\r\n\r\n" + body * 5000 + b".\r\n"
            assert send(client, forged) == NOT_BOBS
            assert client.command("NOOP").startswith("250 ")
            assert b"MAIL FROM:<bob@example.com>" in commands
            assert b"DATA" not in commands
            assert commands[-1] == b"RSET"
    finally:
        next_hop.close()


@pytest.mark.parametrize("cut", [1, 7, 23, 24, 25, 26, 27, 28, 40])
def test_a_header_in_chunks(loop_thread: LoopThread, cut: int) -> None:
    """S2.7: BDAT (RFC 3030), wherever a chunk ends, and a message that is all header."""
    keywords = ("CHUNKING", "SIZE", "8BITMIME")
    with (
        running(loop_thread, policy=POLICY, tls_auth_only=False, keywords=keywords) as gateway,
        gateway.connect() as client,
    ):
        log_in(client)

        def send_chunks(message: bytes) -> str:
            assert client.command("MAIL FROM:<bob@example.com>").startswith("250 ")
            assert client.command("RCPT TO:<x@example.net>").startswith("250 ")
            chunks = [message[start : start + cut] for start in range(0, len(message), cut)]
            for chunk in chunks:
                client.send(b"BDAT %d\r\n" % len(chunk) + chunk)
                reply = client.reply()
                if not reply.startswith("250 "):
                    return reply
            return client.command("BDAT 0 LAST")

        assert send_chunks(b"From: eve@example.com\r\n\r\n" + b"x\r\n" * 5) == NOT_BOBS
        client.command("RSET")
        assert send_chunks(b"From: eve@example.com\r\n") == NOT_BOBS
        client.command("RSET")
        assert send_chunks(b"From: bob@example.com\r\n\r\nFrom: eve@x\r\n").startswith("250 ")
        assert len(gateway.sink.messages) == 1


def test_on_behalf_a_sender_is_added(loop_thread: LoopThread) -> None:
    with (
        running(loop_thread, policy=POLICY, tls_auth_only=False) as gateway,
        gateway.connect() as client,
    ):
        log_in(client)
        assert send(client, b"From: ceo@example.com\r\n\r\nx\r\n.\r\n").startswith("250 ")
        (message,) = gateway.sink.messages
        assert message.text.startswith(b"Sender: <bob@example.com>\r\nReceived: ")
        assert b"From: ceo@example.com\r\n" in message.text


def test_a_policy_that_looks_at_more_is_asked_again_at_the_end(loop_thread: LoopThread) -> None:
    policy = POLICY | {
        "smtpd_end_of_data_restrictions": "reject_header_from_login_mismatch, sleep 0, reject"
    }
    with (
        running(loop_thread, policy=policy, tls_auth_only=False) as gateway,
        gateway.connect() as client,
    ):
        log_in(client)
        assert send(client, FORGED) == NOT_BOBS
        assert "End-of-data rejected" in send(client, SOUND)
        assert not gateway.sink.messages


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    directory = Directory.open(tmp_path / "directory.sqlite")
    for login in ("bob@example.com", "alice@example.com", "ceo@example.com"):
        directory.accounts.add(login, password="secret")
    directory.aliases.add("sales@example.com", ["bob@example.com"])
    directory.grants.add("bob@example.com", "team@example.com", kind="as")
    directory.grants.add("bob@example.com", "ceo@example.com", kind="on-behalf")
    return directory


def test_the_built_in_policy_checks_the_header_against_the_directory(
    loop_thread: LoopThread,
    directory: Directory,
    server_tls: ssl.SSLContext,
    client_tls: ssl.SSLContext,
) -> None:
    """S2.7: accounts, extensions, aliases, a grant "as", one "on-behalf"."""
    sink = Sink()
    loop_thread.run(sink.start())
    settings = GatewaySettings(
        hostname="gateway.example",
        next_hops=(NextHop("127.0.0.1", sink.port),),
        port=0,
        tls=server_tls,
        timeouts=QUICK,
    )
    policy = Policy.builtin(directory.table_types())
    gateway = Gateway(settings, policy, directory_logins(directory), lambda line: None)
    loop_thread.run(gateway.start())
    try:
        with smtplib.SMTP("localhost", gateway.port) as client:
            client.starttls(context=client_tls)
            client.login("bob@example.com", "secret")
            for header in (
                "From: Bob <bob@example.com>",
                "From: bob+news@example.com",
                "From: sales@example.com",
                "From: team@example.com",
                "From: ceo@example.com",
                "From: ceo@example.com\nSender: bob@example.com",
            ):
                client.sendmail("bob@example.com", "x@example.net", f"{header}\n\nx")
            added = [message.text.startswith(b"Sender: <bob@") for message in sink.messages]
            assert added == [False, False, False, False, True, False]
            for header, text in (
                ("From: alice@example.com", "not owned by user bob@example.com"),
                ("From: ceo@example.com\nSender: ceo@example.com", "Header Sender address"),
                ('From: "alice@example.com" <bob@example.com>', "display name rejected"),
            ):
                with pytest.raises(smtplib.SMTPDataError) as refused:
                    client.sendmail("bob@example.com", "x@example.net", f"{header}\n\nx")
                assert refused.value.smtp_code == 554
                assert text in str(refused.value.smtp_error)
            assert len(sink.messages) == 6
    finally:
        loop_thread.run(gateway.stop())
        loop_thread.run(sink.stop())
        directory.close()
