"""How servers get their decisions: inline where nothing has to be waited for, else in a thread.

A question is a plain function that is told whether it may wait:

    deciding = Deciding(BoundedThreads(16, name="decisions"), log)
    decision = await deciding.decide(lambda may_wait: policy.decide(request, may_wait=may_wait))
    decision = await deciding.decide(of_session(session, session.data))

Whatever goes wrong becomes a decision with a 4yz reply: it is never a permit.
"""

from collections.abc import Callable
from typing import Final, Protocol, TypeAlias

from maysend.policy import Decision, Policy, Session, WouldWait
from maysend.reply import Reply
from maysend.servers.threads import BoundedThreads, NoFreeThread

POLICY_FAILED: Final = Reply(451, "4.3.0", "Error: temporary policy failure")
"""The program failed where it should have decided; the log says how."""
POLICY_BUSY: Final = Reply(451, "4.3.2", "Error: too many lookups are under way, try again later")
"""All threads wait for tables, and did so for as long as one may wait for a thread."""

Question: TypeAlias = Callable[[bool], Decision]
"""Decides when it is called with whether it may wait; raises WouldWait where it may not."""


def of_session(session: Session, command: Callable[[], Decision]) -> Question:
    """The question that `command`, one of `session`, asks."""

    def ask(may_wait: bool) -> Decision:
        session.may_wait = may_wait
        return command()

    return ask


class PolicyInUse(Protocol):
    """Has the policy that counts now; one that follows its files has another one later."""

    @property
    def policy(self) -> Policy:
        """The policy to ask."""
        ...


class FixedPolicy:
    """A policy that stays."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy


class Deciding:
    """Gets decisions. `threads` run those that have to wait; `log` takes one line."""

    def __init__(self, threads: BoundedThreads, log: Callable[[str], None]) -> None:
        self._threads = threads
        self._log = log

    def at_once(self, question: Question) -> Decision | None:
        """The decision, or None where it would have to wait: `in_a_thread` then gives it."""
        try:
            return question(False)
        except WouldWait:
            return None
        except Exception as problem:  # fail closed, whatever it was
            return self._failed(problem)

    def of_command(self, session: Session, command: Callable[[], Decision]) -> Decision | None:
        """`at_once` of a command of `session`, with fewer steps: every message takes four."""
        session.may_wait = False
        try:
            return command()
        except WouldWait:
            return None
        except Exception as problem:  # fail closed, whatever it was
            return self._failed(problem)

    async def in_a_thread(self, question: Question) -> Decision:
        """The decision, for which a thread may wait."""
        try:
            return await self._threads.run(question, True)
        except NoFreeThread:
            self._log("warning: no thread is free for a decision: answered 4xx")
            return Decision(POLICY_BUSY)
        except Exception as problem:  # fail closed, whatever it was
            return self._failed(problem)

    async def decide(self, question: Question) -> Decision:
        """The decision, at once where that is possible."""
        decision = self.at_once(question)
        return await self.in_a_thread(question) if decision is None else decision

    def _failed(self, problem: Exception) -> Decision:
        self._log(f"error: policy failed: {type(problem).__name__}: {problem}")
        return Decision(POLICY_FAILED)
