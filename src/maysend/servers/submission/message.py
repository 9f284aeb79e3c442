"""One message from the client to the next hop, from the 354 reply (or BDAT) to the verdict.

The header is gathered and checked before DATA is said to the next hop; from then on octets go
through as they come. What is refused is still read to its end, so that the reply comes where the
client looks for it.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from maysend.protocols.header import HeaderCollector, HeaderError
from maysend.protocols.smtp.data import BARE_CR, BARE_LF, DataLimits
from maysend.protocols.smtp.events import (
    ChunkEnd,
    Event,
    MessageEnd,
    MessageSkipped,
    MessageSlice,
)
from maysend.protocols.smtp.replies import ReplyLines
from maysend.reply import Reply
from maysend.servers.submission.channel import Channel
from maysend.servers.submission.relay import NextHopFailed, Relay
from maysend.servers.submission.settings import Limits, Timeouts

OK: Final = Reply(250, "2.0.0", "Ok")
TIMEOUT: Final = Reply(421, "4.4.2", "Error: timeout exceeded")

Added = Callable[[bytes], Awaitable[bytes]]
"""Gives the lines to put before the client's header, which it is given. Raises HeaderError."""
Objection = Callable[[], Awaitable[Reply | None]]
"""Asks the policy at the end of the data."""


class Disconnect(Exception):
    """The connection ends with this reply."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply))
        self.reply = reply


class MessageTransfer:
    """One message. `relay` is None where it is read and dropped (DISCARD).

    `unconfirmed` says afterwards that the next hop was lost between final dot and verdict.
    """

    def __init__(
        self,
        channel: Channel,
        relay: Relay | None,
        limits: Limits,
        timeouts: Timeouts,
        size_limit: int,
        added: Added,
        objection: Objection,
    ) -> None:
        self.size = 0
        self.unconfirmed = False
        self._channel = channel
        self._relay = relay
        self._timeouts = timeouts
        self._limits = DataLimits(size_limit, limits.body_line_limit)
        self._added = added
        self._objection = objection
        self._unread = limits.refused_size_limit
        self._refusal: Reply | ReplyLines | None = None
        self._header = HeaderCollector(limits.header_size_limit)
        self._begun = False
        self._pending = b""
        """Sent on with what comes next: a short message then takes one write."""

    async def run(self) -> Reply | ReplyLines:
        """Take the message that follows DATA; the reply for the client.

        Raises ClientGone, Disconnect. Whatever way it ends other than a verdict of the next hop,
        the next hop has not seen the final dot.
        """
        self._channel.start_data(self._limits)
        try:
            end = await self._read()
            assert isinstance(end, MessageEnd)
            return await self._verdict(end)
        finally:
            self._cut()

    async def chunk(self, octets: int, *, last: bool) -> Reply | ReplyLines:
        """Take one BDAT chunk; the reply for the client. Raises ClientGone, Disconnect.

        What was refused stays refused up to the last chunk; `give_up` ends it before.
        """
        self._channel.codec.start_chunk(octets, last=last, limits=self._limits)
        try:
            end = await self._read()
            if isinstance(end, MessageEnd):
                return await self._verdict(end)
        except BaseException:
            self._cut()
            raise
        finally:
            if last:
                self._cut()
        refusal = self._refusal or end.defect
        if refusal is not None:
            self._cut()
            return refusal
        return Reply(250, "2.0.0", f"Ok: {octets} bytes")

    def give_up(self) -> None:
        """No more chunks will come: the next hop drops what it has."""
        self._channel.codec.forget_chunks()
        self._cut()

    def _cut(self) -> None:
        if self._relay is not None and self._relay.sending:
            self._relay.abandon()

    async def _read(self) -> MessageEnd | ChunkEnd:
        while True:
            event = self._channel.codec.next_event()
            if event is None:
                event = await self._event()
            if isinstance(event, MessageSlice) and self._refusal is None:
                await self._pass_on(event.wire)
            elif isinstance(event, (MessageEnd, ChunkEnd)):
                self.size = event.octets
                return event
            else:
                assert isinstance(event, (MessageSlice, MessageSkipped))
                self._skip(len(event.wire) if isinstance(event, MessageSlice) else event.octets)

    def _skip(self, octets: int) -> None:
        self._unread -= octets
        if self._unread < 0:
            raise Disconnect(self._as_last_word(self._channel.codec.defect))

    async def _event(self) -> Event:
        await self._send_pending()
        defect = self._channel.codec.defect
        confused = defect in (BARE_LF, BARE_CR) and not self._channel.codec.in_chunks
        times = self._timeouts
        try:
            return await self._channel.event(
                times.broken_message_idle if confused else times.smtpd_timeout
            )
        except TimeoutError:
            raise Disconnect(self._as_last_word(defect) if confused else TIMEOUT) from None

    async def _pass_on(self, wire: bytes) -> None:
        try:
            if self._begun:
                await self._send_pending()
                self._pending = wire
                return
            self._header.feed(wire)
            if self._header.complete:
                await self._begin()
        except (HeaderError, NextHopFailed) as problem:
            self._refuse(problem.reply)

    async def _begin(self) -> None:
        """Check the header, say DATA to the next hop, and keep ready what there is so far.

        Raises HeaderError, NextHopFailed.
        """
        first = await self._added(self._header.header)
        self._begun = True
        if self._relay is None:
            return
        reply = await self._relay.begin_data()
        if reply.code != 354:
            self._refuse(reply)
            return
        self._pending = first + self._header.wire

    async def _send_pending(self) -> None:
        """Send what is kept; where that fails, the message is refused."""
        octets, self._pending = self._pending, b""
        if not octets or self._relay is None or self._refusal is not None:
            return
        try:
            await self._relay.send(octets)
        except NextHopFailed as problem:
            self._refuse(problem.reply)

    def _refuse(self, reply: Reply | ReplyLines) -> None:
        if self._refusal is None:
            self._refusal = reply

    async def _verdict(self, end: MessageEnd) -> Reply | ReplyLines:
        if end.defect is not None:
            return end.defect
        if self._refusal is None and not self._begun:
            await self._begin_at_end()
        if self._refusal is None:
            refusal = await self._objection()
            if refusal is not None:
                return refusal
        if self._refusal is not None:
            return self._refusal
        if self._relay is None:
            return OK
        try:
            return await self._relay.finish(self._pending)
        except NextHopFailed as problem:
            # It may have been taken: the client will send it again (RFC 5321 4.5.3.2.6).
            self.unconfirmed = True
            return problem.reply

    async def _begin_at_end(self) -> None:
        """A message that is all header."""
        try:
            await self._begin()
        except (HeaderError, NextHopFailed) as problem:
            self._refuse(problem.reply)

    def _as_last_word(self, reply: Reply | None) -> Reply:
        """A reply that also ends the connection, with the reason that was found."""
        if reply is None:
            return Reply(421, "4.7.0", "Error: too much data after a refusal")
        return Reply(521, reply.dsn, reply.text)
