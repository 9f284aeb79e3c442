"""The AUTH command (RFC 4954) of one dialogue: what EHLO offers, and who may try how often."""

from collections.abc import Awaitable, Callable

from maysend.reply import Reply
from maysend.sasl import acceptable
from maysend.servers.submission.logins import Attempt, Refused, failed
from maysend.servers.submission.peer import Peer
from maysend.servers.submission.services import Services
from maysend.servers.submission.terms import Terms

SYNTAX = Reply(501, "5.5.4", "Syntax: AUTH mechanism")
SUCCESSFUL = Reply(235, "2.7.0", "Authentication successful")
NO_MECHANISM = Reply(535, "5.7.8", "Error: authentication failed: Invalid authentication mechanism")
GUESSING = Reply(454, "4.7.0", "Temporary authentication failure: too many failed logins")

NextLine = Callable[[int], Awaitable[str | Reply]]
"""The client's next line of at most so many octets, or the reply to one that can't be read."""


class Authentication:
    """The AUTH commands of one dialogue. `say` sends a reply before the next line is read."""

    def __init__(
        self,
        services: Services,
        terms: Terms,
        peer: Peer,
        say: Callable[[Reply], None],
        next_line: NextLine,
    ) -> None:
        self._services = services
        self._guesses = services.traffic.guesses(services.settings.limits.guesses)
        self._terms = terms
        self._peer = peer
        self._say = say
        self._next_line = next_line

    async def keywords(self) -> list[str]:
        """The AUTH lines of an EHLO reply, none where nothing can be offered."""
        if self._terms.hides_auth_from(self._peer):
            return []
        offered = " ".join(await self._mechanisms())
        if not offered:
            return []
        # The form of a draft that old clients still look for (broken_sasl_auth_clients).
        old = [f"AUTH={offered}"] * self._terms.sasl.broken_clients
        return [f"AUTH {offered}", *old]

    async def run(self, argument: str) -> tuple[str, str]:
        """(login, mechanism) of one AUTH command. Raises Refused."""
        words = [word for word in argument.split(" ") if word]
        if not 1 <= len(words) <= 2:
            raise Refused(SYNTAX)
        name = words[0].upper()
        address, traffic = self._peer.address, self._services.traffic
        if self._guesses.is_address_blocked(address):
            self._refuse_guess()
        if name not in await self._mechanisms():
            raise Refused(NO_MECHANISM)
        attempt = Attempt(
            mechanism=name,
            initial=words[1] if len(words) == 2 else None,
            ask=self._ask,
            admit=self._admit,
            client_address=address,
            server_address=self._peer.server_address,
            is_encrypted=bool(self._peer.tls),
        )
        try:
            login = await self._services.logins.authenticate(attempt)
        except Refused as refusal:
            if refusal.guess:
                traffic.counts.logins_failed += 1
                self._guesses.failed(refusal.login, address)
            raise
        self._guesses.succeeded(login, address)
        traffic.counts.logins += 1
        return login, name

    async def _mechanisms(self) -> tuple[str, ...]:
        sasl = self._terms.sasl
        options = sasl.tls_security_options if self._peer.tls else sasl.security_options
        return acceptable(await self._services.logins.offers(), options)

    async def _ask(self, challenge: str) -> str:
        self._say(Reply(334, "", challenge))
        line = await self._next_line(self._terms.sasl.response_limit)
        if isinstance(line, Reply):
            raise Refused(line)
        if len(line) > self._terms.sasl.response_limit:
            raise Refused(failed("response too long"))
        return line

    def _admit(self, login: str) -> None:
        if self._guesses.is_login_blocked(login, self._peer.address):
            self._refuse_guess()

    def _refuse_guess(self) -> None:
        self._services.traffic.counts.logins_throttled += 1
        raise Refused(GUESSING)
