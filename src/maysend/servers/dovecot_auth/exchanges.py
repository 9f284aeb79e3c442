"""The exchanges of one connection: each is an AUTH command of some client of the mail server's."""

import asyncio
from collections.abc import Callable

from maysend.protocols import dovecot_auth_server as protocol
from maysend.protocols.dovecot_auth import ProtocolError
from maysend.protocols.dovecot_auth_server import Asked, Begun, GivenUp, Responded
from maysend.reply import Reply
from maysend.servers.submission.guessing import Guesses
from maysend.servers.submission.logins import Attempt, Logins, Refused

AT_ONCE = 100
"""Exchanges that may be under way on one connection; a Postfix smtpd has one."""

LONGEST_SILENCE = 150.0
"""Seconds that a client may take to answer a challenge."""

TOO_MANY = "too many logins are under way"
GUESSING = "too many failed logins"
NO_MECHANISM = "Invalid authentication mechanism"
FAILED = "Error: authentication failed: "


class Exchanges:
    """Runs them. `say` sends octets to the mail server; `count` is told each outcome."""

    def __init__(
        self,
        logins: Logins,
        mechanisms: frozenset[str],
        guesses: Guesses,
        say: Callable[[bytes], None],
        count: Callable[[str], None],
    ) -> None:
        self._logins = logins
        self._mechanisms = mechanisms
        self._guesses = guesses
        self._say = say
        self._count = count
        self._running: dict[int, asyncio.Task[None]] = {}
        self._waiting: dict[int, asyncio.Future[str]] = {}

    @property
    def busy(self) -> bool:
        """Whether any is under way."""
        return bool(self._running)

    def take(self, asked: Asked) -> None:
        """Begin an exchange, or go on with one. Raises ProtocolError."""
        match asked:
            case Begun():
                self._begin(asked)
            case Responded():
                waiting = self._waiting.get(asked.request)
                if waiting is None or waiting.done():
                    raise ProtocolError("CONT that answers nothing")
                waiting.set_result(asked.response)
            case GivenUp():
                self._give_up(asked.request)

    def give_up_all(self) -> None:
        """The mail server has gone."""
        for request in list(self._running):
            self._give_up(request)

    def _give_up(self, request: int) -> None:
        task = self._running.pop(request, None)
        if task is not None:
            task.cancel()

    def _begin(self, begun: Begun) -> None:
        if begun.request in self._running:
            raise ProtocolError("AUTH with the number of an exchange that is under way")
        if begun.mechanism not in self._mechanisms:
            self._fail(begun.request, "", NO_MECHANISM)
        elif len(self._running) >= AT_ONCE:
            self._fail(begun.request, "", TOO_MANY, temporary=True)
        else:
            self._running[begun.request] = asyncio.create_task(self._run(begun))

    async def _run(self, begun: Begun) -> None:
        request, address = begun.request, begun.options.get("rip", "")
        try:
            if address and self._guesses.is_address_blocked(address):
                raise _too_many_guesses()
            login = await self._logins.authenticate(self._attempt(begun, address))
        except Refused as refusal:
            if refusal.guess:
                self._guesses.failed(refusal.login, address)
            reply = refusal.reply
            reason = reply.text.removeprefix(FAILED)
            self._fail(request, refusal.login, reason, temporary=reply.code < 500)
        except Exception:  # fail closed: whatever it was, nobody is logged in
            self._fail(request, "", "", temporary=True)
        else:
            self._guesses.succeeded(login, address)
            self._count("ok")
            self._say(protocol.succeeded(request, login))
        finally:
            if self._running.get(request) is asyncio.current_task():
                del self._running[request]

    def _attempt(self, begun: Begun, address: str) -> Attempt:
        def admit(login: str) -> None:
            if self._guesses.is_login_blocked(login, address):
                raise _too_many_guesses()

        async def ask(challenge: str) -> str:
            waiting = asyncio.get_running_loop().create_future()
            self._waiting[begun.request] = waiting
            self._say(protocol.continued(begun.request, challenge))
            try:
                return str(await asyncio.wait_for(waiting, LONGEST_SILENCE))
            finally:
                del self._waiting[begun.request]

        # An initial response without octets is written "=" in SMTP (RFC 4954 4), and "" here.
        return Attempt(
            mechanism=begun.mechanism,
            initial="=" if begun.initial == "" else begun.initial,
            ask=ask,
            admit=admit,
            client_address=address,
            server_address=begun.options.get("lip", ""),
            is_encrypted="secured" in begun.options,
        )

    def _fail(self, request: int, login: str, reason: str, *, temporary: bool = False) -> None:
        self._count("unavailable" if temporary else "failed")
        self._say(protocol.failed(request, login, reason, temporary=temporary))


def _too_many_guesses() -> Refused:
    return Refused(Reply(454, "4.7.0", GUESSING))
