"""The wait before a reply that `sleep` asks for (postconf(5), "sleep seconds")."""

import asyncio

from maysend.policy import Decision

LONGEST_SLEEP = 30.0
"""Seconds that an answer to a Postfix waits at most: it gives up after its own timeout."""


async def sleep_as_decided(decision: Decision, longest: float = LONGEST_SLEEP) -> None:
    """Wait as long as all `sleep` of a decision say together, `longest` seconds at most."""
    if not decision.actions:
        return
    seconds = sum(int(a.argument or 0) for a in decision.actions if a.name == "SLEEP")
    if seconds:
        await asyncio.sleep(min(seconds, longest))
