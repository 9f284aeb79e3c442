"""Run a case against its policy and note what came out differently."""

import time
from collections.abc import Iterator, Mapping
from typing import Literal, TypeAlias

import msgspec

from maysend.cases.case import Case, decided_by_matches, reply_matches
from maysend.cases.configuration import policy_of
from maysend.cases.dialogue import Answer, ask_policy
from maysend.maincf import Place
from maysend.policy import PolicyError
from maysend.tables.table import Opener

Aspect: TypeAlias = Literal["reply", "decided_by", "actions", "fatal"]


class Difference(msgspec.Struct, frozen=True):
    """What was wanted of a turn (`command`, "" for the whole case), and what came.

    `restriction`, in the parameter `parameter` at `place`, is what decided on the turn.
    """

    command: str
    aspect: Aspect
    wanted: str
    got: str
    restriction: str = ""
    parameter: str = ""
    place: Place | None = None


class Result(msgspec.Struct, frozen=True):
    """How a case went. `broken` says why it could not be run; `seconds` how long it took."""

    case: Case
    differences: tuple[Difference, ...] = ()
    broken: str = ""
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether everything came as wanted."""
        return not self.differences and not self.broken


def run(case: Case, extra_tables: Mapping[str, Opener] | None = None) -> Result:
    """Hold the dialogue of the case with its policy; `extra_tables` are as in Policy."""
    begun = time.perf_counter()
    broken = ""
    differences: tuple[Difference, ...] = ()
    try:
        with policy_of(case, extra_tables) as policy:
            if case.fatal:
                differences = (Difference("", "fatal", case.fatal, "a policy that can be used"),)
            else:
                differences = tuple(differing(case, ask_policy(policy, case)))
    except PolicyError as error:
        broken = "" if case.fatal else str(error)
    return Result(case, differences, broken, time.perf_counter() - begun)


def differing(case: Case, answers: list[Answer]) -> Iterator[Difference]:
    """Where the answers are not what the case wants."""
    for turn, answer in zip(case.turns, answers, strict=True):
        if not reply_matches(turn.reply, answer.reply):
            yield _difference(case, answer, turn.command, "reply", turn.reply, answer.reply)
        elif not decided_by_matches(turn.decided_by, answer.decided_by):
            got = answer.decided_by or "no restriction"
            yield _difference(case, answer, turn.command, "decided_by", turn.decided_by, got)
    if case.actions is not None and answers and answers[-1].actions != case.actions:
        wanted, got = (
            ", ".join(actions) or "none" for actions in (case.actions, answers[-1].actions)
        )
        yield _difference(case, answers[-1], case.turns[-1].command, "actions", wanted, got)


def _difference(
    case: Case, answer: Answer, command: str, aspect: Aspect, wanted: str, got: str
) -> Difference:
    step = answer.decided
    if step is None:
        return Difference(command, aspect, wanted, got)
    # Without a directory main.cf was written for this run only: nobody can look there.
    place = step.place if case.config and step.place.line else None
    return Difference(command, aspect, wanted, got, step.restriction, step.stage, place)
