"""Which next hop, and how: failover, TLS with verification, our login there, what it is told."""

import smtplib
import socket
import ssl
from pathlib import Path

import pytest

from maysend.servers.submission import (
    NextHop,
    NextHopTls,
    ServerTls,
    client_context,
)
from maysend.servers.submission.settings import LOOPBACK
from tests.servers.certificates import Authority
from tests.servers.conftest import LoopThread
from tests.servers.gateways import NextHopScript, Running, converse, running

HELLO = b"Subject: hello\r\n\r\nHello\r\n"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def send(gateway: Running) -> str:
    with gateway.connect() as client:
        client.command("EHLO x")
        client.command("MAIL FROM:<carol@example.org>")
        reply = client.command("RCPT TO:<x@example.net>")
        if not reply.startswith("250"):
            return reply
        client.command("DATA")
        client.send(HELLO + b".\r\n")
        return client.reply()


ONLY_LOGGED_IN = {"smtpd_relay_restrictions": "permit_sasl_authenticated, reject"}
US = {"login": "bob@example.com", "password": "secret"}


@pytest.mark.parametrize("wrapper", [False, True])
def test_a_next_hop_with_tls_and_a_login(
    loop_thread: LoopThread, authority: Authority, wrapper: bool
) -> None:
    """A second gateway is the next hop: its certificate is checked, then our login is sent."""
    certificate, key = authority.certificate("next.example")
    tls = ServerTls(certificate, key).context
    verifying = client_context("verify", str(authority.file))
    policy = {**ONLY_LOGGED_IN, "smtpd_sender_restrictions": ""}
    with running(loop_thread, tls=tls, tls_wrapper=wrapper, policy=policy) as next_hop:

        def through(context: ssl.SSLContext, name: str, **more: str) -> str:
            hop_tls = NextHopTls(context, wrapper=wrapper, server_name=name)
            hop = NextHop("127.0.0.1", next_hop.port, tls=hop_tls, **{**US, **more})  # type: ignore[arg-type]
            with running(loop_thread, next_hops=(hop,)) as gateway:
                return send(gateway)

        assert through(verifying, "next.example") == "250 2.0.0 Ok: taken by the sink"
        assert b"(using TLSv1." in next_hop.sink.messages[0].text
        assert through(verifying, "other.example").startswith("451 4.4.")
        assert through(client_context("verify"), "next.example").startswith("451 4.4.")
        assert through(client_context("encrypt"), "x").startswith("250 ")
        assert through(verifying, "next.example", password="wrong").startswith("451 4.7.8 ")
    assert len(next_hop.sink.messages) == 2


def test_tls_that_is_not_offered(loop_thread: LoopThread) -> None:
    """Nothing is downgraded: required TLS that is missing is a 4xx."""
    with running(loop_thread) as next_hop:
        for required, reply in ((True, "451 4.7.5 "), (False, "250 ")):
            tls = NextHopTls(client_context("encrypt"), required=required)
            hop = NextHop("127.0.0.1", next_hop.port, tls=tls)
            with running(loop_thread, next_hops=(hop,)) as gateway:
                assert send(gateway).startswith(reply)


def test_octets_slipped_in_before_tls_to_the_next_hop(loop_thread: LoopThread) -> None:
    injected = b"220 go ahead\r\n250 injected\r\n"
    ehlo = {b"EHLO": b"250-x\r\n250 STARTTLS\r\n", b"STAR": injected}
    script = NextHopScript(lambda connection: converse(connection, ehlo, b"QUIT"))
    hop = NextHop("127.0.0.1", script.port, tls=NextHopTls(client_context("encrypt")))
    with running(loop_thread, next_hops=(hop,)) as gateway:
        assert send(gateway).startswith("451 4.4.2 ")
    script.close()


def test_the_next_one_where_one_is_down(loop_thread: LoopThread) -> None:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        nobody = reserved.getsockname()[1]
    with running(loop_thread) as second:
        hops = (NextHop("127.0.0.1", nobody), NextHop("127.0.0.1", second.port))
        with running(loop_thread, next_hops=hops) as gateway:
            assert send(gateway).startswith("250 ")
            assert send(gateway).startswith("250 ")
            line = f"warning: next hop 127.0.0.1:{nobody}: does not answer"
            assert gateway.log.count(line) == 1, "said once, not with each message"
            assert f"relay=127.0.0.1:{second.port}" in gateway.log[-1]
        assert len(second.sink.messages) == 2


@pytest.mark.parametrize("tell", ["xclient", "xforward"])
def test_the_next_hop_is_told_who_it_was(loop_thread: LoopThread, tell: str) -> None:
    """XCLIENT LOGIN to another gateway, whose policy then knows the user."""
    policy = ONLY_LOGGED_IN if tell == "xclient" else {"smtpd_sender_restrictions": ""}
    with running(loop_thread, policy=policy, xclient_from=LOOPBACK) as next_hop:
        hop = NextHop("127.0.0.1", next_hop.port, tell=tell)  # type: ignore[arg-type]
        with (
            running(loop_thread, next_hops=(hop,), tls_auth_only=False) as gateway,
            smtplib.SMTP("127.0.0.1", gateway.port) as client,
        ):
            client.login("bob@example.com", "secret")
            client.sendmail("bob@example.com", "x@example.net", "Subject: x\n\ny")
            client.sendmail("bob@example.com", "x@example.net", "Subject: x\n\ny")
        assert len(next_hop.sink.messages) == 2
        login = [line for line in next_hop.log if "sasl_username=bob@example.com" in line]
        assert len(login) == (2 if tell == "xclient" else 0)
