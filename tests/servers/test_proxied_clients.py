"""Clients that a proxy speaks for: PROXY (S4.6: from trusted addresses only) and XCLIENT."""

import socket
import ssl
import struct
from ipaddress import ip_network

import pytest

from maysend.servers.submission import (
    Timeouts,
)
from maysend.servers.submission.settings import LOOPBACK
from tests.servers.conftest import LoopThread
from tests.servers.gateways import Client, running

FROM_PROXY = {"proxy_from": LOOPBACK}
SEES_ADDRESS = {
    "smtpd_client_restrictions": "check_client_access inline:{192.0.2.7=REJECT}",
    "smtpd_delay_reject": "no",
}


class Proxied(Client):
    """A client whose connection begins with a PROXY header."""

    def __init__(self, port: int, header: bytes) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), 20)
        self._input = b""
        self.socket.sendall(header)


def second_version(client: str, server: str = "127.0.0.1", *, command: int = 1) -> bytes:
    family = socket.AF_INET6 if ":" in client else socket.AF_INET
    body = socket.inet_pton(family, client) + socket.inet_pton(family, server)
    body += struct.pack("!HH", 1234, 587) + b"\x03\x00\x04abcd"
    kind = 0x21 if ":" in client else 0x11
    head = b"\r\n\r\n\0\r\nQUIT\n" + bytes([0x20 | command, kind])
    return head + struct.pack("!H", len(body)) + body


@pytest.mark.parametrize(
    "header",
    [
        b"PROXY TCP4 192.0.2.7 127.0.0.1 1234 587\r\n",
        second_version("192.0.2.7"),
    ],
)
def test_the_client_is_whom_the_proxy_names(loop_thread: LoopThread, header: bytes) -> None:
    with running(loop_thread, policy=SEES_ADDRESS, **FROM_PROXY) as gateway:
        with Proxied(gateway.port, header + b"EHLO x\r\nMAIL FROM:<a@b.c>\r\n") as client:
            assert client.reply().startswith("554 5.7.1 <unknown[192.0.2.7]>: Client host rejected")
        with Proxied(gateway.port, b"PROXY UNKNOWN\r\n") as client:
            assert client.reply().startswith("220 ")
        with Proxied(gateway.port, second_version("::1", "::1", command=0)) as client:
            assert client.reply().startswith("220 ")


def test_a_proxied_client_may_come_with_tls_in_the_same_packet(
    loop_thread: LoopThread, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    """Not an octet after the header is read before TLS is."""
    with running(loop_thread, tls=server_tls, tls_wrapper=True, **FROM_PROXY) as gateway:
        for header in (b"PROXY TCP4 192.0.2.8 127.0.0.1 9 587\r\n", second_version("192.0.2.8")):
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            tls = client_tls.wrap_bio(incoming, outgoing, server_hostname="localhost")
            with pytest.raises(ssl.SSLWantReadError):
                tls.do_handshake()
            with Proxied(gateway.port, header + outgoing.read()) as client:
                while True:
                    incoming.write(client.socket.recv(65536))
                    try:
                        tls.do_handshake()
                        break
                    except ssl.SSLWantReadError:
                        client.socket.sendall(outgoing.read())
                client.socket.sendall(outgoing.read())
                greeting = b""
                while not greeting:
                    try:
                        greeting = tls.read()
                    except ssl.SSLWantReadError:
                        incoming.write(client.socket.recv(65536))
                assert greeting.startswith(b"220 ")


@pytest.mark.parametrize(
    "octets",
    [
        b"EHLO x\r\n\r\n",
        b"PROXY TCP4 192.0.2.7\r\n",
        b"PROXY " + b"x" * 200,
        b"\r\n\r\n\0\r\nXXXXXXXX",
    ],
)
def test_a_proxy_has_to_say_whom_it_brings(loop_thread: LoopThread, octets: bytes) -> None:
    with running(loop_thread, timeouts=Timeouts(smtpd_proxy_timeout=0.3), **FROM_PROXY) as gateway:
        with Proxied(gateway.port, octets) as client:
            assert is_closed(client)
        with Proxied(gateway.port, b"PRO") as client:
            assert is_closed(client), "nor for ever"
        assert all("no PROXY header from 127.0.0.1" in line for line in gateway.log)


def is_closed(client: Client) -> bool:
    """Closed without a word, or reset where we had sent more than was read."""
    try:
        return client.reply() == ""
    except ConnectionResetError:
        return True


def test_nobody_else_may_name_another_client(loop_thread: LoopThread) -> None:
    with running(loop_thread, proxy_from=(ip_network("192.0.2.0/24"),)) as gateway:
        with Proxied(gateway.port, b"PROXY TCP4 192.0.2.7 127.0.0.1 1 2\r\n") as client:
            assert client.reply().startswith("220 ")
            assert client.reply() == "500 5.5.2 Error: command not recognized"
        with gateway.connect() as client:
            assert "XCLIENT" not in client.command("EHLO x")
            assert client.command("XCLIENT ADDR=192.0.2.7").startswith("550 5.7.0 ")


def test_xclient(loop_thread: LoopThread) -> None:
    """As a live smtpd: attributes in EHLO, the greeting again, a dialogue that begins anew."""
    with running(loop_thread, xclient_from=LOOPBACK) as gateway, gateway.connect() as client:
        line = "XCLIENT NAME ADDR PROTO HELO REVERSE_NAME PORT LOGIN DESTADDR DESTPORT"
        assert line in client.command("EHLO x")
        assert client.command("XCLIENT").startswith("501 5.5.4 ")
        assert client.command("XCLIENT FOO=bar") == "501 5.5.4 Error: bad attribute name: FOO"
        assert client.command("XCLIENT ADDR=nowhere").startswith("501 5.5.4 Error: bad ADDR")
        assert client.command("XCLIENT NAME=a+ZZ").startswith("501 5.5.4 ")
        facts = "ADDR=IPV6:2001:DB8::1 NAME=[UNAVAILABLE] LOGIN=bob+40example.com HELO=there"
        assert client.command(f"XCLIENT {facts}").startswith("220 ")
        assert client.command("XCLIENT ADDR=::1").startswith("550 5.7.0 "), "no longer trusted"
        assert client.command("MAIL FROM:<bob@example.com>") == "250 2.1.0 Ok"
        assert client.command("RCPT TO:<x@example.net>").startswith("250 ")
        client.command("DATA")
        client.send(b"Subject: hello\r\n\r\nHello\r\n.\r\n")
        assert client.reply().startswith("250 ")
        received = gateway.sink.messages[0].text.replace(b"\r\n\t", b" ")
        assert received.startswith(b"Received: from there (unknown [2001:DB8::1]) by gateway")
        assert b" with ESMTPA id " in received
