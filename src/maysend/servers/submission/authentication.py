"""The AUTH command (RFC 4954): the exchange, and the check of the claim in a thread."""

from collections.abc import Awaitable, Callable

from maysend.reply import Reply
from maysend.sasl import MECHANISMS
from maysend.sasl.exchange import (
    Cancelled,
    Challenge,
    Claim,
    Mechanism,
    SaslError,
    decode_initial,
    decode_response,
)
from maysend.servers.submission.services import Services
from maysend.servers.threads import NoFreeThread

SYNTAX = Reply(501, "5.5.4", "Syntax: AUTH mechanism")
CANCELLED = Reply(501, "5.7.0", "Authentication aborted")
UNAVAILABLE = Reply(454, "4.7.0", "Temporary authentication failure")
SUCCESSFUL = Reply(235, "2.7.0", "Authentication successful")

Ask = Callable[[Challenge], Awaitable[str | Reply]]
"""Sends a 334 and gives the client's line, or the reply to a line that can't be read."""


class Refused(Exception):
    """AUTH did not succeed; `reply` says why."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply))
        self.reply = reply


async def authenticate(argument: str, ask: Ask, services: Services) -> tuple[str, str]:
    """(login, mechanism). Raises Refused; nothing that is raised holds a secret."""
    words = [word for word in argument.split(" ") if word]
    if not 1 <= len(words) <= 2:
        raise Refused(SYNTAX)
    mechanism = MECHANISMS.get(words[0].upper())
    if mechanism is None:
        raise Refused(failed("Invalid authentication mechanism"))
    exchange = mechanism()
    claim = await _claim(exchange, words[1] if len(words) == 2 else None, ask)
    return await _checked(claim, services), exchange.name


async def _claim(exchange: Mechanism, initial: str | None, ask: Ask) -> Claim:
    try:
        step = exchange.start(None if initial is None else decode_initial(initial))
        while isinstance(step, Challenge):
            line = await ask(step)
            if isinstance(line, Reply):
                raise Refused(line)
            step = exchange.respond(decode_response(line))
    except Cancelled:
        raise Refused(CANCELLED) from None
    except SaslError as problem:
        raise Refused(failed(str(problem))) from None
    return step


async def _checked(claim: Claim, services: Services) -> str:
    try:
        login = await services.threads.run(services.authenticate, claim.login, claim.password)
    except NoFreeThread:
        raise Refused(UNAVAILABLE) from None
    except Exception as problem:  # fail closed, whatever a credential check may raise
        # The text of a foreign error may quote the password: only its kind is told.
        services.log(f"error: authentication failed to run: {type(problem).__name__}")
        raise Refused(UNAVAILABLE) from None
    if login is None:
        raise Refused(failed("authentication failure"))
    return login


def failed(reason: str) -> Reply:
    """The reply to an AUTH that failed, as Postfix words it."""
    return Reply(535, "5.7.8", f"Error: authentication failed: {reason}")
