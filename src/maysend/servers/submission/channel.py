"""A client's socket: octets to events and replies to octets, with back-pressure both ways."""

import asyncio
import ssl
from collections.abc import Callable
from socket import SO_RCVBUF, SO_SNDBUF, SOL_SOCKET
from typing import Final

from maysend.protocols.proxy_protocol import Proxied, ProxyError, ProxyReader
from maysend.protocols.smtp.data import DataLimits
from maysend.protocols.smtp.events import Event
from maysend.protocols.smtp.replies import Answer, ReplyLines, in_ascii
from maysend.protocols.smtp.server import ServerCodec
from maysend.reply import LONGEST_LINE, Reply
from maysend.servers.submission.patience import Patience

HELD_AT_MOST: Final = 65536
"""Octets received and not yet looked at, from which on the socket is not read."""

UNSENT_AT_MOST: Final = 65536

KERNEL_BUFFER: Final = 65536
"""SO_RCVBUF and SO_SNDBUF, which Linux doubles: what the kernel holds for a connection that is not
read, by us or by the client."""

IN_A_ROW: Final = 4
"""Events that are there already and are looked at before others get their turn: MAIL, RCPT and
DATA come together, but who sends thousands of commands at once has to wait like everybody."""


def read_buffer() -> memoryview:
    """A buffer for the channels of one event loop."""
    return memoryview(bytearray(HELD_AT_MOST))


class ClientGone(Exception):
    """The client closed the connection, or it broke."""


class Interrupted(Exception):
    """The server is stopping, and nothing was under way."""


class Channel:
    """A dialogue pulls events from it and writes replies to it.

    `buffer` is what the loop reads into: one for all channels of a loop, since what was read is
    taken out of it before the loop reads again. Its size bounds what one read brings. `protocol` is
    what the loop knows it by (see `wires`).
    """

    def __init__(self, buffer: memoryview, protocol: asyncio.BufferedProtocol) -> None:
        self.codec = ServerCodec()
        self._buffer = buffer
        self._protocol = protocol
        self.transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self._patience = Patience(self._lose_patience)
        self._waiter: asyncio.Future[None] | None = None
        self._drained: asyncio.Future[None] | None = None
        self._unsent: list[bytes] = []
        self.takes_utf8 = False
        """Whether replies may be UTF-8: the client asked for SMTPUTF8 in its last MAIL."""
        self.footer: Callable[[Answer], ReplyLines] | None = None
        self._in_a_row = 0
        self._gone = False
        self._ended = False
        self._reading_paused = False
        self._proxy: ProxyReader | None = None
        self.tls: ssl.SSLObject | None = None

    # What the transport calls.

    def connected(self, transport: asyncio.Transport) -> None:
        """Keep the transport and bound what it buffers."""
        self.transport = transport
        self.transport.set_write_buffer_limits(high=UNSENT_AT_MOST)
        self.tls = self.transport.get_extra_info("ssl_object")
        self._bound_what_one_read_brings()

    def _bound_what_one_read_brings(self) -> None:
        """The loop's TLS layer reads all that the kernel holds, and keeps it several times over."""
        socket = self.transport.get_extra_info("socket") if self.transport else None
        if socket is not None:
            socket.setsockopt(SOL_SOCKET, SO_RCVBUF, KERNEL_BUFFER)
            socket.setsockopt(SOL_SOCKET, SO_SNDBUF, KERNEL_BUFFER)

    def get_buffer(self) -> memoryview:
        """Where the loop puts what it reads."""
        if self._proxy is not None and self._proxy.wanted:
            # What follows the header may be TLS, and is not ours to read.
            return self._buffer[: self._proxy.wanted]
        return self._buffer

    def received(self, nbytes: int) -> None:
        """Hand octets to the codec; stop reading when the dialogue does not keep up."""
        octets = bytes(self._buffer[:nbytes])
        if self._proxy is not None and self._proxy.wanted:
            self._take_proxy_header(self._proxy, octets)
            return
        if self.codec.receive(octets) > HELD_AT_MOST:
            self.pause_reading()
        self._wake()

    def ended(self) -> bool:
        """No more octets will come; what is there is still answered (TLS closes by itself)."""
        self._ended = True
        self._wake()
        return self.tls is None

    def lost(self) -> None:
        """Tell whoever waits."""
        self._gone = True
        self._patience.stop()
        self._wake()
        self.resume_writing()

    def pause_writing(self) -> None:
        """The client does not read its replies: flush() waits from here on."""
        self._drained = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        """The client reads again."""
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
        self._drained = None

    # What the dialogue calls.

    def expect_proxy(self) -> None:
        """The first octets are a PROXY header. To be called before anything is read."""
        self._proxy = ProxyReader()

    @property
    def is_proxied(self) -> bool:
        """Whether a PROXY header is expected."""
        return self._proxy is not None

    async def proxied(self, timeout: float) -> Proxied:
        """What the PROXY header says. Raises ClientGone, TimeoutError after `timeout` seconds."""
        assert self._proxy is not None
        async with asyncio.timeout(timeout):
            while self._proxy.result is None:
                if self._gone or self._ended:
                    raise ClientGone
                await self._octets()
        return self._proxy.result

    def _take_proxy_header(self, proxy: ProxyReader, octets: bytes) -> None:
        try:
            proxy.receive(octets)
        except ProxyError:
            self._gone = True
        if self._gone or proxy.result is not None:
            # Nothing is read before somebody waits for it: TLS may have to begin first.
            self.pause_reading()
            self._wake()

    def pause_reading(self) -> None:
        """Leave what comes to the kernel until somebody waits for it."""
        if self.transport is not None and not self._reading_paused:
            self.transport.pause_reading()
            self._reading_paused = True

    async def event(self, timeout: float) -> Event:
        """The next event. Raises ClientGone, TimeoutError after `timeout` seconds, Interrupted."""
        event = self.codec.next_event()
        if event is not None:
            self._in_a_row += 1
            if self._in_a_row >= IN_A_ROW:
                self._in_a_row = 0
                self._write_out()
                await self.flush(timeout)
                await asyncio.sleep(0)
            return event
        self._in_a_row = 0
        self._write_out()
        if self._drained is not None:
            await self.flush(timeout)
        self._patience.begin(timeout)
        try:
            while event is None:
                if self._gone or self._ended:
                    raise ClientGone
                if self._reading_paused:
                    self.resume_reading()
                self._waiter = self._loop.create_future()
                await self._waiter
                event = self.codec.next_event()
        finally:
            self._waiter = None
            self._patience.deadline = None
        return event

    def interrupt(self) -> None:
        """Make the event() that waits, if any, raise Interrupted."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(Interrupted())

    def start_data(self, limits: DataLimits) -> None:
        """What comes next is a message."""
        self.codec.start_data(limits)

    def say(self, reply: Answer) -> None:
        """Put a reply in line; it goes out when the dialogue waits for more, or at flush()."""
        if self.footer is not None and reply.code >= 400:
            reply = self.footer(reply)
        if isinstance(reply, Reply):
            line = str(reply)
            if line.isascii() and line.isprintable() and len(line) <= LONGEST_LINE:
                self._unsent.append(line.encode() + b"\r\n")
                return
            reply = ReplyLines.of(reply)
        self._unsent.append((reply if self.takes_utf8 else in_ascii(reply)).encode())

    async def flush(self, timeout: float) -> None:
        """Send what was said. Raises ClientGone, TimeoutError when the client does not read."""
        self._write_out()
        if self._drained is not None:
            async with asyncio.timeout(timeout):
                await self._drained

    def _write_out(self) -> None:
        """Hand what was said to the transport. Raises ClientGone."""
        if not self._unsent:
            return
        if self._gone or self.transport is None:
            raise ClientGone
        self.transport.write(b"".join(self._unsent))
        self._unsent.clear()

    async def start_tls(self, context: ssl.SSLContext, timeout: float) -> None:
        """Negotiate TLS; what the client had sent in the clear is gone. Raises ClientGone."""
        if self.transport is None or self._gone:
            raise ClientGone
        self.codec.discard_input()
        self.resume_reading()
        try:
            upgraded = await asyncio.get_running_loop().start_tls(
                self.transport,
                self._protocol,
                context,
                server_side=True,
                ssl_handshake_timeout=timeout,
            )
        except (OSError, TimeoutError) as problem:
            raise ClientGone from problem
        if upgraded is None or self._gone:
            raise ClientGone
        self.connected(upgraded)

    def peer(self) -> str:
        """The client's address, or "unknown"."""
        return self._ends("peername")[0]

    def ends(self) -> Proxied:
        """Both ends of the connection, as the socket has them."""
        client, client_port = self._ends("peername")
        server, server_port = self._ends("sockname")
        return Proxied(client, client_port, server, server_port)

    def _ends(self, which: str) -> tuple[str, int]:
        name = self.transport.get_extra_info(which) if self.transport else None
        if not isinstance(name, tuple):
            return "unknown", 0
        # An IPv4 client of an IPv6 socket is known by its IPv4 address everywhere else.
        return str(name[0]).removeprefix("::ffff:"), int(name[1])

    async def close(self, linger: float = 1.0) -> None:
        """Send what was said and close; input is read a little longer so that no reset eats it."""
        if self.transport is None:
            return
        try:
            await self.flush(linger)
            if not (self._gone or self._ended) and self.transport.can_write_eof():
                self.transport.write_eof()
                await self._wait_for_end(linger)
            self.transport.close()
        except (ClientGone, TimeoutError, OSError):
            # It does not read, or does not stop talking: nothing is waited for any longer.
            self.transport.abort()

    async def _wait_for_end(self, linger: float) -> None:
        async with asyncio.timeout(linger):
            while not (self._gone or self._ended):
                self.codec.discard_input()
                await self._octets()

    async def _octets(self) -> None:
        """Wait until something came in."""
        if self._reading_paused:
            self.resume_reading()
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def resume_reading(self) -> None:
        """Read the socket again if it was paused."""
        if self._reading_paused and self.transport is not None:
            self.transport.resume_reading()
            self._reading_paused = False

    def _lose_patience(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(TimeoutError())

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
