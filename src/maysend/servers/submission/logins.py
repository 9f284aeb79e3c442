"""Who a client is: the mechanisms that can be offered, and the exchange of one AUTH command.

`Logins` is what the gateway asks. Here is the form that checks passwords itself, against the
directory; `dovecot_logins` leaves both mechanisms and passwords to a Dovecot.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from secrets import token_bytes, token_hex
from typing import Protocol

import msgspec

from maysend.directory import Directory
from maysend.directory.accounts import Credential
from maysend.reply import Reply
from maysend.sasl import MECHANISMS
from maysend.sasl.exchange import (
    FAILURE,
    AskingMechanism,
    Cancelled,
    Challenge,
    Circumstances,
    Claim,
    Mechanism,
    Proved,
    Question,
    SaslError,
    Step,
    decode_initial,
    decode_response,
)
from maysend.sasl.stored import secret_of
from maysend.servers.threads import BoundedThreads, NoFreeThread

CANCELLED = Reply(501, "5.7.0", "Authentication aborted")
UNAVAILABLE = Reply(454, "4.7.0", "Temporary authentication failure")
USUAL_MECHANISMS = ("PLAIN", "LOGIN")
"""Those that work with any stored hash. A client picks the strongest that it is offered, and
can't log in by CRAM-MD5 or SCRAM-SHA-256 where only another hash is stored."""


class Refused(Exception):
    """AUTH did not succeed: `reply` says why, `login` who it was for, "" where that is unknown.

    `guess`: the login or the password was wrong, which counts against guessing.
    """

    def __init__(self, reply: Reply, login: str = "", *, guess: bool = False) -> None:
        super().__init__(str(reply))
        self.reply = reply
        self.login = login
        self.guess = guess


Ask = Callable[[str], Awaitable[str]]
"""Sends a challenge (base64) and gives the client's line. Raises Refused."""


class Attempt(msgspec.Struct, frozen=True):
    """One AUTH command: `initial` is its response as written, None where there is none.

    `admit` is told the login as soon as it is known, and raises Refused where too many were tried.
    """

    mechanism: str
    initial: str | None
    ask: Ask
    admit: Callable[[str], None]
    client_address: str = ""
    server_address: str = ""
    is_encrypted: bool = False

    def __repr__(self) -> str:
        return f"Attempt({self.mechanism!r}, client_address={self.client_address!r})"


class Logins(Protocol):
    """Checks who clients are."""

    async def offers(self) -> Sequence[tuple[str, frozenset[str]]]:
        """The mechanisms and their properties, for now; none where they can't be had."""

    async def authenticate(self, attempt: Attempt) -> str:
        """The canonical login. Raises Refused; nothing that is raised holds a secret."""

    async def objection(self, login: str) -> str | None:
        """Why a canonical login that was let in may send nothing any more; asked at each MAIL.

        Raises where that is not known.
        """

    def close(self) -> None:
        """Check no more."""


class PasswordLogins:
    """Speaks the mechanisms itself.

    `check(login, password)` gives the canonical login or None; `credential(login)` gives what is
    stored, which CRAM-MD5 and SCRAM-SHA-256 need. Both may block, and run in threads. `objection`
    as `Logins.objection`, and `has_to_wait` whether it would wait: then it runs in a thread.
    `salt_key` as in `sasl.exchange.Circumstances`. Raises ValueError for a mechanism that can't be
    spoken.
    """

    def __init__(
        self,
        check: Callable[[str, str], str | None],
        credential: Callable[[str], Credential | None] | None = None,
        objection: Callable[[str], str | None] = lambda _: None,
        has_to_wait: Callable[[str], bool] = lambda _: False,
        *,
        mechanisms: Sequence[str] = USUAL_MECHANISMS,
        hostname: str = "localhost",
        salt_key: bytes | None = None,
        threads: int = 4,
        log: Callable[[str], None] = lambda _: None,
    ) -> None:
        unknown = [name for name in mechanisms if name not in MECHANISMS]
        if unknown:
            known = ", ".join(MECHANISMS)
            raise ValueError(f"no SASL mechanism {unknown[0]!a} here, expected one of {known}")
        self._check = check
        self._credential = credential
        self._objection = objection
        self._has_to_wait = has_to_wait
        self._offers = [(name, MECHANISMS[name].properties) for name in mechanisms]
        self._hostname = hostname
        self._salt_key = salt_key or token_bytes(32)
        self._threads = BoundedThreads(threads, name="authentication")
        self._asking = BoundedThreads(threads, name="objections")
        self._log = log

    async def offers(self) -> Sequence[tuple[str, frozenset[str]]]:
        """Always the same."""
        return self._offers

    async def authenticate(self, attempt: Attempt) -> str:
        """Run the exchange; passwords are compared in a thread. Raises Refused."""
        circumstances = Circumstances(self._hostname, token_hex(16), self._salt_key)
        exchange = MECHANISMS[attempt.mechanism].begin(circumstances)
        claimed = ""
        try:
            step = _begun(exchange, attempt.initial)
            while True:
                if isinstance(step, Proved):
                    return step.login
                if isinstance(step, Challenge):
                    step = exchange.respond(decode_response(await attempt.ask(step.encode())))
                    continue
                claimed = step.login
                attempt.admit(claimed)
                step = await self._answered(exchange, step)
        except Cancelled:
            raise Refused(CANCELLED) from None
        except SaslError as problem:
            guess = str(problem) == FAILURE
            raise Refused(failed(str(problem)), claimed, guess=guess) from None

    async def objection(self, login: str) -> str | None:
        """What the function says that this was made with."""
        if self._has_to_wait(login):
            return await self._asking.run(self._objection, login)
        return self._objection(login)

    def close(self) -> None:
        """Start no more checks."""
        self._threads.close()
        self._asking.close()

    async def _answered(self, exchange: Mechanism, step: Claim | Question) -> Step:
        """Ask the store what the exchange wants to know. Raises SaslError, Refused."""
        try:
            if isinstance(step, Claim):
                login = await self._threads.run(self._check, step.login, step.password)
                if login is None:
                    raise SaslError(FAILURE)
                return Proved(login)
            return await self._threads.run(self._informed, exchange, step.login)
        except NoFreeThread:
            raise Refused(UNAVAILABLE) from None
        except SaslError:
            raise
        except Exception as problem:  # fail closed, whatever a credential check may raise
            # The text of a foreign error may quote the password: only its kind is told.
            self._log(f"error: authentication failed to run: {type(problem).__name__}")
            raise Refused(UNAVAILABLE) from None

    def _informed(self, exchange: AskingMechanism, login: str) -> Step:
        found = self._credential(login) if self._credential is not None else None
        if found is None or not found.enabled:
            return exchange.informed(login, None)
        return exchange.informed(found.login, secret_of(found.password_hash))


def directory_logins(
    directory: Directory,
    *,
    realm: str = "",
    mechanisms: Sequence[str] = USUAL_MECHANISMS,
    hostname: str = "localhost",
    salt_key: bytes | None = None,
    log: Callable[[str], None] = lambda _: None,
) -> PasswordLogins:
    """The directory's accounts; `realm` is smtpd_sasl_local_domain, for logins without a domain."""
    return PasswordLogins(
        partial(directory.authenticate, realm=realm),
        partial(directory.credential, realm=realm),
        directory.objection,
        directory.has_to_wait_for_objection,
        mechanisms=mechanisms,
        hostname=hostname,
        salt_key=salt_key,
        log=log,
    )


def _begun(exchange: Mechanism, initial: str | None) -> Step:
    return exchange.start(None if initial is None else decode_initial(initial))


def failed(reason: str) -> Reply:
    """The reply to an AUTH that failed, as Postfix words it."""
    return Reply(535, "5.7.8", f"Error: authentication failed: {reason}")
