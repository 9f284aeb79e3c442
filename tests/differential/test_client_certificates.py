"""Restrictions on TLS client certificates, over real TLS connections to a live smtpd."""

import hashlib
import os
import ssl
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from maysend.policy import Policy
from tests.differential.live_postfix import LivePostfix
from tests.servers.certificates import Authority
from tests.servers.policy_server import attributes, policy_server

pytestmark = pytest.mark.needs_postfix

WAYS = ("none", "trusted", "untrusted")


class Client(msgspec.Struct):
    """What one kind of client presents, and what a live smtpd must say of it."""

    context: ssl.SSLContext
    name: str = ""
    issuer: str = ""
    certificate: str = ""
    public_key: str = ""
    trusted: bool = False


class Tls(msgspec.Struct):
    postfix: LivePostfix
    server: dict[str, str]
    files: dict[str, str]
    clients: dict[str, Client]


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tls]:
    directory, strangers = tmp_path_factory.mktemp("ours"), tmp_path_factory.mktemp("theirs")
    authority, other = Authority(directory), Authority(strangers)
    certificate, key = authority.certificate("mail.example.com")
    clients = {
        "none": Client(_context()),
        "trusted": _client(authority, "trusted client", trusted=True),
        "untrusted": _client(other, "untrusted client", trusted=False),
    }
    files = {
        "ca.pem": authority.file.read_text(),
        "server.pem": certificate.read_text(),
        "server.key": key.read_text(),
    }
    server = {
        "smtpd_tls_security_level": "may",
        "smtpd_tls_cert_file": "$config_directory/server.pem",
        "smtpd_tls_key_file": "$config_directory/server.key",
        "smtpd_tls_CAfile": "$config_directory/ca.pem",
        "smtpd_tls_ask_ccert": "yes",
        "smtpd_tls_session_cache_database": "",
    }
    with LivePostfix() as postfix:
        yield Tls(postfix, server, files, clients)


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _client(authority: Authority, name: str, *, trusted: bool) -> Client:
    certificate, key = authority.certificate(name)
    context = _context()
    context.load_cert_chain(certificate, key)
    loaded = x509.load_pem_x509_certificate(certificate.read_bytes())
    public_key = loaded.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return Client(
        context,
        name=name,
        issuer="maysend test authority",
        certificate=_fingerprint(loaded.public_bytes(Encoding.DER)),
        public_key=_fingerprint(public_key),
        trusted=trusted,
    )


def _fingerprint(octets: bytes) -> str:
    return hashlib.sha256(octets).digest().hex(":").upper()


def both_say(tls: Tls, way: str, parameters: dict[str, str]) -> tuple[list[str], list[str]]:
    """The replies to MAIL, RCPT of a live smtpd and of our policy, for that client."""
    client = tls.clients[way]
    written = {
        name: value.replace("CERT", client.certificate or "00").replace(
            "PKEY", client.public_key or "11"
        )
        for name, value in parameters.items()
    }
    tls.postfix.configure({**tls.server, **written}, tls.files)
    with tls.postfix.session(helo="client.example") as smtp:
        smtp.start_tls(client.context)
        smtp.command("EHLO client.example")
        live = [smtp.command(line) for line in ("MAIL FROM:<a@example.org>", "RCPT TO:<b@x.net>")]
    session = Policy.load(tls.postfix.directory).session(client_address="192.0.2.7")
    session.encrypted("TLSv1.3", "TLS_AES_256_GCM_SHA384", 256)
    session.certified(
        client.certificate,
        client.public_key,
        subject=client.name,
        issuer=client.issuer,
        trusted=client.trusted,
    )
    session.helo("client.example")
    decisions = [session.mail("a@example.org"), session.rcpt("b@x.net")]
    ours = [str(decision.reply) if decision.reply else "ok" for decision in decisions]
    return ["ok" if reply.startswith("2") else reply for reply in live], ours


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("restriction", ["permit_tls_clientcerts", "permit_tls_all_clientcerts"])
@pytest.mark.parametrize(
    "listed",
    ["", "inline:{CERT=x}", "inline:{PKEY=x}", "inline:{AA=x}", "fail:x", "pcre:{{/^CERT/ x}}"],
)
def test_relay_permission_by_certificate(tls: Tls, way: str, restriction: str, listed: str) -> None:
    live, ours = both_say(
        tls,
        way,
        {
            "relay_clientcerts": listed,
            "smtpd_relay_restrictions": f"{restriction}, reject_unauth_destination",
        },
    )
    assert ours == live


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "item",
    [
        "inline:{CERT=REJECT 5.1.1 no}",
        "inline:{PKEY=REJECT, CERT=DUNNO}",
        "inline:{PKEY=REJECT key, CERT=REJECT cert}",
        "inline:{PKEY=OK}, reject",
        "inline:{AA=REJECT}",
        "fail:x",
        "static:reject_unauth_destination",
        "{ inline:{PKEY=REJECT}, { search_order = cert_fingerprint } }",
        "{ inline:{PKEY=REJECT key, CERT=REJECT cert}, "
        "{ search_order = pubkey_fingerprint, cert_fingerprint } }",
        "{ inline:{PKEY=REJECT key, CERT=REJECT cert} { search_order=pubkey_fingerprint } }",
        "{ inline:{CERT=REJECT}, search_order=cert_fingerprint }",
        "{ inline:{CERT=REJECT} }",
        "{ inline:{CERT=REJECT}, { search_order = } }",
        "{ inline:{CERT=REJECT}, { search_order = issuer } }",
        "{ inline:{CERT=REJECT}, { order = cert_fingerprint } }",
        "{ }",
        "{ nonsense }",
        "nonsense",
        "{ inline:{CERT=REJECT}",
        "",
    ],
)
def test_access_by_certificate(tls: Tls, way: str, item: str) -> None:
    live, ours = both_say(
        tls, way, {"smtpd_client_restrictions": f"check_ccert_access {item}".strip()}
    )
    assert ours == live


@pytest.mark.parametrize("way", WAYS)
def test_a_policy_server_is_told_the_certificate(tls: Tls, way: str) -> None:
    path = Path(tls.postfix.queue) / "private/policy"
    path.unlink(missing_ok=True)
    with policy_server(lambda request: b"action=DUNNO\n\n", path) as server:
        os.chmod(path, 0o666)
        asked = "check_policy_service unix:private/policy"
        live, ours = both_say(tls, way, {"smtpd_recipient_restrictions": asked})
        told = [attributes(request) for request in server.requests]
    assert ours == live
    assert (
        len(told) == 2 * len([reply for reply in live if not reply.startswith("5")]) or told == []
    )
    if told:
        certificates = [
            {name: value for name, value in request.items() if name.startswith("ccert_")}
            for request in told
        ]
        assert certificates[0] == certificates[1]
        assert bool(certificates[0]["ccert_fingerprint"]) == (way != "none")
