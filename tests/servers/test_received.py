"""The Received: line that the gateway adds, from real connections and from any that can be."""

import re
import smtplib
import ssl
from email import message_from_bytes
from email.policy import SMTP
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maysend.servers.submission.trace import LONGEST_NAME, Origin, cipher_suite, received
from tests.servers.conftest import LoopThread
from tests.servers.gateways import running

# RFC 5321 4.4's stamp in the form that is written here, and RFC 8314 4.3's clause.
COMMENT = r"\((?:[^()\\]|\([^()\\]*\))*\)"
STAMP = re.compile(
    rf"Received: from (?P<helo>[^ \t\r\n()\\;]+) {COMMENT}\r\n"
    rf"(?:\t{COMMENT}\r\n)*"
    r"\tby (?P<by>\S+) \(maysend\) with (?P<with>\w+) id (?P<id>\w+)"
    r"(?:\r\n\tfor <(?P<for>.+)>)?"
    r"(?:\r\n\ttls (?P<tls>TLS_\w+|0x[0-9A-F]{4}))?"
    r"; (?P<date>[^;\r\n]+)\r\n"
)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_message_over_tls(
    loop_thread: LoopThread, server_tls: ssl.SSLContext, certificate: str, version: ssl.TLSVersion
) -> None:
    """RFC 3848's ESMTPSA, RFC 8314's cipher suite, RFC 5321's order."""
    trusting = ssl.create_default_context(cafile=str(certificate))
    trusting.maximum_version = version
    with running(loop_thread, tls=server_tls) as gateway:
        with smtplib.SMTP("localhost", gateway.port, local_hostname="client.example") as client:
            client.starttls(context=trusting)
            client.login("bob@example.com", "secret")
            client.sendmail("bob@example.com", "a@example.net", "Subject: x\n\ny")
        found = STAMP.match(gateway.sink.messages[0].text.decode())
    assert found is not None
    assert (found["with"], found["helo"], found["for"]) == (
        "ESMTPSA",
        "client.example",
        "a@example.net",
    )
    assert found["tls"].startswith("TLS_" if version is ssl.TLSVersion.TLSv1_3 else "0xC0")


def test_openssls_names_become_registered_numbers() -> None:
    context = ssl.create_default_context()
    assert cipher_suite("ECDHE-RSA-AES256-GCM-SHA384", context) == "0xC030"
    assert cipher_suite("TLS_AES_128_GCM_SHA256", context) == "TLS_AES_128_GCM_SHA256"
    assert cipher_suite("nobody's", context) == ""


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=400)


@given(
    helo=TEXT,
    name=TEXT,
    login=TEXT,
    recipient=st.none() | st.emails(),
    protocol=st.sampled_from(["SMTP", "ESMTPSA", "UTF8SMTPSA"]),
    tls=st.sampled_from(["", "TLSv1.3 with cipher TLS_AES_128_GCM_SHA256 (128 bits)"]),
)
def test_whatever_a_client_says_it_is_one_sound_field(
    helo: str, name: str, login: str, recipient: str | None, protocol: str, tls: str
) -> None:
    origin = Origin(
        helo_name=helo,
        client_name=name,
        client_address="192.0.2.7",
        by="gateway.example",
        protocol=protocol,
        tls=tls,
        message_id="ABC",
        recipient=recipient,
        login=login,
        cipher_suite="TLS_AES_128_GCM_SHA256" if tls else "",
    )
    octets = received(origin, 1_800_000_000.0)
    text = octets.decode()
    assert text.isascii() or protocol.startswith("UTF8")
    found = STAMP.fullmatch(text)
    assert found is not None
    assert parsedate_to_datetime(found["date"]).timestamp() == 1_800_000_000
    assert len(found["helo"]) <= LONGEST_NAME
    message = message_from_bytes(octets + b"\r\n", policy=SMTP)
    assert message.keys() == ["Received"]
