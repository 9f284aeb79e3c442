"""Hold one session with both sides and note what happened."""

import msgspec

from maysend.cases import Case
from maysend.cases.dialogue import Answer, ask_policy
from maysend.maincf import MainCfError
from maysend.policy import Policy, PolicyError
from tests.differential.live_postfix import LivePostfix, LivePostfixError
from tests.differential.sessions.addresses import Address
from tests.live_dialogue import ask_postfix

REFUSES_TO_START = "refuses to start"
OUTSIDE_POLICY = (
    "451 4.3.0 Error: queue file write error",
    "451 4.3.0 Error: internal error",
    "451 4.6.0 Alias expansion error",
    "550 5.1.0 Error",
    "501 5.5.4 Syntax",
    "555 5.5.4 Unsupported option",
    "553 5.6.7 Must declare SMTPUTF8",
    "500 5.5.2 Error: bad UTF-8 syntax",
    "554 5.5.0 Error: transaction failed",
)
"""Replies of smtpd that no access policy gives: the message's own path through cleanup."""


class Session(msgspec.Struct):
    """One dialogue, and what both sides answered to it, turn by turn."""

    case: Case
    addresses: list[Address]
    live: list[Answer]
    ours: list[Answer]

    @property
    def outside_policy(self) -> bool:
        """Whether smtpd ended the dialogue for a reason that is none of the policy's."""
        return any(answer.reply.startswith(OUTSIDE_POLICY) for answer in self.live)

    @property
    def difference(self) -> int | None:
        """The first turn that was answered differently."""
        for number, (live, ours) in enumerate(zip(self.live, self.ours, strict=True)):
            if live.reply.startswith(OUTSIDE_POLICY):
                return None
            if live.reply != ours.reply:
                return number
        return None


def compile_policy(postfix: LivePostfix) -> Policy | None:
    """Our policy of the very files that the live Postfix reads; None where it refuses to start."""
    try:
        return Policy.load(postfix.directory, resolver=postfix.resolver)
    except (PolicyError, MainCfError):
        return None


def ask_both(
    postfix: LivePostfix, policy: Policy | None, case: Case
) -> tuple[list[Answer], list[Answer]]:
    """The answers of both sides; a side that can't start answers so to every turn."""
    refusal = [Answer(REFUSES_TO_START)] * len(case.turns)
    ours = refusal if policy is None else _ask_ours(policy, case)
    if postfix.fatal:
        return refusal, ours
    try:
        return ask_postfix(postfix, case), ours
    except LivePostfixError:
        if not postfix.fatal:
            raise
        return refusal, ours


def _ask_ours(policy: Policy, case: Case) -> list[Answer]:
    try:
        return ask_policy(policy, case)
    except Exception as error:  # a crash is a disagreement to be shrunk like any other
        return [Answer(f"{type(error).__name__}: {error}")] * len(case.turns)
