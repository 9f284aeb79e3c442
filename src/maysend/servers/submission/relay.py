"""The connection to the next hop: one message at a time, each octet sent on as it comes.

Everything that can go wrong there ends as `NextHopFailed` with a 4yz reply for the client. The
final dot leaves only through `finish`, and a message that is not to be taken is never ended with
one: `abandon` cuts the connection. How a connection is made is in `relay_opening`.
"""

import asyncio
import ssl
from collections import deque
from typing import Final

from maysend.protocols.smtp.client import command
from maysend.protocols.smtp.extensions import Extensions
from maysend.protocols.smtp.replies import ProtocolError, ReplyLines, ReplyReader
from maysend.reply import Reply
from maysend.servers.submission.next_hop import NextHop
from maysend.servers.submission.patience import Patience
from maysend.servers.submission.settings import Timeouts

UNSENT_AT_MOST: Final = 65536
"""Octets that may wait for the next hop before the client is no longer read."""

GOODBYE: Final = 5.0
"""Seconds that the next hop has to answer QUIT."""


class NextHopFailed(Exception):
    """The next hop can't be used for now; `reply` is the client's."""

    def __init__(self, why: str, dsn: str = "4.4.2") -> None:
        super().__init__(why)
        self.reply = Reply(451, dsn, f"Error: next hop {why}, try again later")


class Relay:
    """One connection to `next_hop`. Make it with `open_relay`.

    `protocol` is what the loop knows it by (see `wires`).
    """

    def __init__(self, next_hop: NextHop, timeouts: Timeouts, protocol: asyncio.Protocol) -> None:
        self.next_hop = next_hop
        self._protocol = protocol
        self.extensions = Extensions()
        self.told: str | None = None
        """What it was last told of the client, None: nothing yet."""
        self.is_encrypted = False
        self.sending = False
        self.timeouts = timeouts
        self._loop = asyncio.get_running_loop()
        self._patience = Patience(self._lose_patience)
        self._reader = ReplyReader()
        self._replies: deque[ReplyLines] = deque()
        self._wanted = 1
        self._waiter: asyncio.Future[None] | None = None
        self._drained: asyncio.Future[None] | None = None
        self._failure: NextHopFailed | None = None
        self._transport: asyncio.Transport | None = None
        self._leaving: asyncio.TimerHandle | None = None

    @property
    def usable(self) -> bool:
        """Whether a transaction may still be begun on it."""
        return self._failure is None and not self._replies and not self.sending

    async def greeting(self) -> ReplyLines:
        """What it says first. Raises NextHopFailed."""
        return await self._reply(self.timeouts.next_hop_greeting)

    async def command(self, octets: bytes) -> ReplyLines:
        """Send a command and wait for its reply. Raises NextHopFailed."""
        self._write(octets)
        return await self._reply(self.timeouts.next_hop_command)

    async def commands(self, first: bytes, second: bytes) -> tuple[ReplyLines, ReplyLines]:
        """Two commands, in one go where the next hop takes pipelining."""
        if not self.extensions.pipelining:
            return await self.command(first), await self.command(second)
        self._write(first + second)
        limit = self.timeouts.next_hop_command
        return await self._reply(limit, 2), await self._reply(limit)

    async def start_tls(self, context: ssl.SSLContext, name: str) -> None:
        """Negotiate TLS after its 220. Raises NextHopFailed, also for a certificate that is not
        trusted, and for octets that were slipped in before TLS."""
        assert self._transport is not None
        if self._replies or self._reader.holds_octets:
            raise self._failed("said something between STARTTLS and TLS")
        try:
            upgraded = await self._loop.start_tls(
                self._transport,
                self._protocol,
                context,
                server_hostname=name,
                ssl_handshake_timeout=self.timeouts.next_hop_connect,
            )
        except ssl.SSLCertVerificationError:
            raise self._failed("has a certificate that is not trusted") from None
        except (OSError, TimeoutError):
            raise self._failed("does not get TLS done") from None
        if upgraded is None:
            raise self._failed("closed the connection")
        self.connected(upgraded)

    async def begin_data(self) -> ReplyLines:
        """Say DATA; after a 354 the message may be sent. Raises NextHopFailed."""
        self._write(b"DATA\r\n")
        reply = await self._reply(self.timeouts.next_hop_data)
        if reply.code == 354:
            self.sending = True
        elif reply.code < 400:
            raise self._failed("gave a wrong reply to DATA")
        return reply

    async def send(self, wire: bytes) -> None:
        """Send a slice of the message, dots doubled. Raises NextHopFailed.

        Waits while the next hop is slower than the client: that is what bounds memory.
        """
        self._write(wire)
        if self._drained is None:
            return
        try:
            async with asyncio.timeout(self.timeouts.next_hop_block):
                await self._drained
        except TimeoutError:
            raise self._failed("stopped reading") from None
        self._check()

    async def finish(self, rest: bytes = b"") -> ReplyLines:
        """Say the rest and the final dot, and wait for the verdict. Raises NextHopFailed.

        `self.sending` stays True until the next hop has answered: whoever stops waiting before
        that does not know whether the message was taken.
        """
        self._write(rest + b".\r\n")
        reply = await self._reply(self.timeouts.next_hop_final)
        self.sending = False
        if 300 <= reply.code <= 399:
            raise self._failed("gave a wrong reply to the message")
        return reply

    def abandon(self) -> None:
        """Cut the connection, whatever is under way; a message without final dot is dropped."""
        self._failure = self._failure or NextHopFailed("connection was cut")
        self._patience.stop()
        if self._transport is not None:
            self._transport.abort()

    def quit(self) -> None:
        """Say goodbye; the next hop closes when it has answered, or we do a little later."""
        if self._transport is None or not self.usable:
            self.abandon()
            return
        self._transport.write(command("QUIT"))
        self._leaving = self._loop.call_later(GOODBYE, self._transport.abort)

    # What the transport calls.

    def connected(self, transport: asyncio.Transport) -> None:
        """Keep the transport and bound what it buffers."""
        self._transport = transport
        self._transport.set_write_buffer_limits(high=UNSENT_AT_MOST)

    def received(self, data: bytes) -> None:
        """Gather replies; one that nobody waits for while a message is sent breaks the order."""
        try:
            self._replies.extend(self._reader.receive(data))
        except ProtocolError as problem:
            self._fail(f"answered with {problem}")
        if len(self._replies) > 2:
            self._fail("answered more than it was asked")
        if len(self._replies) >= self._wanted:
            self._wake()

    def lost(self) -> None:
        """Tell whoever waits."""
        self._fail("closed the connection")
        self.resume_writing()

    def pause_writing(self) -> None:
        """The next hop is slower than the client."""
        self._drained = self._loop.create_future()

    def resume_writing(self) -> None:
        """The next hop has caught up."""
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
        self._drained = None

    def _write(self, octets: bytes) -> None:
        self._check()
        if self._replies:
            # A reply before its question, such as a 250 before the final dot, answers nothing.
            raise self._failed("answered before it was asked")
        assert self._transport is not None
        self._transport.write(octets)

    async def _reply(self, timeout: float, wanted: int = 1) -> ReplyLines:
        """The next reply, as soon as `wanted` are there. Raises NextHopFailed."""
        if len(self._replies) < wanted:
            self._patience.begin(timeout)
            self._wanted = wanted
            try:
                while len(self._replies) < wanted:
                    self._check()
                    self._waiter = self._loop.create_future()
                    await self._waiter
            finally:
                self._waiter = None
                self._patience.deadline = None
        reply = self._replies.popleft()
        if reply.code == 421:
            self._fail("is closing the connection")
        return reply

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _failed(self, why: str) -> NextHopFailed:
        self._fail(why)
        assert self._failure is not None
        return self._failure

    def _fail(self, why: str) -> None:
        """Note the first failure and cut the connection."""
        if self._failure is None:
            self._failure = NextHopFailed(why)
        self._patience.stop()
        if self._leaving is not None:
            self._leaving.cancel()
        if self._transport is not None:
            self._transport.abort()
        self._wake()

    def _lose_patience(self) -> None:
        self._fail("does not answer in time")

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
