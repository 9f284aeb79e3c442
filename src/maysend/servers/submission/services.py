"""What the dialogues of one gateway share."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from maysend.maincf import MainCfError
from maysend.policy import Policy
from maysend.protocols.smtp.extensions import Extensions
from maysend.reply import Reply
from maysend.servers.deciding import Deciding, PolicyInUse
from maysend.servers.submission.logins import Logins
from maysend.servers.submission.next_hop import NextHop
from maysend.servers.submission.relay import NextHopFailed, Relay
from maysend.servers.submission.relay_opening import open_relay
from maysend.servers.submission.settings import GatewaySettings
from maysend.servers.submission.terms import Terms
from maysend.servers.submission.traffic import Traffic

UNKNOWN: Final = Extensions()
"""Offered while the next hop has not been reached: nothing that it might not take."""

UNKNOWN_STANDING: Final = Reply(451, "4.3.0", "Error: temporary directory failure")


class Services:
    """Handed to each dialogue. `log` takes one line, without time or host."""

    def __init__(
        self,
        settings: GatewaySettings,
        policy: PolicyInUse,
        logins: Logins,
        deciding: Deciding,
        traffic: Traffic,
        log: Callable[[str], None],
    ) -> None:
        self.settings = settings
        self._policy = policy
        self.logins = logins
        self.deciding = deciding
        self.traffic = traffic
        self.log = log
        self._terms = Terms(policy.policy, log)
        self._unusable: Policy | None = None
        self._learn(UNKNOWN)
        self._clock = time.monotonic
        self._failed_at: dict[NextHop, float] = {}

    def terms(self) -> Terms:
        """Those of the policy in use, for a dialogue that begins."""
        policy = self._policy.policy
        if policy is not self._terms.policy and policy is not self._unusable:
            try:
                self._terms = Terms(policy, self.log)
            except MainCfError as problem:
                self._unusable = policy
                self.log(f"error: {problem}; the configuration before is still used")
        return self._terms

    async def open_relay(self) -> Relay:
        """A connection to the first next hop that can be had. Raises NextHopFailed.

        Also learns what it offers.
        """
        failure: NextHopFailed | None = None
        for next_hop in self._in_order():
            try:
                settings = self.settings
                relay = await open_relay(next_hop, settings.hostname, settings.timeouts)
            except NextHopFailed as problem:
                failure = failure or problem
                self._note_failure(next_hop, problem)
            else:
                self._failed_at.pop(next_hop, None)
                self._learn(relay.extensions)
                return relay
        assert failure is not None
        raise failure

    async def probe(self) -> None:
        """Ask the next hop what it offers; when all are down, offer nothing until one is back."""
        try:
            (await self.open_relay()).quit()
        except NextHopFailed:
            self._learn(UNKNOWN)

    async def keep_probing(self) -> None:
        """Probe for ever: often while it is down, else every `probe_interval` seconds."""
        interval = self.settings.timeouts.probe_interval
        while True:
            down = self.next_hop_extensions is UNKNOWN
            await asyncio.sleep(min(2.0, interval) if down else interval)
            await self.probe()

    def _in_order(self) -> list[NextHop]:
        """As the settings have them, but those that failed a moment ago last."""
        since = self._clock() - self.settings.timeouts.next_hop_retry
        return sorted(
            self.settings.next_hops,
            key=lambda next_hop: self._failed_at.get(next_hop, float("-inf")) > since,
        )

    def _note_failure(self, next_hop: NextHop, problem: NextHopFailed) -> None:
        if next_hop not in self._failed_at:
            self.log(f"warning: next hop {next_hop}: {problem}")
        self._failed_at[next_hop] = self._clock()

    def _learn(self, theirs: Extensions) -> None:
        """Note what the next hop offers, and what EHLO may offer for that: what both ends can do
        (nothing is downgraded on the way)."""
        self.next_hop_extensions = theirs
        self.offered = Extensions(
            size=self._size_limit(theirs),
            eightbitmime=theirs.eightbitmime,
            smtputf8=theirs.smtputf8,
            dsn=theirs.dsn,
            pipelining=True,
            enhancedstatuscodes=True,
            chunking=theirs.chunking,
        )

    async def logins_objection(self, login: str) -> Reply | None:
        """Why this login may begin no message now: it was suspended, or is gone, since it came.

        The null sender is nobody's, so no owner lookup would notice.
        """
        if not login:
            return None
        try:
            reason = await self.logins.objection(login)
        except Exception as problem:  # fail closed, whatever the directory raises
            self.log(f"error: whether {login} may send is not known: {type(problem).__name__}")
            return UNKNOWN_STANDING
        if reason is None:
            return None
        return Reply(554, "5.7.1", f"<{login}>: SASL login name rejected: {reason}")

    def _size_limit(self, theirs: Extensions) -> int:
        limits = [self.settings.limits.message_size_limit, theirs.size or 0]
        return min((limit for limit in limits if limit), default=0)
