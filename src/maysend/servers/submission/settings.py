"""How the gateway runs. Who may send is not said here: that is the policy's."""

import ssl
from ipaddress import IPv4Network, IPv6Network, ip_address

import msgspec

from maysend.protocols.header import HEADER_SIZE_LIMIT
from maysend.servers.submission.guessing import GuessLimits
from maysend.servers.submission.next_hop import NextHop

Networks = tuple[IPv4Network | IPv6Network, ...]

LOOPBACK: Networks = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))


class Limits(msgspec.Struct, frozen=True):
    """Bounds, named as in postconf(5) where Postfix has them. Sizes in octets."""

    message_size_limit: int = 0
    header_size_limit: int = HEADER_SIZE_LIMIT
    body_line_limit: int = 65536
    smtpd_recipient_limit: int = 1000
    smtpd_soft_error_limit: int = 10
    smtpd_hard_error_limit: int = 20
    smtpd_junk_command_limit: int = 100
    smtpd_client_connection_count_limit: int = 50
    """Connections at a time from one address; 0 is no limit."""
    smtpd_client_event_limit_exceptions: Networks = LOOPBACK
    """Clients for which that limit does not hold."""
    connections: int = 10000
    """Of all clients, at a time."""
    guesses: GuessLimits = GuessLimits()
    decision_threads: int = 16
    """Decisions that may wait for tables at a time."""
    refused_size_limit: int = 104857600
    """What is still read of a message that was refused, before the connection is closed."""


class Timeouts(msgspec.Struct, frozen=True):
    """Seconds. Those of the next hop are RFC 5321 4.5.3.2's."""

    smtpd_timeout: float = 300.0
    smtpd_starttls_timeout: float = 30.0
    smtpd_error_sleep_time: float = 1.0
    smtpd_proxy_timeout: float = 5.0
    """How long a proxy has to say whose connection it brings (smtpd_upstream_proxy_timeout)."""
    broken_message_idle: float = 5.0
    """How long a client may be silent in a message with bare CR or LF: it may believe that it
    has said its final dot."""
    next_hop_connect: float = 30.0
    next_hop_greeting: float = 300.0
    next_hop_command: float = 300.0
    next_hop_data: float = 120.0
    next_hop_block: float = 180.0
    next_hop_final: float = 600.0
    first_probe: float = 5.0
    """How long the next hop has to say what it offers before the first client is served."""
    probe_interval: float = 60.0
    next_hop_retry: float = 10.0
    """How long a next hop that failed is asked last."""
    shutdown_grace: float = 30.0


class GatewaySettings(msgspec.Struct, frozen=True, kw_only=True):
    """One listener.

    `next_hops` are tried in order. `tls` is the server's context, None for a port without TLS.
    `tls_required` is Postfix's smtpd_tls_security_level=encrypt, `tls_auth_only` its
    smtpd_tls_auth_only, `tls_wrapper` its smtpd_tls_wrappermode (port 465).

    `proxy_from`: addresses that have to begin with the PROXY protocol (v1 or v2); nobody else may.
    `xclient_from`: those that may say XCLIENT (smtpd_authorized_xclient_hosts).
    """

    hostname: str
    next_hops: tuple[NextHop, ...]
    host: str = "127.0.0.1"
    port: int = 587
    tls: ssl.SSLContext | None = None
    tls_required: bool = True
    tls_auth_only: bool = True
    tls_wrapper: bool = False
    proxy_from: Networks = ()
    xclient_from: Networks = ()
    limits: Limits = Limits()
    timeouts: Timeouts = Timeouts()


def is_within(address: str, networks: Networks) -> bool:
    """Whether an IP address is in one of the networks; what is none is in no network."""
    if not networks:
        return False
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in networks)
