"""What the event loop calls, handed on to a `Channel` or a `Relay`.

The loop wants its own base classes; what it calls them with ends here.
"""

import asyncio
from collections.abc import Callable
from typing import cast

from maysend.servers.submission.channel import Channel
from maysend.servers.submission.next_hop import NextHop
from maysend.servers.submission.relay import Relay
from maysend.servers.submission.settings import Timeouts


class ClientWire(asyncio.BufferedProtocol):
    """A client's connection; `connected` is told of its channel. `buffer` is the channel's."""

    def __init__(self, buffer: memoryview, connected: Callable[[Channel], None]) -> None:
        self._channel = Channel(buffer, self)
        self._connected = connected

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        self._channel.connected(cast(asyncio.Transport, transport))
        self._connected(self._channel)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where the loop puts what it reads."""
        return self._channel.get_buffer()

    def buffer_updated(self, nbytes: int) -> None:
        """So many octets were read."""
        self._channel.received(nbytes)

    def eof_received(self) -> bool:
        """The client sends nothing more."""
        return self._channel.ended()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._channel.lost()

    def pause_writing(self) -> None:
        """The client does not read its replies."""
        self._channel.pause_writing()

    def resume_writing(self) -> None:
        """The client reads again."""
        self._channel.resume_writing()


class NextHopWire(asyncio.Protocol):
    """The connection that `relay` speaks on."""

    def __init__(self, next_hop: NextHop, timeouts: Timeouts) -> None:
        self.relay = Relay(next_hop, timeouts, self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The next hop has taken the connection."""
        self.relay.connected(cast(asyncio.Transport, transport))

    def data_received(self, data: bytes) -> None:
        """It has said something."""
        self.relay.received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self.relay.lost()

    def pause_writing(self) -> None:
        """It is slower than the client."""
        self.relay.pause_writing()

    def resume_writing(self) -> None:
        """It has caught up."""
        self.relay.resume_writing()
