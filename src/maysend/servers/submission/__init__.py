"""The submission gateway (RFC 6409): asks the policy, relays in the same dialogue, no queue.

`Gateway` in `listener` is the way in. A connection is a `Dialogue`, its socket a `Channel`, its
next hop a `Relay`; `message` takes a message from the one to the other.
"""

from maysend.servers.submission.listener import Gateway
from maysend.servers.submission.logins import Logins, PasswordLogins, directory_logins
from maysend.servers.submission.settings import GatewaySettings, Limits, NextHop, Timeouts

__all__ = [
    "Gateway",
    "GatewaySettings",
    "Limits",
    "Logins",
    "NextHop",
    "PasswordLogins",
    "Timeouts",
    "directory_logins",
]
