"""The submission gateway (RFC 6409): asks the policy, relays in the same dialogue, no queue.

`Gateway` in `listener` is the way in. A connection is a `Dialogue`, its socket a `Channel`, its
next hop a `Relay`; `message` takes a message from the one to the other.
"""

from maysend.servers.submission.certificates import ServerTls
from maysend.servers.submission.dovecot_logins import DovecotLogins
from maysend.servers.submission.listener import Gateway
from maysend.servers.submission.logins import Logins, PasswordLogins, directory_logins
from maysend.servers.submission.main_cf_settings import with_parameters
from maysend.servers.submission.next_hop import NextHop, NextHopTls, client_context
from maysend.servers.submission.settings import GatewaySettings, Limits, Timeouts
from maysend.servers.submission.traffic import Counts, Traffic

__all__ = [
    "Counts",
    "DovecotLogins",
    "Gateway",
    "GatewaySettings",
    "Limits",
    "Logins",
    "NextHop",
    "NextHopTls",
    "PasswordLogins",
    "ServerTls",
    "Timeouts",
    "Traffic",
    "client_context",
    "directory_logins",
    "with_parameters",
]
