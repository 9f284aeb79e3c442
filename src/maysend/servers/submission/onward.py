"""The envelope's way to the next hop: MAIL and RCPT there, on one connection a dialogue.

It hears of a message with the first recipient that the policy permits, MAIL and RCPT together.
"""

from maysend.protocols.smtp.client import command, lacking
from maysend.protocols.smtp.replies import Answer, ReplyLines, with_dsn
from maysend.reply import Reply
from maysend.servers.submission.envelope import Envelope, Recipient
from maysend.servers.submission.journal import Journal
from maysend.servers.submission.peer import Peer
from maysend.servers.submission.relay import NextHopFailed, Relay
from maysend.servers.submission.relay_opening import tell
from maysend.servers.submission.services import Services


class Onward:
    """What one dialogue says to its next hop before DATA. `relay`: its connection, if any."""

    def __init__(self, services: Services, peer: Peer, journal: Journal) -> None:
        self.relay: Relay | None = None
        self._services = services
        self._peer = peer
        self._journal = journal

    async def offer(self, envelope: Envelope, recipient: Recipient) -> ReplyLines:
        """Its reply to one more recipient. Raises NextHopFailed."""
        if envelope.relayed:
            assert self.relay is not None
            return await self.relay.command(recipient.command())
        return await self._begin(envelope, recipient)

    async def redirect(self, envelope: Envelope) -> Answer | None:
        """Make its recipients those that the policy wants; the refusal, if any."""
        if envelope.discarded:
            return None
        try:
            if envelope.redirection is not None:
                await self._restart(envelope)
                wanted = [envelope.redirection, *envelope.copies]
            else:
                wanted = envelope.copies
            for address in wanted:
                reply = passed_on(await self.offer(envelope, Recipient(address)))
                if not reply.accepts:
                    self._journal.refused_by_next_hop(envelope, Recipient(address), reply)
                    envelope.failure = Reply(451, "4.3.0", "Error: a recipient was refused")
                    return envelope.failure
        except NextHopFailed as problem:
            envelope.failure = problem.reply
            return envelope.failure
        return None

    async def forget(self) -> None:
        """Have it forget the message that was begun."""
        if self.relay is None:
            return
        try:
            await self.relay.command(command("RSET"))
        except NextHopFailed:
            self.close()

    def close(self) -> None:
        """Let go of it; a message that was not ended is dropped there."""
        if self.relay is not None:
            self.relay.quit()
            self.relay = None

    async def _begin(self, envelope: Envelope, recipient: Recipient) -> ReplyLines:
        """MAIL and the first RCPT; the reply to MAIL where that is not accepted."""
        is_reused = self.relay is not None
        relay = await self._usable_relay()
        missing = lacking(envelope.parameters, [recipient.parameters], relay.extensions)
        if missing:
            raise NextHopFailed(f"does not offer {missing} any more", "4.3.2")
        try:
            mail, rcpt = await relay.commands(
                envelope.mail_command(relay.extensions), recipient.command()
            )
        except NextHopFailed:
            if not is_reused:
                raise
            # It closed a connection that had been idle: that says nothing about this message.
            self.relay = None
            return await self._begin(envelope, recipient)
        envelope.relayed = mail.accepts
        return rcpt if mail.accepts else mail

    async def _usable_relay(self) -> Relay:
        if self.relay is not None and not self.relay.usable:
            self.relay.abandon()
            self.relay = None
        if self.relay is None:
            self.relay = await self._services.open_relay()
            self._journal.relay = str(self.relay.next_hop)
        await tell(self.relay, self._peer, self._services.settings.hostname)
        return self.relay

    async def _restart(self, envelope: Envelope) -> None:
        if envelope.relayed and self.relay is not None:
            await self.relay.command(command("RSET"))
        envelope.relayed = False


def passed_on(reply: Answer) -> ReplyLines:
    """A reply of the next hop as one of ours: with enhanced status codes on every line.

    Its 421 and 521 end its own connection, not the client's; 3yz means nothing to the client.
    """
    lines = ReplyLines.of(reply) if isinstance(reply, Reply) else reply
    if lines.has_dsn and lines.code not in (421, 521) and not 300 <= lines.code <= 399:
        return lines
    code = {421: 451, 521: 550}.get(lines.code, lines.code)
    if 300 <= code <= 399:
        return ReplyLines.of(Reply(451, "4.5.0", "Error: next hop gave a wrong reply"))
    return ReplyLines(code, tuple(with_dsn(line, lines.dsn) for line in lines.lines))
