"""What the dialogues of one gateway share."""

import asyncio
from collections.abc import Callable

from maysend.policy import Policy
from maysend.protocols.smtp.commands import Extensions
from maysend.servers.deciding import Deciding
from maysend.servers.submission.logins import Logins
from maysend.servers.submission.peer import Peer
from maysend.servers.submission.relay import NextHopFailed, Relay
from maysend.servers.submission.sasl_settings import SaslSettings
from maysend.servers.submission.settings import GatewaySettings
from maysend.servers.submission.traffic import Traffic
from maysend.tables import LookupTable, TableError

UNKNOWN = Extensions()
"""Offered while the next hop has not been reached: nothing that it might not take."""


class Services:
    """Handed to each dialogue. `log` takes one line, without time or host."""

    def __init__(
        self,
        settings: GatewaySettings,
        policy: Policy,
        logins: Logins,
        deciding: Deciding,
        traffic: Traffic,
        log: Callable[[str], None],
    ) -> None:
        self.settings = settings
        self.policy = policy
        self.logins = logins
        self.deciding = deciding
        self.traffic = traffic
        self.log = log
        self.sasl = SaslSettings.from_parameters(policy.parameters)
        self.next_hop_extensions = UNKNOWN
        self._no_auth_for = policy.site.match_list("smtpd_sasl_exceptions_networks", "none")

    async def open_relay(self) -> Relay:
        """A connection to the next hop. Raises NextHopFailed. Also learns what it offers."""
        settings = self.settings
        relay = await Relay.open(settings.next_hop, settings.hostname, settings.timeouts)
        self.next_hop_extensions = relay.extensions
        return relay

    async def probe(self) -> None:
        """Ask the next hop what it offers; when it is down, offer nothing until it is back."""
        try:
            (await self.open_relay()).quit()
        except NextHopFailed as problem:
            if self.next_hop_extensions is not UNKNOWN:
                self.log(f"warning: next hop {self.settings.next_hop}: {problem}")
            self.next_hop_extensions = UNKNOWN

    async def keep_probing(self) -> None:
        """Probe for ever: often while it is down, else every `probe_interval` seconds."""
        interval = self.settings.timeouts.probe_interval
        while True:
            down = self.next_hop_extensions is UNKNOWN
            await asyncio.sleep(min(2.0, interval) if down else interval)
            await self.probe()

    def offered(self) -> Extensions:
        """What EHLO may offer: what both ends can do (nothing is downgraded on the way)."""
        theirs = self.next_hop_extensions
        return Extensions(
            size=self._size_limit(theirs),
            eightbitmime=theirs.eightbitmime,
            smtputf8=theirs.smtputf8,
            dsn=theirs.dsn,
            pipelining=True,
            enhancedstatuscodes=True,
        )

    def hides_auth_from(self, peer: Peer) -> bool:
        """Whether EHLO is not to name AUTH to this client (smtpd_sasl_exceptions_networks)."""
        try:
            return self._no_auth_for.match_host(peer.name, peer.address, _ask) is not None
        except TableError as problem:
            self.log(f"warning: {problem}")
            return True

    def _size_limit(self, theirs: Extensions) -> int:
        limits = [self.settings.limits.message_size_limit, theirs.size or 0]
        return min((limit for limit in limits if limit), default=0)


def _ask(table: LookupTable, key: str) -> str | None:
    return table.lookup(key)
