"""Logins that a Dovecot checks: its mechanisms are offered, and each exchange is passed through.

Source: Postfix's SASL_README, "Configuring Dovecot SASL for the Postfix SMTP server".
"""

import asyncio
import os
from base64 import b64encode
from collections.abc import Callable, Sequence
from typing import cast

from maysend.protocols.dovecot_auth import (
    Answer,
    AuthClient,
    Continued,
    Failed,
    ProtocolError,
    Succeeded,
)
from maysend.reply import Reply
from maysend.sasl.exchange import Cancelled, SaslError, decode_initial, decode_response
from maysend.servers.submission.logins import CANCELLED, UNAVAILABLE, Attempt, Refused, failed

SERVICE = "smtp"
"""smtpd_sasl_service, as Dovecot's per-protocol settings know it."""

CONNECT_TIMEOUT = 5.0
ANSWER_TIMEOUT = 100.0
"""Seconds; Dovecot lets a failed login wait, and Postfix allows it as long ($ipc_timeout)."""

RETRY_AFTER = 1.0
"""Seconds between two tries to reach a Dovecot that is not there."""


NO_REASON = "(reason unavailable)"
"""Postfix's words where Dovecot says none."""


class DovecotConnection(asyncio.Protocol):
    """One connection, on which any number of exchanges are under way."""

    def __init__(self) -> None:
        self.codec = AuthClient(os.getpid())
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting: dict[int, asyncio.Future[Answer]] = {}
        self._last_request = 0
        self._transport: asyncio.Transport | None = None
        self.failure = ""

    def begin(self) -> int:
        """The number of a new request."""
        self._last_request = self._last_request % 0xFFFFFFFE + 1
        return self._last_request

    async def say(self, request: int, octets: bytes) -> Answer:
        """Send a line of a request, wait for the answer. Raises ConnectionError, TimeoutError."""
        if self.failure or self._transport is None:
            raise ConnectionError(self.failure)
        answer = asyncio.get_running_loop().create_future()
        self._waiting[request] = answer
        self._transport.write(octets)
        try:
            return await asyncio.wait_for(answer, ANSWER_TIMEOUT)
        finally:
            self._waiting.pop(request, None)

    def forget(self, request: int) -> None:
        """The client gave up."""
        if self._transport is not None and not self.failure:
            self._transport.write(self.codec.cancel(request))

    def close(self) -> None:
        """Cut the connection."""
        self._fail("was closed")

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say who we are."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self.codec.greeting())

    def data_received(self, data: bytes) -> None:
        """Give each answer to the exchange that waits for it."""
        try:
            answers = self.codec.receive(data)
        except ProtocolError as problem:
            self._fail(f"said {problem}")
            return
        if self.codec.ready and not self.ready.done():
            self.ready.set_result(None)
        for answer in answers:
            waiting = self._waiting.get(answer.request)
            if waiting is not None and not waiting.done():
                waiting.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits."""
        self._fail("closed the connection")

    def _fail(self, why: str) -> None:
        if self.failure:
            return
        self.failure = why
        waiting: list[asyncio.Future[None] | asyncio.Future[Answer]] = [self.ready]
        waiting += self._waiting.values()
        for future in waiting:
            if not future.done():
                future.set_exception(ConnectionError(why))
                future.exception()  # asked for here: nobody may be waiting for it
        if self._transport is not None:
            self._transport.abort()


class DovecotLogins:
    """Asks the auth socket at `path` (`unix:` may stand before it), or `inet:host:port`.

    The connection is made when it is first needed, and again when it was lost.
    """

    def __init__(self, path: str, log: Callable[[str], None] = lambda _: None) -> None:
        self._path = path
        self._log = log
        self._connection: DovecotConnection | None = None
        self._connecting = asyncio.Lock()
        self._failed_at = float("-inf")

    async def offers(self) -> Sequence[tuple[str, frozenset[str]]]:
        """What Dovecot's handshake names; nothing while it can't be reached."""
        try:
            connection = await self._connected()
        except (OSError, TimeoutError):
            return ()
        return [(offer.mechanism, offer.properties) for offer in connection.codec.offers]

    async def authenticate(self, attempt: Attempt) -> str:
        """Pass the exchange through. Raises Refused."""
        try:
            return await self._exchange(await self._connected(), attempt)
        except (OSError, TimeoutError) as problem:
            self._log(f"warning: Dovecot at {self._path}: {problem or 'no answer in time'}")
            raise Refused(UNAVAILABLE) from None
        except Cancelled:
            raise Refused(CANCELLED) from None
        except SaslError as problem:
            raise Refused(failed(str(problem))) from None

    async def objection(self, login: str) -> str | None:
        """None: Dovecot's auth socket can't be asked again without the password."""
        return None

    def close(self) -> None:
        """Cut the connection."""
        if self._connection is not None:
            self._connection.close()

    async def _exchange(self, connection: DovecotConnection, attempt: Attempt) -> str:
        initial = None
        if attempt.initial is not None:
            initial = _encoded(decode_initial(attempt.initial))
        request = connection.begin()
        line = connection.codec.request(request, attempt.mechanism, _facts(attempt), initial)
        while True:
            answer = await connection.say(request, line)
            if isinstance(answer, Failed):
                raise _refusal(answer)
            if isinstance(answer, Succeeded):
                return answer.login
            line = await self._response(connection, answer, attempt)

    async def _response(
        self, connection: DovecotConnection, challenge: Continued, attempt: Attempt
    ) -> bytes:
        try:
            response = decode_response(await attempt.ask(challenge.challenge))
        except BaseException:
            connection.forget(challenge.request)
            raise
        return connection.codec.response(challenge.request, _encoded(response))

    async def _connected(self) -> DovecotConnection:
        """The connection, after its handshake. Raises OSError, TimeoutError."""
        async with self._connecting:
            if self._connection is not None and not self._connection.failure:
                return self._connection
            now = asyncio.get_running_loop().time()
            if now - self._failed_at < RETRY_AFTER:
                raise ConnectionError("is not there")
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT):
                    connection = await self._connect()
                    await connection.ready
            except (OSError, TimeoutError) as problem:
                self._failed_at = now
                self._log(f"warning: Dovecot at {self._path}: {problem or 'no answer in time'}")
                raise
            self._connection = connection
            return connection

    async def _connect(self) -> DovecotConnection:
        loop = asyncio.get_running_loop()
        if self._path.startswith("inet:"):
            host, _, port = self._path.removeprefix("inet:").rpartition(":")
            address = host.strip("[]")
            _, tcp = await loop.create_connection(DovecotConnection, address, int(port))
            return tcp
        path = self._path.removeprefix("unix:")
        _, unix = await loop.create_unix_connection(DovecotConnection, path)
        return unix


def _facts(attempt: Attempt) -> list[str]:
    """What Dovecot may want to know; nobody will ask it for the result a second time (nologin)."""
    facts = [f"service={SERVICE}", "nologin"]
    if attempt.server_address:
        facts.append(f"lip={attempt.server_address}")
    if attempt.client_address:
        facts.append(f"rip={attempt.client_address}")
    return facts + ["secured"] * attempt.is_encrypted


def _refusal(answer: Failed) -> Refused:
    if answer.temporary:
        reason = f": {answer.reason}" if answer.reason else ""
        return Refused(Reply(454, "4.7.0", f"Temporary authentication failure{reason}"))
    return Refused(failed(answer.reason or NO_REASON), answer.login, guess=True)


def _encoded(octets: bytes) -> str:
    return b64encode(octets).decode("ascii")
