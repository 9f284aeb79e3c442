"""One question, in the attribute names of the policy delegation protocol (SMTPD_POLICY_README)."""

from enum import StrEnum

import msgspec
from msgspec import field


class ProtocolState(StrEnum):
    """How far the dialogue has come."""

    CONNECT = "CONNECT"
    EHLO = "EHLO"
    HELO = "HELO"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    END_OF_MESSAGE = "END-OF-MESSAGE"
    VRFY = "VRFY"
    ETRN = "ETRN"


class Request(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """May this client, in this state of the dialogue, go on? Addresses without angle brackets.

    In JSON what is empty or 0 is left out.
    """

    # Made by position in servers.policy.request, taken apart by position in policy.policy.
    # What comes from a factory is never left out of JSON.
    protocol_state: ProtocolState = field(default_factory=lambda: ProtocolState.RCPT)
    protocol_name: str = field(default_factory=lambda: "ESMTP")
    client_address: str = ""
    client_port: str = ""
    client_name: str = field(default_factory=lambda: "unknown")
    reverse_client_name: str = field(default_factory=lambda: "unknown")
    helo_name: str = ""
    sender: str = ""
    recipient: str = ""
    recipient_count: int = 0
    size: int = 0
    instance: str = ""
    server_address: str = ""
    server_port: str = ""
    sasl_method: str = ""
    sasl_username: str = ""
    sasl_sender: str = ""
    encryption_protocol: str = ""
    encryption_cipher: str = ""
    encryption_keysize: int = 0
    ccert_subject: str = ""
    ccert_issuer: str = ""
    ccert_fingerprint: str = ""
    ccert_pubkey_fingerprint: str = ""
    etrn_domain: str = ""
