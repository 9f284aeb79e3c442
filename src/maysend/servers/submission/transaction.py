"""MAIL, RCPT and DATA: the policy is asked first, then the next hop.

The next hop hears of a message with its first recipient that the policy permits, MAIL and RCPT
together: who may not send never reaches it. What it says to MAIL is then the reply to that RCPT.
"""

import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from maysend.address import AddressSyntaxError, parse_path, rewrite
from maysend.header import originator_fields
from maysend.policy import Decision, Session
from maysend.protocols.header import HeaderError, parse_header
from maysend.protocols.smtp.chunk import parse_bdat
from maysend.protocols.smtp.commands import (
    BAD_RECIPIENT,
    BAD_SENDER,
    CommandError,
    parse_mail,
    parse_rcpt,
)
from maysend.protocols.smtp.data import DataLimits
from maysend.protocols.smtp.events import ChunkEnd
from maysend.protocols.smtp.replies import Answer, ReplyLines
from maysend.reply import Reply
from maysend.servers.deciding import of_session
from maysend.servers.sleeping import sleep_as_decided
from maysend.servers.submission import trace
from maysend.servers.submission.channel import Channel
from maysend.servers.submission.envelope import Envelope, Recipient
from maysend.servers.submission.journal import Journal
from maysend.servers.submission.message import Disconnect, MessageTransfer
from maysend.servers.submission.onward import Onward, passed_on
from maysend.servers.submission.peer import Peer
from maysend.servers.submission.relay import NextHopFailed
from maysend.servers.submission.services import Services
from maysend.servers.submission.terms import Terms

MAIL_OK: Final = Reply(250, "2.1.0", "Ok")
RCPT_OK: Final = Reply(250, "2.1.5", "Ok")
IN_CHUNKS: Final = Reply(503, "5.5.1", "Error: BDAT has begun the message")
CHUNKING_NOT_OFFERED: Final = Reply(503, "5.5.1", "Error: CHUNKING is not offered now")
START_DATA: Final = Reply(354, "", "End data with <CR><LF>.<CR><LF>")
NESTED_MAIL: Final = Reply(503, "5.5.1", "Error: nested MAIL command")
NEED_HELO: Final = Reply(503, "5.5.1", "Error: send HELO/EHLO first")
NEED_MAIL: Final = Reply(503, "5.5.1", "Error: need MAIL command")
NEED_RCPT: Final = Reply(503, "5.5.1", "Error: need RCPT command")
NO_RECIPIENTS: Final = Reply(554, "5.5.1", "Error: no valid recipients")
DATA_SYNTAX: Final = Reply(501, "5.5.4", "Syntax: DATA")
TOO_BIG: Final = Reply(552, "5.3.4", "Message size exceeds fixed limit")
TOO_MANY_RECIPIENTS: Final = Reply(452, "4.5.3", "Error: too many recipients")
NEEDS_SMTPUTF8: Final = Reply(553, "5.6.7", "Error: an address that is not ASCII needs SMTPUTF8")
REDIRECTED_TOO_LATE: Final = Reply(
    451, "4.3.5", "Error: the policy redirects a message already sent on"
)


class Transactions:
    """The mail transactions of one dialogue, one after the other, on one relay connection."""

    def __init__(
        self, services: Services, terms: Terms, session: Session, peer: Peer, channel: Channel
    ) -> None:
        self.envelope: Envelope | None = None
        self._services = services
        self._terms = terms
        self.session = session
        self._peer = peer
        self._channel = channel
        self.journal = Journal(services.log, peer)
        self._onward = Onward(services, peer, self.journal)

    # -- commands ------------------------------------------------------------------------------

    async def mail(self, argument: str) -> Answer:
        """MAIL FROM."""
        if not self._peer.helo_name:
            return NEED_HELO
        if self.envelope is not None:
            return NESTED_MAIL
        offered = self._services.offered
        try:
            path, parameters = parse_mail(argument, offered)
            sender = parse_path(path, utf8=True)
        except CommandError as problem:
            return problem.reply
        except AddressSyntaxError:
            return BAD_SENDER
        self._channel.takes_utf8 = parameters.smtputf8
        if not sender.isascii() and not parameters.smtputf8:
            return NEEDS_SMTPUTF8
        if offered.size and parameters.size is not None and parameters.size > offered.size:
            return TOO_BIG
        self.session.dialogue.size = parameters.size or 0
        objection = await self._services.logins_objection(self._peer.login)
        if objection is not None:
            self.journal.refused("MAIL", sender, None, objection, Decision(objection))
            return objection
        envelope = Envelope(sender, parameters, self._rewritten(sender))
        decision = await self.ask(partial(self.session.mail, sender, smtputf8=parameters.smtputf8))
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
        if envelope.transfer is not None:
            return IN_CHUNKS
        try:
            path, parameters = parse_rcpt(argument, self._services.offered)
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
        decision = await self.ask(partial(self.session.rcpt, address))
        refusal = decision.reply or envelope.apply(decision.actions)
        if refusal is not None:
            envelope.refused += 1
            self._services.traffic.counts.recipients_refused += 1
            self.journal.refused("RCPT", envelope.sender, address, refusal, decision)
            return refusal
        return await self._add(envelope, Recipient(self._rewritten(address), parameters))

    async def data(self, argument: str) -> Answer:
        """DATA, up to the verdict on the message. Raises what MessageTransfer.run raises."""
        envelope = self.envelope
        if argument:
            return DATA_SYNTAX
        if envelope is None or not (envelope.recipients or envelope.refused):
            return NEED_RCPT
        if envelope.transfer is not None:
            return IN_CHUNKS
        refusal = await self._before_data(envelope)
        if refusal is not None:
            return refusal
        self._channel.say(START_DATA)
        envelope.transfer = self._transfer(envelope)
        return await self._ended(envelope, envelope.transfer.run)

    async def bdat(self, argument: str) -> Answer:
        """BDAT (RFC 3030): a chunk, whose octets are read whatever the reply is."""
        try:
            octets, last = parse_bdat(argument)
        except CommandError as problem:
            # Where the chunk ends is not known, and it must not be taken for commands.
            raise Disconnect(Reply(521, problem.reply.dsn, problem.reply.text)) from None
        envelope = self.envelope
        refusal: Answer | None = self._chunk_out_of_order(envelope)
        if refusal is None and envelope is not None and envelope.transfer is None:
            refusal = await self._before_data(envelope)
        if refusal is not None or envelope is None:
            return await self._swallow(octets, refusal or NEED_RCPT)
        if envelope.transfer is None:
            envelope.transfer = self._transfer(envelope)
        transfer = envelope.transfer
        if not last:
            return await transfer.chunk(octets, last=False)
        return await self._ended(envelope, partial(transfer.chunk, octets, last=True))

    async def reset(self) -> None:
        """Forget the message that was begun, here and at the next hop."""
        envelope, self.envelope = self.envelope, None
        self.session.reset()
        if envelope is not None and envelope.transfer is not None:
            envelope.transfer.give_up()
        if envelope is not None and envelope.relayed:
            await self._onward.forget()

    def close(self) -> None:
        """Let go of the next hop; a message that was not ended is dropped there."""
        self._onward.close()

    def _rewritten(self, address: str) -> str:
        """The address that the policy looks at (trivial-rewrite(8)): so it is the one relayed."""
        return rewrite(address, self._terms.policy.site.rewriting) if address else ""

    async def ask(self, command: Callable[[], Decision]) -> Decision:
        """Ask the policy; whatever goes wrong in it is a 4yz for the client, never a yes."""
        deciding = self._services.deciding
        decision = deciding.of_command(self.session, command)
        if decision is None:
            decision = await deciding.in_a_thread(of_session(self.session, command))
        if decision.actions:
            # smtpd sleeps as long as it is told; here nobody keeps a client for longer than this.
            longest = self._services.settings.timeouts.smtpd_timeout
            await sleep_as_decided(decision, longest)
        return decision

    async def _before_data(self, envelope: Envelope) -> Answer | None:
        """What there is against a message from this envelope, before its first octet."""
        if envelope.failure is not None:
            return envelope.failure
        if not envelope.recipients:
            return NO_RECIPIENTS
        decision = await self.ask(self.session.data)
        refusal = decision.reply or envelope.apply(decision.actions)
        if refusal is not None:
            self.journal.refused("DATA", envelope.sender, None, refusal, decision)
            return refusal
        return await self._onward.redirect(envelope)

    def _chunk_out_of_order(self, envelope: Envelope | None) -> Reply | None:
        if not self._services.offered.chunking:
            return CHUNKING_NOT_OFFERED
        if envelope is None or not (envelope.recipients or envelope.refused):
            return NEED_RCPT
        return None

    async def _swallow(self, octets: int, refusal: Answer) -> Answer:
        """Read a chunk that nobody wants."""
        if octets > self._services.settings.limits.refused_size_limit:
            raise Disconnect(Reply(521, "5.3.4", "Error: chunk too big"))
        codec = self._channel.codec
        codec.forget_chunks()
        codec.start_chunk(octets, last=False, limits=DataLimits(line=1 << 62))
        timeout = self._services.settings.timeouts.smtpd_timeout
        while not isinstance(await self._channel.event(timeout), ChunkEnd):
            pass
        codec.forget_chunks()
        return refusal

    # -- the next hop --------------------------------------------------------------------------

    async def _add(self, envelope: Envelope, recipient: Recipient) -> Answer:
        """Offer a permitted recipient to the next hop; of a discarded message, to nobody."""
        if envelope.discarded:
            envelope.recipients.append(recipient)
            return RCPT_OK
        try:
            reply = passed_on(await self._onward.offer(envelope, recipient))
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

    # -- the message ---------------------------------------------------------------------------

    def _transfer(self, envelope: Envelope) -> MessageTransfer:
        settings = self._services.settings
        envelope.begun_at = time.monotonic()
        return MessageTransfer(
            self._channel,
            None if envelope.discarded else self._onward.relay,
            settings.limits,
            settings.timeouts,
            self._services.offered.size or 0,
            partial(self._added, envelope),
            partial(self._objection_at_end, envelope),
        )

    async def _ended(self, envelope: Envelope, take: Callable[[], Awaitable[Answer]]) -> Answer:
        """Take the message, or its last chunk; note and count what became of it."""
        try:
            reply = passed_on(await take())
        except BaseException:
            self._note(envelope, None)
            raise
        self._note(envelope, reply)
        if reply.accepts and not envelope.discarded:
            envelope.relayed = False
        envelope.transfer = None
        await self.reset()
        return reply

    def _note(self, envelope: Envelope, reply: ReplyLines | None) -> None:
        """Log and count what became of a message; None where the client left before its end."""
        self.journal.message(envelope, reply, time.monotonic() - envelope.begun_at)
        counts = self._services.traffic.counts
        if reply is None:
            counts.messages_lost += 1
        elif reply.accepts:
            counts.messages_sent += 1
            counts.octets += envelope.transfer.size if envelope.transfer else 0
        elif reply.code < 500:
            counts.messages_deferred += 1
        else:
            counts.messages_refused += 1

    async def _added(self, envelope: Envelope, header: bytes) -> bytes:
        """The lines to put before the client's header. Raises HeaderError."""
        block = parse_header(header)
        refusal = await self._objection(envelope, header)
        if refusal is not None:
            raise HeaderError(refusal)
        peer, settings, now = self._peer, self._services.settings, time.time()
        names_login = self._terms.sasl.authenticated_header
        origin = trace.origin_of(peer, envelope, settings.hostname, names_login=names_login)
        lines = [trace.prepended(text) for text in envelope.prepended]
        lines.append(trace.received(origin, now))
        lines.append(trace.missing_fields(block, settings.hostname, now))
        return b"".join(lines)

    async def _objection_at_end(self, envelope: Envelope) -> Reply | None:
        """What the policy says to the whole message, where it looks at more than the header."""
        if not self._terms.policy.looks_past_the_header:
            return None
        return await self._objection(envelope, envelope.header)

    async def _objection(self, envelope: Envelope, header: bytes) -> Reply | None:
        """What the policy says at the end of the data, asked as soon as the header is there: so
        the next hop hears nothing of a message that is refused for it."""
        envelope.header = header
        redirected = envelope.redirection, tuple(envelope.copies), envelope.discarded
        fields = originator_fields(header)
        decision = await self.ask(partial(self.session.end_of_data, fields))
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
