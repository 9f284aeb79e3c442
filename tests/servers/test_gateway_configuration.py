"""A maysend.toml with all that a gateway can be told, run; and what is said where it can't be."""

import base64
import smtplib
import socket
import ssl
from pathlib import Path

import pytest

from maysend.directory import Directory
from maysend.servers.configuration import ConfigurationError, read_configuration
from maysend.servers.kinds import settings_by_kind
from maysend.servers.submission import ServerTls
from tests.servers.certificates import Authority
from tests.servers.conftest import LoopThread
from tests.servers.gateways import running
from tests.servers.serving import serving

EVERYTHING = """
directory = "sqlite:///d.db"
[[listener]]
kind = "submission"
name = "submission"
address = "inet:127.0.0.1:0"
hostname = "mail.example.com"
tls = "starttls"
tls_certificate = "localhost.pem"
tls_key = "localhost.key"
mechanisms = ["PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"]
salt_key = "salt.key"
message_size_limit = 1000
xclient_from = ["127.0.0.0/8"]
{next_hops}
[[listener]]
kind = "submission"
name = "smtps"
address = "inet:127.0.0.1:0"
tls = "wrapper"
tls_certificate = "localhost.pem"
tls_key = "localhost.key"
proxy_from = ["127.0.0.1"]
{next_hops}
"""
NEXT_HOPS = """
[[listener.next_hop]]
host = "127.0.0.1"
port = {dead}
[[listener.next_hop]]
host = "127.0.0.1"
port = {port}
tls = "verify"
wrapper = true
ca_file = "ca.pem"
server_name = "next.example"
login = "bob@example.com"
password_file = "password"
"""
LOGGED_IN = {
    "smtpd_relay_restrictions": "permit_sasl_authenticated, reject",
    "smtpd_sender_restrictions": "",
}


def test_587_and_465_to_a_relay_that_asks_for_a_login(
    tmp_path: Path, loop_thread: LoopThread
) -> None:
    """S4.6: each its own; the first next hop is down, the second is checked and logged in to."""
    authority = Authority(tmp_path)
    authority.certificate("localhost")
    tls = ServerTls(*authority.certificate("next.example")).context
    trusting = ssl.create_default_context(cafile=str(authority.file))
    (tmp_path / "password").write_text("secret\n")
    (tmp_path / "salt.key").write_bytes(bytes(range(32)))
    with Directory.open(tmp_path / "d.db") as directory:
        directory.accounts.add("bob@example.com", password_hash="{PLAIN}secret")
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        dead = reserved.getsockname()[1]
    with running(loop_thread, tls=tls, tls_wrapper=True, policy=LOGGED_IN) as relay:
        hops = NEXT_HOPS.format(dead=dead, port=relay.port)
        with serving(tmp_path, EVERYTHING.format(next_hops=hops)) as served:
            with smtplib.SMTP("localhost", served.port("submission"), timeout=20) as client:
                client.ehlo()
                assert client.has_extn("xclient")
                client.starttls(context=trusting)
                client.ehlo()
                assert client.esmtp_features["auth"].split() == [
                    "PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256",
                ]  # fmt: skip
                assert client.esmtp_features["size"] == "1000"
                client.login("bob@example.com", "secret")
                text = "From: bob@example.com\n\nby 587\n"
                client.sendmail("bob@example.com", "a@example.net", text)
            send_through_a_proxy(served.port("smtps"), trusting)
            said = served.log
    by_587, by_465 = (message.text for message in relay.sink.messages)
    assert b"by mail.example.com (maysend) with ESMTPSA" in by_587
    assert b"(unknown [192.0.2.7])" in by_465
    assert by_465.endswith(b"\r\n\r\nby 465\r\n")
    assert f"next hop 127.0.0.1:{dead}: does not answer" in said
    assert "secret" not in said


def send_through_a_proxy(port: int, trusting: ssl.SSLContext) -> None:
    """One message, on a connection that a proxy brings from 192.0.2.7."""
    raw = socket.create_connection(("127.0.0.1", port), 20)
    raw.sendall(b"PROXY TCP4 192.0.2.7 127.0.0.1 4711 465\r\n")
    with trusting.wrap_socket(raw, server_hostname="localhost") as tls:
        plain = base64.b64encode(b"\0bob@example.com\0secret")
        lines = tls.makefile("rwb", buffering=0)
        assert lines.readline().startswith(b"220 ")
        for command in (
            b"HELO client.example",
            b"AUTH PLAIN " + plain,
            b"MAIL FROM:<bob@example.com>",
            b"RCPT TO:<a@example.net>",
            b"DATA",
            b"From: bob@example.com\r\n\r\nby 465\r\n.",
        ):
            tls.sendall(command + b"\r\n")
            assert lines.readline()[:1] in b"23", command


LISTENER = """
[[listener]]
kind = "submission"
address = "inet:127.0.0.1:0"
tls = "none"
[[listener.next_hop]]
host = "127.0.0.1"
"""


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ('tls = "none"', "", "tls_certificate: needed for TLS"),
        ('tls = "none"', 'tls = "non"', "tls"),
        ('tls = "none"', 'tls = "none"\ntls_certificate = "x"', "has no use for tls_certificate"),
        ('tls = "none"', 'tls = "none"\nproxy_from = ["proxy"]', "proxy_from: 'proxy' does not"),
        ('tls = "none"', 'tls = "none"\nmechanisms = ["PLAN"]', "mechanisms: no mechanism 'PLAN'"),
        ('tls = "none"', 'tls = "none"\nmechanisms = []', "mechanisms: expected at least one"),
        ('tls = "none"', 'tls = "none"\nmechanisms = ["SCRAM-SHA-256"]', "salt_key: SCRAM-SHA-256"),
        ('tls = "none"', 'tls = "none"\nfailures_per_login = -1', "failures_per_login: expected 0"),
        ("[[listener.next_hop]]\n", "", "host: no such key"),
        ('[[listener.next_hop]]\nhost = "127.0.0.1"', "", "next_hop: add [[listener.next_hop]]"),
        ('host = "127.0.0.1"', 'hots = "x"', "hots"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(
    tmp_path: Path, old: str, new: str, wanted: str
) -> None:
    assert old in LISTENER
    file = tmp_path / "maysend.toml"
    file.write_text(LISTENER.replace(old, new, 1))
    with pytest.raises(ConfigurationError, match=r"maysend\.toml:\d+: ") as raised:
        read_configuration(file, settings_by_kind())
    assert wanted in str(raised.value)


def test_the_manuals_example_can_be_read(tmp_path: Path) -> None:
    manual = Path(__file__).parents[2] / "docs" / "gateway.md"
    file = tmp_path / "maysend.toml"
    file.write_text(manual.read_text().split("```toml\n")[1].split("```")[0])
    listeners = read_configuration(file, settings_by_kind()).listeners
    assert [listener.address for listener in listeners] == ["inet:*:587", "inet:*:465"]
