"""How the gateway runs. Who may send is not said here: that is the policy's."""

import ssl

import msgspec

from maysend.protocols.header import HEADER_SIZE_LIMIT
from maysend.servers.submission.guessing import GuessLimits


class NextHop(msgspec.Struct, frozen=True):
    """The server that takes what was accepted."""

    host: str
    port: int = 25

    def __str__(self) -> str:
        return f"{self.host}[{self.port}]" if ":" in self.host else f"{self.host}:{self.port}"


class Limits(msgspec.Struct, frozen=True):
    """Bounds, named as in postconf(5) where Postfix has them. Sizes in octets."""

    message_size_limit: int = 0
    header_size_limit: int = HEADER_SIZE_LIMIT
    body_line_limit: int = 65536
    smtpd_recipient_limit: int = 1000
    smtpd_soft_error_limit: int = 10
    smtpd_hard_error_limit: int = 20
    smtpd_junk_command_limit: int = 100
    connections: int = 1000
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
    shutdown_grace: float = 30.0


class GatewaySettings(msgspec.Struct, frozen=True, kw_only=True):
    """One listener.

    `tls` is the server's context, None for a port without TLS. `tls_required` is Postfix's
    smtpd_tls_security_level=encrypt, `tls_auth_only` its smtpd_tls_auth_only, `tls_wrapper` its
    smtpd_tls_wrappermode (port 465).
    """

    hostname: str
    next_hop: NextHop
    host: str = "127.0.0.1"
    port: int = 587
    tls: ssl.SSLContext | None = None
    tls_required: bool = True
    tls_auth_only: bool = True
    tls_wrapper: bool = False
    limits: Limits = Limits()
    timeouts: Timeouts = Timeouts()
