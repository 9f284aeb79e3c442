"""MAIL, RCPT and DATA: the policy is asked first, then the next hop.

The next hop hears of a message with its first recipient that the policy permits, MAIL and RCPT
together: who may not send never reaches it. What it says to MAIL is then the reply to that RCPT.
"""

import time
from collections.abc import Callable
from secrets import token_hex

from maysend.address import AddressSyntaxError, parse_path
from maysend.header import originator_fields
from maysend.policy import Decision, Session
from maysend.protocols.header import HeaderError, parse_header
from maysend.protocols.smtp.client import command, lacking
from maysend.protocols.smtp.commands import (
    BAD_RECIPIENT,
    BAD_SENDER,
    CommandError,
    parse_mail,
    parse_rcpt,
)
from maysend.protocols.smtp.replies import ReplyLines, with_dsn
from maysend.reply import Reply
from maysend.servers.deciding import of_session
from maysend.servers.submission import trace
from maysend.servers.submission.channel import Channel
from maysend.servers.submission.envelope import Envelope, Recipient, external
from maysend.servers.submission.journal import Journal
from maysend.servers.submission.message import MessageTransfer
from maysend.servers.submission.peer import Peer
from maysend.servers.submission.relay import NextHopFailed, Relay
from maysend.servers.submission.relay_opening import tell
from maysend.servers.submission.services import Services

MAIL_OK = Reply(250, "2.1.0", "Ok")
RCPT_OK = Reply(250, "2.1.5", "Ok")
START_DATA = Reply(354, "", "End data with <CR><LF>.<CR><LF>")
NESTED_MAIL = Reply(503, "5.5.1", "Error: nested MAIL command")
NEED_HELO = Reply(503, "5.5.1", "Error: send HELO/EHLO first")
NEED_MAIL = Reply(503, "5.5.1", "Error: need MAIL command")
NEED_RCPT = Reply(503, "5.5.1", "Error: need RCPT command")
NO_RECIPIENTS = Reply(554, "5.5.1", "Error: no valid recipients")
DATA_SYNTAX = Reply(501, "5.5.4", "Syntax: DATA")
TOO_BIG = Reply(552, "5.3.4", "Message size exceeds fixed limit")
TOO_MANY_RECIPIENTS = Reply(452, "4.5.3", "Error: too many recipients")
NEEDS_SMTPUTF8 = Reply(553, "5.6.7", "Error: an address that is not ASCII needs SMTPUTF8")
REDIRECTED_TOO_LATE = Reply(451, "4.3.5", "Error: the policy redirects a message already sent on")

Answer = Reply | ReplyLines


class Transactions:
    """The mail transactions of one dialogue, one after the other, on one relay connection."""

    def __init__(self, services: Services, session: Session, peer: Peer, channel: Channel) -> None:
        self.envelope: Envelope | None = None
        self._services = services
        self._session = session
        self._peer = peer
        self._channel = channel
        self.journal = Journal(services.log, peer)
        self._relay: Relay | None = None

    # -- commands ------------------------------------------------------------------------------

    async def mail(self, argument: str) -> Answer:
        """MAIL FROM."""
        if not self._peer.helo_name:
            return NEED_HELO
        if self.envelope is not None:
            return NESTED_MAIL
        offered = self._services.offered()
        try:
            path, parameters = parse_mail(argument, offered)
            sender = parse_path(path, utf8=True)
        except CommandError as problem:
            return problem.reply
        except AddressSyntaxError:
            return BAD_SENDER
        if not sender.isascii() and not parameters.smtputf8:
            return NEEDS_SMTPUTF8
        if offered.size and parameters.size is not None and parameters.size > offered.size:
            return TOO_BIG
        self._session.dialogue.size = parameters.size or 0
        envelope = Envelope(sender, parameters)
        decision = await self.ask(lambda: self._session.mail(sender, smtputf8=parameters.smtputf8))
        refusal = decision.reply or envelope.apply(decision.actions)
        if refusal is not None:
            self.journal.refused("MAIL", sender, None, refusal, decision)
            return refusal
        self.envelope = envelope
        return MAIL_OK

    async def rcpt(self, argument: str) -> Answer:
        """RCPT TO: the policy's reply, else the next hop's."""
        envelope = self.envelope
        if envelope is None:
            return NEED_MAIL
        try:
            path, parameters = parse_rcpt(argument, self._services.offered())
            address = parse_path(path, utf8=True)
        except CommandError as problem:
            return problem.reply
        except AddressSyntaxError:
            return BAD_RECIPIENT
        if not address:
            return BAD_RECIPIENT
        if not address.isascii() and not envelope.parameters.smtputf8:
            return NEEDS_SMTPUTF8
        if envelope.failure is not None:
            return envelope.failure
        if len(envelope.recipients) >= self._services.settings.limits.smtpd_recipient_limit:
            return TOO_MANY_RECIPIENTS
        decision = await self.ask(lambda: self._session.rcpt(address))
        refusal = decision.reply or envelope.apply(decision.actions)
        if refusal is not None:
            envelope.refused += 1
            self.journal.refused("RCPT", envelope.sender, address, refusal, decision)
            return refusal
        return await self._add(envelope, Recipient(address, parameters))

    async def data(self, argument: str) -> Answer:
        """DATA, up to the verdict on the message. Raises what MessageTransfer.run raises."""
        envelope = self.envelope
        if argument:
            return DATA_SYNTAX
        if envelope is None or not (envelope.recipients or envelope.refused):
            return NEED_RCPT
        if envelope.failure is not None:
            return envelope.failure
        if not envelope.recipients:
            return NO_RECIPIENTS
        decision = await self.ask(self._session.data)
        refusal: Answer | None = decision.reply or envelope.apply(decision.actions)
        if isinstance(refusal, Reply):
            self.journal.refused("DATA", envelope.sender, None, refusal, decision)
            return refusal
        refusal = await self._prepare_relay(envelope)
        if refusal is not None:
            return refusal
        self._channel.say(START_DATA)
        return await self._take_message(envelope)

    async def reset(self) -> None:
        """Forget the message that was begun, here and at the next hop."""
        envelope, self.envelope = self.envelope, None
        self._session.reset()
        if envelope is None or self._relay is None or not envelope.relayed:
            return
        try:
            await self._relay.command(command("RSET"))
        except NextHopFailed:
            self.close()

    def close(self) -> None:
        """Let go of the next hop; a message that was not ended is dropped there."""
        if self._relay is not None:
            self._relay.quit()
            self._relay = None

    async def ask(self, command: Callable[[], Decision]) -> Decision:
        """Ask the policy; whatever goes wrong in it is a 4yz for the client, never a yes."""
        return await self._services.deciding.decide(of_session(self._session, command))

    # -- the next hop --------------------------------------------------------------------------

    async def _add(self, envelope: Envelope, recipient: Recipient) -> Answer:
        """Offer a permitted recipient to the next hop; of a discarded message, to nobody."""
        if envelope.discarded:
            envelope.recipients.append(recipient)
            return RCPT_OK
        try:
            reply = passed_on(await self._offer(envelope, recipient))
        except NextHopFailed as problem:
            if envelope.relayed:
                envelope.failure = problem.reply
            envelope.refused += 1
            self.journal.refused_by_next_hop(envelope, recipient, problem.reply)
            return problem.reply
        if reply.accepts:
            envelope.recipients.append(recipient)
        else:
            envelope.refused += 1
            self.journal.refused_by_next_hop(envelope, recipient, reply)
        return reply

    async def _offer(self, envelope: Envelope, recipient: Recipient) -> ReplyLines:
        if envelope.relayed:
            assert self._relay is not None
            return await self._relay.command(recipient.command())
        return await self._begin(envelope, recipient)

    async def _begin(self, envelope: Envelope, recipient: Recipient) -> ReplyLines:
        """MAIL and the first RCPT; the reply to MAIL where that is not accepted."""
        is_reused = self._relay is not None
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
            self._relay = None
            return await self._begin(envelope, recipient)
        envelope.relayed = mail.accepts
        return rcpt if mail.accepts else mail

    async def _usable_relay(self) -> Relay:
        if self._relay is not None and not self._relay.usable:
            self._relay.abandon()
            self._relay = None
        if self._relay is None:
            self._relay = await self._services.open_relay()
            self.journal.next_hop = self._relay.next_hop
        await tell(self._relay, self._peer, self._services.settings.hostname)
        return self._relay

    async def _prepare_relay(self, envelope: Envelope) -> Answer | None:
        """Make the next hop's recipients those that the policy wants; the refusal, if any."""
        if envelope.discarded:
            return None
        try:
            if envelope.redirection is not None:
                await self._restart(envelope)
                wanted = [envelope.redirection, *envelope.copies]
            else:
                wanted = envelope.copies
            for address in wanted:
                reply = passed_on(await self._offer(envelope, Recipient(address)))
                if not reply.accepts:
                    self.journal.refused_by_next_hop(envelope, Recipient(address), reply)
                    envelope.failure = Reply(451, "4.3.0", "Error: a recipient was refused")
                    return envelope.failure
        except NextHopFailed as problem:
            envelope.failure = problem.reply
            return envelope.failure
        return None

    async def _restart(self, envelope: Envelope) -> None:
        if envelope.relayed and self._relay is not None:
            await self._relay.command(command("RSET"))
        envelope.relayed = False

    # -- the message ---------------------------------------------------------------------------

    async def _take_message(self, envelope: Envelope) -> Answer:
        settings = self._services.settings
        message_id = token_hex(6).upper()
        begun = time.monotonic()
        transfer = MessageTransfer(
            self._channel,
            None if envelope.discarded else self._relay,
            settings.limits,
            settings.timeouts,
            self._services.offered().size or 0,
        )
        reply: ReplyLines | None = None
        try:
            reply = passed_on(
                await transfer.run(
                    lambda header: self._added(envelope, header, message_id),
                    lambda: self._objection_at_end(envelope),
                )
            )
        finally:
            delay = time.monotonic() - begun
            self.journal.message(message_id, envelope, transfer, reply, delay)
        if reply.accepts and not envelope.discarded:
            envelope.relayed = False
        await self.reset()
        return reply

    async def _added(self, envelope: Envelope, header: bytes, message_id: str) -> bytes:
        """The lines to put before the client's header. Raises HeaderError."""
        block = parse_header(header)
        refusal = await self._objection(envelope, header)
        if refusal is not None:
            raise HeaderError(refusal)
        peer, settings, now = self._peer, self._services.settings, time.time()
        only = envelope.recipients[0].address if len(envelope.recipients) == 1 else None
        origin = trace.Origin(
            helo_name=peer.helo_name,
            client_name=peer.name,
            client_address=peer.address,
            by=settings.hostname,
            protocol=trace.protocol_name(
                esmtp=peer.esmtp,
                utf8=envelope.parameters.smtputf8,
                tls=bool(peer.tls),
                authenticated=bool(peer.login),
            ),
            tls=peer.tls,
            message_id=message_id,
            recipient=external(only) if only is not None else None,
            login=peer.login if self._services.sasl.authenticated_header else "",
        )
        lines = [trace.prepended(text) for text in envelope.prepended]
        lines.append(trace.received(origin, now))
        lines.append(trace.missing_fields(block, settings.hostname, now))
        return b"".join(lines)

    async def _objection_at_end(self, envelope: Envelope) -> Reply | None:
        """What the policy says to the whole message, where it looks at more than the header."""
        if not self._services.policy.looks_past_the_header:
            return None
        return await self._objection(envelope, envelope.header)

    async def _objection(self, envelope: Envelope, header: bytes) -> Reply | None:
        """What the policy says at the end of the data, asked as soon as the header is there: so
        the next hop hears nothing of a message that is refused for it."""
        envelope.header = header
        redirected = envelope.redirection, tuple(envelope.copies), envelope.discarded
        fields = originator_fields(header)
        decision = await self.ask(lambda: self._session.end_of_data(fields))
        refusal = decision.reply or envelope.apply(decision.actions)
        if refusal is None and redirected != (
            envelope.redirection,
            tuple(envelope.copies),
            envelope.discarded,
        ):
            refusal = REDIRECTED_TOO_LATE
        if refusal is not None:
            self.journal.refused("END-OF-MESSAGE", envelope.sender, None, refusal, decision)
        return refusal


def passed_on(reply: Answer) -> ReplyLines:
    """A reply of the next hop as one of ours: with enhanced status codes on every line.

    Its 421 and 521 end its own connection, not the client's; 3yz means nothing to the client.
    """
    lines = ReplyLines.of(reply) if isinstance(reply, Reply) else reply
    code = {421: 451, 521: 550}.get(lines.code, lines.code)
    if 300 <= code <= 399:
        return ReplyLines.of(Reply(451, "4.5.0", "Error: next hop gave a wrong reply"))
    return ReplyLines(code, tuple(with_dsn(line, lines.dsn) for line in lines.lines))
