"""What SASL and TLS can do on a service, as far as its files and sockets say."""

import socket
from os.path import isabs, join
from pathlib import Path

import msgspec

from maysend.lint.configuration import Smtpd
from maysend.maincf import tokens
from maysend.protocols.dovecot_auth import AuthClient, Offer, ProtocolError

TIMEOUT = 1.0
"""Seconds for a Dovecot to say which mechanisms it has."""

PLAINTEXT = frozenset({"PLAIN", "LOGIN"})
ANONYMOUS = frozenset({"ANONYMOUS"})
DICTIONARY = frozenset({"CRAM-MD5", "DIGEST-MD5", "NTLM", *PLAINTEXT})

_EXCLUDED_BY = {"noplaintext": PLAINTEXT, "noanonymous": ANONYMOUS, "nodictionary": DICTIONARY}


class SocketProblem(Exception):
    """The auth socket can't be used; the text says why."""


class TlsLevel(msgspec.Struct, frozen=True):
    """Whether a client may use TLS, and whether it must."""

    offered: bool
    required: bool


def tls_level(smtpd: Smtpd) -> TlsLevel:
    """smtpd_tls_security_level, or the older parameters; smtpd_tls_wrappermode is always TLS."""
    parameters = smtpd.parameters
    level = parameters["smtpd_tls_security_level"].strip().lower()
    wrapped = parameters.boolean("smtpd_tls_wrappermode")
    enforced = level == "encrypt" or (not level and parameters.boolean("smtpd_enforce_tls"))
    used = level == "may" or (not level and parameters.boolean("smtpd_use_tls"))
    return TlsLevel(wrapped or enforced or used, wrapped or enforced)


def takes_logins(smtpd: Smtpd) -> bool:
    """Whether clients of the service can log in."""
    return smtpd.policy is not None and smtpd.policy.site.sasl_is_active


def is_dovecot(smtpd: Smtpd) -> bool:
    """Whether passwords are checked by a Dovecot."""
    return smtpd.parameters["smtpd_sasl_type"].lower() == "dovecot"


def left_over(mechanisms: frozenset[str], options: str) -> frozenset[str]:
    """The mechanisms that smtpd_sasl_security_options lets through, as far as known by name."""
    for token in tokens.split(options):
        mechanisms -= _EXCLUDED_BY.get(token.text.lower(), frozenset())
    return mechanisms


def mechanisms(smtpd: Smtpd) -> frozenset[str] | None:
    """The mechanisms that Cyrus SASL or Dovecot offers; None where that can't be told."""
    if is_dovecot(smtpd):
        try:
            return frozenset(offer.mechanism for offer in dovecot_offers(socket_path(smtpd)))
        except SocketProblem:
            return None
    listed = cyrus_settings(smtpd).get("mech_list")
    return None if listed is None else frozenset(listed.upper().split())


def cyrus_settings(smtpd: Smtpd) -> dict[str, str]:
    """The lines `name: value` of Cyrus SASL's smtpd.conf, in the first place where there is one."""
    parameters = smtpd.parameters
    name = f"{parameters['smtpd_sasl_path']}.conf"
    configured = parameters["cyrus_sasl_config_path"].split(":")
    for directory in (*filter(None, configured), join(parameters.directory, "sasl")):
        try:
            text = Path(directory, name).read_text(errors="replace")
        except OSError:
            continue
        lines = (line.partition(":") for line in text.splitlines() if not line.startswith("#"))
        return {name.strip(): value.strip() for name, colon, value in lines if colon}
    return {}


def socket_path(smtpd: Smtpd) -> str:
    """Where smtpd_sasl_path is: a path, below the queue directory, or "inet:host:port"."""
    path = smtpd.parameters["smtpd_sasl_path"]
    if path.startswith("inet:") or isabs(path):
        return path
    return join(smtpd.parameters["queue_directory"], path.removeprefix("unix:"))


def dovecot_offers(path: str) -> list[Offer]:
    """The mechanisms of the Dovecot at `path`. Raises SocketProblem."""
    client = AuthClient(process=1)
    try:
        with _connected(path) as connection:
            connection.sendall(client.greeting())
            while not client.ready:
                octets = connection.recv(4096)
                if not octets:
                    raise SocketProblem(f"{path}: closed before it named its mechanisms")
                client.receive(octets)
    except ProtocolError as error:
        raise SocketProblem(f"{path}: {error}") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise SocketProblem(f"{path}: {reason or error}") from error
    return client.offers


def _connected(path: str) -> socket.socket:
    if path.startswith("inet:"):
        host, _, port = path.removeprefix("inet:").rpartition(":")
        return socket.create_connection((host.strip("[]"), int(port)), TIMEOUT)
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(TIMEOUT)
    connection.connect(path)
    return connection
