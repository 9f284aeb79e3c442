"""One message from the client to the next hop, from the 354 reply to the verdict.

The header is gathered and checked before DATA is said to the next hop; from then on octets go
through as they come. What is refused is still read to its end, so that the reply comes where the
client looks for it.
"""

from collections.abc import Awaitable, Callable

from maysend.protocols.header import HeaderCollector, HeaderError
from maysend.protocols.smtp.data import BARE_CR, BARE_LF, DataLimits
from maysend.protocols.smtp.replies import ReplyLines
from maysend.protocols.smtp.server import MessageEnd, MessageSkipped, MessageSlice
from maysend.reply import Reply
from maysend.servers.submission.channel import Channel
from maysend.servers.submission.relay import NextHopFailed, Relay
from maysend.servers.submission.settings import Limits, Timeouts

OK = Reply(250, "2.0.0", "Ok")
TIMEOUT = Reply(421, "4.4.2", "Error: timeout exceeded")


Added = Callable[[bytes], Awaitable[bytes]]
"""Gives the lines to put before the client's header, which it is given. Raises HeaderError."""
Objection = Callable[[], Awaitable[Reply | None]]


class Disconnect(Exception):
    """The connection ends with this reply."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply))
        self.reply = reply


class MessageTransfer:
    """One message. `relay` is None where it is read and dropped (DISCARD).

    `added` gives the header lines to put first, for the header that the client sent.
    `unconfirmed` says afterwards that the next hop was lost between final dot and verdict.
    `objection` asks the policy at the end of the data.
    """

    def __init__(
        self,
        channel: Channel,
        relay: Relay | None,
        limits: Limits,
        timeouts: Timeouts,
        size_limit: int,
    ) -> None:
        self.size = 0
        self.unconfirmed = False
        self._channel = channel
        self._relay = relay
        self._limits = limits
        self._timeouts = timeouts
        self._size_limit = size_limit
        self._refusal: Reply | ReplyLines | None = None
        self._header = HeaderCollector(limits.header_size_limit)
        self._begun = False

    async def run(
        self,
        added: Added,
        objection: Objection,
    ) -> Reply | ReplyLines:
        """Take the message; the reply for the client. Raises ClientGone, Disconnect.

        Whatever way it ends other than a verdict of the next hop, the next hop has not seen the
        final dot.
        """
        self._channel.start_data(DataLimits(self._size_limit, self._limits.body_line_limit))
        try:
            end = await self._read_all(added)
            return await self._verdict(end, added, objection)
        finally:
            if self._relay is not None and self._relay.sending:
                self._relay.abandon()

    async def _read_all(self, added: Added) -> MessageEnd:
        unread = self._limits.refused_size_limit
        while True:
            event = await self._event()
            if isinstance(event, MessageEnd):
                self.size = event.octets
                return event
            if isinstance(event, MessageSlice) and self._refusal is None:
                await self._pass_on(event.wire, added)
                continue
            unread -= len(event.wire) if isinstance(event, MessageSlice) else event.octets
            if unread < 0:
                raise Disconnect(self._as_last_word(self._channel.codec.defect))

    async def _event(self) -> MessageSlice | MessageSkipped | MessageEnd:
        defect = self._channel.codec.defect
        confused = defect in (BARE_LF, BARE_CR)
        times = self._timeouts
        try:
            event = await self._channel.event(
                times.broken_message_idle if confused else times.smtpd_timeout
            )
        except TimeoutError:
            raise Disconnect(self._as_last_word(defect) if confused else TIMEOUT) from None
        assert isinstance(event, MessageSlice | MessageSkipped | MessageEnd)
        return event

    async def _pass_on(self, wire: bytes, added: Added) -> None:
        try:
            if self._begun:
                await self._send(wire)
                return
            self._header.feed(wire)
            if self._header.complete:
                await self._begin(added)
        except HeaderError as problem:
            self._refuse(problem.reply)
        except NextHopFailed as problem:
            self._refuse(problem.reply)

    async def _begin(self, added: Added) -> None:
        """Check the header, say DATA to the next hop, and send what there is so far."""
        first = await added(self._header.header)
        self._begun = True
        if self._relay is None:
            return
        reply = await self._relay.begin_data()
        if reply.code != 354:
            self._refuse(reply)
            return
        await self._send(first + self._header.wire)

    async def _send(self, wire: bytes) -> None:
        if self._relay is not None:
            await self._relay.send(wire)

    def _refuse(self, reply: Reply | ReplyLines) -> None:
        if self._refusal is None:
            self._refusal = reply

    async def _verdict(
        self,
        end: MessageEnd,
        added: Added,
        objection: Objection,
    ) -> Reply | ReplyLines:
        if end.defect is not None:
            return end.defect
        if self._refusal is None and not self._begun:
            await self._begin_at_end(added)
        if self._refusal is not None:
            return self._refusal
        refusal = await objection()
        if refusal is not None:
            return refusal
        if self._relay is None:
            return OK
        try:
            return await self._relay.finish()
        except NextHopFailed as problem:
            # It may have been taken: the client will send it again (RFC 5321 4.5.3.2.6).
            self.unconfirmed = True
            return problem.reply

    async def _begin_at_end(self, added: Added) -> None:
        """A message that is all header."""
        try:
            await self._begin(added)
        except (HeaderError, NextHopFailed) as problem:
            self._refuse(problem.reply)

    def _as_last_word(self, reply: Reply | None) -> Reply:
        """A reply that also ends the connection, with the reason that was found."""
        if reply is None:
            return Reply(421, "4.7.0", "Error: too much data after a refusal")
        return Reply(521, reply.dsn, reply.text)
