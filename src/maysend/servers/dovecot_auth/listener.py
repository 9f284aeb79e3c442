"""A Dovecot auth socket that a mail server asks about its clients' logins.

    smtpd_sasl_type = dovecot
    smtpd_sasl_path = unix:/run/maysend/auth

What it is asked is who somebody is; the answer is the login in its canonical form, the account
that stands behind an alias. Whether that login may send is another question.
"""

import asyncio
import os
import socket
from collections.abc import Callable
from secrets import token_hex
from typing import cast

from maysend.protocols.dovecot_auth import Offer, ProtocolError
from maysend.protocols.dovecot_auth_server import AuthServer
from maysend.servers.connections import Connections
from maysend.servers.dovecot_auth.exchanges import Exchanges
from maysend.servers.metrics import Metrics
from maysend.servers.submission.guessing import Guesses
from maysend.servers.submission.logins import Logins


class DovecotAuthListener:
    """Mail servers that ask `logins`. `name` is the listener's in log lines and metrics.

    At most `connections` at a time; a Postfix has one for each of its smtpd processes. `guesses`
    bounds how often a login or an address may fail.
    """

    def __init__(
        self,
        logins: Logins,
        name: str,
        metrics: Metrics,
        log: Callable[[str], None],
        guesses: Guesses,
        *,
        connections: int = 1000,
    ) -> None:
        self.logins = logins
        self.guesses = guesses
        self.offers: list[Offer] = []
        self._name = name
        self._metrics = metrics
        self.connections: Connections[Connection] = Connections(name, metrics, log, connections)
        self._number = 0
        self._server: asyncio.Server | None = None

    async def start(self, sock: socket.socket) -> None:
        """Accept connections from a listening socket. Raises OSError."""
        self.offers = [Offer(name, properties) for name, properties in await self.logins.offers()]
        loop = asyncio.get_running_loop()
        create = loop.create_unix_server if sock.family == socket.AF_UNIX else loop.create_server
        self._server = await create(lambda: Connection(self), sock=sock)

    async def stop(self, grace: float) -> None:
        """Accept nothing more; exchanges that are under way may end within `grace` seconds."""
        if self._server is not None:
            self._server.close()
        await self.connections.end(grace)

    def count(self, outcome: str) -> None:
        """One login more: "ok", "failed" or "unavailable"."""
        self._metrics.counter(
            "maysend_logins_total",
            "Logins that were asked about, by how they ended.",
            listener=self._name,
            outcome=outcome,
        ).value += 1

    def next_number(self) -> int:
        """A connection's number, which no other has for a while."""
        self._number = self._number % 0x7FFFFFFF + 1
        return self._number


class Connection(asyncio.Protocol):
    """One mail server, or one process of it."""

    def __init__(self, listener: DovecotAuthListener) -> None:
        self._listener = listener
        self._is_ending = False
        self._codec = AuthServer(
            listener.offers, os.getpid(), listener.next_number(), token_hex(16)
        )
        self._exchanges = Exchanges(
            listener.logins,
            frozenset(offer.mechanism for offer in listener.offers),
            listener.guesses,
            self._say,
            listener.count,
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet: some clients say nothing before they have heard everything."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but name
        if not self._listener.connections.admits(self):
            self._transport.abort()
            return
        self._transport.write(self._codec.greeting())

    def data_received(self, data: bytes) -> None:
        """The mail server asks."""
        try:
            for asked in self._codec.receive(data):
                self._exchanges.take(asked)
        except ProtocolError as problem:
            self._listener.connections.misunderstood(problem)
            self._transport.abort()

    def pause_writing(self) -> None:
        """It does not read its answers."""
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """It reads again."""
        self._transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """It has gone; nobody waits for what is under way."""
        self._exchanges.give_up_all()
        self._listener.connections.gone(self)

    def end(self) -> None:
        """Close as soon as no exchange is under way."""
        self._is_ending = True
        self._close_if_done()

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    def _say(self, octets: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(octets)
        if self._is_ending:
            asyncio.get_running_loop().call_soon(self._close_if_done)

    def _close_if_done(self) -> None:
        if not self._exchanges.busy:
            self._transport.close()
