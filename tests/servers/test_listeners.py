"""Listeners as S4.6 has them: their own overrides, PROXY, XCLIENT, chunks, limits, certificates."""

import shutil
import smtplib
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest

from maysend.directory import Directory
from maysend.maincf import MainCfError, Parameters
from maysend.policy import Policy
from maysend.servers.submission import (
    GatewaySettings,
    Limits,
    NextHop,
    NextHopTls,
    ServerTls,
    Timeouts,
    client_context,
    directory_logins,
    with_parameters,
)
from maysend.servers.submission.settings import LOOPBACK
from tests.servers.certificates import Authority
from tests.servers.conftest import LoopThread
from tests.servers.gateways import Client, NextHopScript, Running, converse, running

HELLO = b"Subject: hello\r\n\r\nHello\r\n"
CHUNKING = ("PIPELINING", "SIZE", "8BITMIME", "CHUNKING")
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
        client.send(HELLO + b".\r\n")
        assert client.reply().startswith("250 ")
        received = gateway.sink.messages[0].text.replace(b"\r\n\t", b" ")
        assert received.startswith(b"Received: from there (unknown [2001:DB8::1]) by gateway")
        assert b" with ESMTPA id " in received


def chunked(client: Client, *chunks: bytes) -> list[str]:
    client.command("EHLO x")
    client.command("MAIL FROM:<carol@example.org>")
    client.command("RCPT TO:<x@example.net>")
    for number, chunk in enumerate(chunks, 1):
        last = b" LAST" if number == len(chunks) else b""
        client.send(b"BDAT %d%s\r\n" % (len(chunk), last) + chunk)
    return [client.reply() for _ in chunks]


@pytest.fixture
def chunking(loop_thread: LoopThread) -> Iterator[Running]:
    with running(loop_thread, keywords=CHUNKING) as started:
        yield started


def test_chunks(chunking: Running) -> None:
    """RFC 3030: pipelined, cut anywhere, dots as they are, and an empty last one."""
    message = b"Subject: x\r\n\r\n.one\r\n..\r\n.\r\nMAIL FROM:<x@y.z>\r\n"
    with chunking.connect() as client:
        for cuts in ((13, 14), (15, 16), (len(message), len(message)), (0, 3)):
            chunks = (message[: cuts[0]], message[cuts[0] : cuts[1]], message[cuts[1] :])
            replies = chunked(client, *chunks)
            assert replies[0] == f"250 2.0.0 Ok: {len(chunks[0])} bytes"
            assert replies[2] == "250 2.0.0 Ok: taken by the sink"
        assert len(chunking.sink.messages) == 4
        assert all(m.text.endswith(message) for m in chunking.sink.messages)
        assert client.command("NOOP") == "250 2.0.0 Ok"


def test_broken_chunks(chunking: Running) -> None:
    """Bare CR or LF, no line end at the end, a bad header: refused, and read to the end."""
    with chunking.connect() as client:
        assert chunked(client, HELLO, b"a\nb\r\n")[1].startswith("550 5.5.2 ")
        assert chunked(client, HELLO + b"a\r", b"b\r\n")[1].startswith("550 5.5.2 ")
        assert chunked(client, HELLO + b"a")[0].startswith("550 5.6.1 ")
        assert chunked(client, b"no header\r\n\r\n", b"x\r\n")[1].startswith("554 5.6.0 ")
        client.command("RSET")
        client.send(b"BDAT 6\r\nNOOP\r\nBDAT 6 LAST\r\nNOOP\r\nNOOP\r\n")
        assert [client.reply()[:3] for _ in range(3)] == ["503", "503", "250"]
        assert not chunking.sink.messages


def test_chunks_that_are_given_up(chunking: Running) -> None:
    with chunking.connect() as client:
        client.command("EHLO x")
        client.command("MAIL FROM:<carol@example.org>")
        client.command("RCPT TO:<x@example.net>")
        client.send(b"BDAT %d\r\n" % len(HELLO) + HELLO)
        assert client.reply().startswith("250 ")
        assert client.command("DATA").startswith("503 ")
        assert client.command("RCPT TO:<y@example.net>").startswith("503 ")
        assert client.command("RSET") == "250 2.0.0 Ok"
        assert chunked(client, HELLO) == ["250 2.0.0 Ok: taken by the sink"]
    assert len(chunking.sink.messages) == 1


def test_too_many_from_one_address(loop_thread: LoopThread) -> None:
    limits = Limits(smtpd_client_connection_count_limit=2, smtpd_client_event_limit_exceptions=())
    with running(loop_thread, limits=limits) as gateway:
        clients = [gateway.connect() for _ in range(3)]
        assert clients[2].greeting == (
            "421 4.7.0 gateway.example Error: too many connections from 127.0.0.1"
        )
        for client in clients:
            client.command("QUIT") if client is not clients[2] else None
            client.socket.close()
        with gateway.connect() as client:
            assert client.greeting.startswith("220 ")
        counts = gateway.gateway.traffic.counts
        assert (counts.connections, counts.connections_refused) == (4, 1)


def test_a_new_certificate_without_a_restart(loop_thread: LoopThread, tmp_path: Path) -> None:
    """SIGHUP's path; a file that can't be used leaves the old one in place."""
    authority = Authority(tmp_path)
    first, key = authority.certificate("localhost")
    used = tmp_path / "used.pem", tmp_path / "used.key"
    shutil.copy(first, used[0])
    shutil.copy(key, used[1])
    tls = ServerTls(*used)
    trusting = ssl.create_default_context(cafile=str(authority.file))

    def serial(port: int) -> str:
        with socket.create_connection(("127.0.0.1", port)) as raw:
            raw_tls = trusting.wrap_socket(raw, server_hostname="localhost")
            return str((raw_tls.getpeercert() or {})["serialNumber"])

    with running(loop_thread, tls=tls.context, tls_wrapper=True) as gateway:
        before = serial(gateway.port)
        second, key = authority.certificate("localhost")
        shutil.copy(second, used[0])
        with pytest.raises(ssl.SSLError):
            loop_thread.call(tls.reload)
        assert serial(gateway.port) == before
        shutil.copy(key, used[1])
        loop_thread.call(tls.reload)
        assert serial(gateway.port) != before


# -- the next hop -----------------------------------------------------------------------------


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


# -- who may go on ----------------------------------------------------------------------------


def test_a_login_that_was_suspended_or_removed_meanwhile(
    loop_thread: LoopThread, tmp_path: Path
) -> None:
    """S5.4: refused at its next MAIL, the null sender too, in a session that was open already;
    S5.5: the reason in ASCII where SMTPUTF8 was not asked for."""
    with Directory.open(tmp_path / "directory.db") as directory:
        for login in ("bob@example.com", "eve@example.com", "joe@example.com"):
            directory.accounts.add(login, password_hash="{PLAIN}secret")
        with running(
            loop_thread, logins=lambda: directory_logins(directory), tls_auth_only=False
        ) as gateway:
            clients = []
            for login in ("bob@example.com", "eve@example.com", "joe@example.com"):
                client = smtplib.SMTP("127.0.0.1", gateway.port)
                client.login(login, "secret")
                assert client.docmd("MAIL FROM:<>")[0] == 250
                client.docmd("RSET")
                clients.append(client)
            directory.accounts.suspend("bob@example.com", "unpaid: 30 € für März")
            directory.accounts.remove("eve@example.com")
            threading.Event().wait(0.3)
            for sender in ("<>", "<bob@example.com>"):
                assert clients[0].docmd(f"MAIL FROM:{sender}") == (
                    554,
                    b"5.7.1 <bob@example.com>: SASL login name rejected: unpaid: 30 ? fur Marz",
                )
            utf8 = clients[0].docmd("MAIL FROM:<> SMTPUTF8")[1].decode()
            assert utf8.endswith("unpaid: 30 € für März")
            assert clients[1].docmd("MAIL FROM:<>")[0] == 554
            assert clients[2].docmd("MAIL FROM:<>")[0] == 250
            for client in clients:
                client.close()


def test_what_is_relayed_is_what_the_policy_looked_at(loop_thread: LoopThread) -> None:
    policy = {"myorigin": "example.com", "smtpd_sender_restrictions": ""}
    with running(loop_thread, policy=policy) as gateway, gateway.connect() as client:
        client.command("EHLO x")
        client.command("MAIL FROM:<carol>")
        assert client.command("RCPT TO:<x%example.net>").startswith("250 ")
        client.command("DATA")
        client.send(HELLO + b".\r\n")
        assert client.reply().startswith("250 ")
        assert gateway.sink.messages[0].sender == "carol@example.com"
        assert gateway.sink.messages[0].recipients == ["x@example.net"]


# -- main.cf and master.cf --------------------------------------------------------------------


MASTER = """\
submission inet n - n - - smtpd
  -o smtpd_tls_security_level=encrypt
  -o smtpd_recipient_limit=7
smtps inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes
  -o smtpd_timeout=2m
2025 inet n - n - - smtpd
  -o smtpd_tls_auth_only=no
  -o smtpd_sasl_security_options=noanonymous,noplaintext
  -o smtpd_authorized_xclient_hosts=127.0.0.1,[::1]
  -o broken_sasl_auth_clients=yes
"""


def listener(directory: Path, service: str) -> GatewaySettings:
    settings = GatewaySettings(hostname="x", next_hops=(NextHop("127.0.0.1"),))
    return with_parameters(settings, Parameters.load(directory, service))


def test_services_with_their_own_options(tmp_path: Path, loop_thread: LoopThread) -> None:
    """S4.6: 587, 465 and 2025 from one master.cf."""
    relay = "smtpd_relay_restrictions = permit_sasl_authenticated, reject\n"
    (tmp_path / "main.cf").write_text(f"{relay}smtpd_sasl_auth_enable = yes\n")
    (tmp_path / "master.cf").write_text(MASTER)
    submission = listener(tmp_path, "submission")
    assert (submission.tls_required, submission.tls_auth_only) == (True, True)
    assert submission.limits.smtpd_recipient_limit == 7
    smtps = listener(tmp_path, "smtps")
    assert smtps.tls_wrapper
    assert smtps.timeouts.smtpd_timeout == 120
    seed = listener(tmp_path, "2025")
    assert not seed.tls_auth_only
    assert seed.xclient_from == (ip_network("127.0.0.1"), ip_network("::1"))
    policy = {name.name: name.raw for name in settings_of(tmp_path, "2025")}
    with (
        running(loop_thread, policy=policy, tls_auth_only=False) as gateway,
        gateway.connect() as client,
    ):
        assert "AUTH" not in client.command("EHLO x"), "PLAIN and LOGIN are plaintext"


def settings_of(directory: Path, service: str) -> list[object]:
    policy = Policy.load(directory, service)
    found = (policy.parameters.setting(name) for name in policy.parameters.names())
    return [setting for setting in found if setting is not None]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("smtpd_tls_security_level", "encrpyt"),
        ("smtpd_authorized_xclient_hosts", "localhost"),
        ("smtpd_tls_auth_only", "perhaps"),
    ],
)
def test_settings_that_can_not_be_read(tmp_path: Path, name: str, value: str) -> None:
    (tmp_path / "main.cf").write_text(f"# a comment\n{name} = {value}\n")
    (tmp_path / "master.cf").write_text(MASTER)
    with pytest.raises(MainCfError, match=r"main\.cf:2"):
        listener(tmp_path, "smtps")
