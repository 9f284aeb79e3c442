"""Explanations as JSON: the same facts as the text, for programs.

docs/schema/explanation.schema.json is made of these types. Fields may be added; none is removed or
changes its meaning without a new `format`.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

from maysend.policy import Policy, Request
from maysend.policy.explanation import Explanation, Fix
from maysend.restrictions.outcome import Action, Outcome
from maysend.restrictions.trace import Lookup, Step

Word: TypeAlias = Literal["permitted", "rejected", "deferred", "discarded"]


class ReplyReport(msgspec.Struct, frozen=True):
    """The reply that the client gets."""

    code: int
    dsn: Annotated[str, Meta(description="enhanced status code (RFC 3463)")]
    text: str
    line: Annotated[str, Meta(description="the whole SMTP line")]


class LookupReport(msgspec.Struct, frozen=True):
    """One question to one table."""

    table: str
    key: str
    answer: Annotated[str | None, Meta(description="null: not found")]
    error: str | None


class PlaceReport(msgspec.Struct, frozen=True):
    """Where something is written; line 0 is a default, or a table's answer."""

    file: str
    line: int
    column: int


class StepReport(msgspec.Struct, frozen=True):
    """One restriction that was reached."""

    stage: Annotated[str, Meta(description="the list: the parameter that it stands in")]
    restriction: Annotated[str, Meta(description="as written")]
    place: PlaceReport
    depth: Annotated[int, Meta(description="restriction classes and tables around it")]
    outcome: Outcome
    warned: Annotated[bool, Meta(description="warn_if_reject kept it from refusing")]
    observed: Annotated[bool, Meta(description="smtpd_observe_restrictions kept it from refusing")]
    note: Annotated[str, Meta(description="what decided, where that is no lookup")]
    reply: Annotated[str | None, Meta(description="what it wanted to answer")]
    lookups: list[LookupReport]
    never_asked: Annotated[
        list[LookupReport], Meta(description="what an earlier answer made unnecessary")
    ]


class RequestReport(Request, frozen=True, omit_defaults=False):
    """What was asked, in the attribute names of SMTPD_POLICY_README."""


class AnswerReport(msgspec.Struct, frozen=True):
    """The answer to one command of the dialogue."""

    command: str
    outcome: Word
    reply: Annotated[ReplyReport | None, Meta(description="null: nothing objects")]
    request: RequestReport
    determined_by: Annotated[int | None, Meta(description="index of the step in `steps`")]
    steps: list[StepReport]
    actions: list[Action]
    fix: Fix | None


class FindingReport(msgspec.Struct, frozen=True):
    """Something in the configuration that can't work as it is written."""

    place: str
    restriction: str
    finding: str


class ExplanationReport(msgspec.Struct, frozen=True):
    """The answer of `maysend explain --format json`."""

    outcome: Annotated[Word, Meta(description="the worst of the answers")]
    answers: Annotated[list[AnswerReport], Meta(description="one a command, in their order")]
    findings: list[FindingReport]
    warnings: Annotated[list[str], Meta(description="what Postfix would log on start-up")]
    format: Literal[1] = 1


def explanations_as_json(explanations: Sequence[Explanation], policy: Policy) -> str:
    """The explanations of a dialogue as one indented JSON object."""
    report = ExplanationReport(
        outcome=worst_outcome(explanations),
        answers=[_answer(explanation) for explanation in explanations],
        findings=[
            FindingReport(str(node.place), node.written, node.finding) for node in policy.findings
        ],
        warnings=policy.site.warnings,
    )
    encoded = msgspec.json.encode(_clean(msgspec.to_builtins(report)))
    text: bytes = msgspec.json.format(encoded, indent=2)
    return text.decode()


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of what explanations_as_json gives."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "maysend explain --format json",
        **msgspec.json.schema(ExplanationReport),
    }


def outcome(explanation: Explanation) -> Word:
    """One word for the decision on a command."""
    decision = explanation.decision
    if decision.reply is not None:
        return "rejected" if decision.reply.is_permanent else "deferred"
    discarded = any(action.name == "DISCARD" for action in decision.actions)
    return "discarded" if discarded else "permitted"


def worst_outcome(explanations: Sequence[Explanation]) -> Word:
    """One word for a dialogue: what became of the command that fared worst."""
    found = {outcome(explanation) for explanation in explanations}
    words: tuple[Word, ...] = ("rejected", "deferred", "discarded")
    return next((word for word in words if word in found), "permitted")


def _answer(explanation: Explanation) -> AnswerReport:
    decision = explanation.decision
    reply, decided = decision.reply, decision.determined_by
    return AnswerReport(
        command=explanation.command,
        outcome=outcome(explanation),
        reply=None if reply is None else ReplyReport(reply.code, reply.dsn, reply.text, str(reply)),
        request=RequestReport(*msgspec.structs.astuple(explanation.request)),
        determined_by=None if decided is None else decision.steps.index(decided),
        steps=[
            _step(step, explanation.never_asked.get(index, ()))
            for index, step in enumerate(decision.steps)
        ],
        actions=list(decision.actions),
        fix=explanation.fix,
    )


def _step(step: Step, never_asked: Sequence[Lookup]) -> StepReport:
    return StepReport(
        stage=step.stage,
        restriction=step.restriction,
        place=PlaceReport(step.place.file, step.place.line, step.place.column),
        depth=step.depth,
        outcome=step.outcome,
        warned=step.warned,
        observed=step.observed,
        note=step.note,
        reply=None if step.reply is None else str(step.reply),
        lookups=[_lookup(lookup) for lookup in step.lookups],
        never_asked=[_lookup(lookup) for lookup in never_asked],
    )


def _lookup(lookup: Lookup) -> LookupReport:
    return LookupReport(lookup.table, lookup.key, lookup.answer, lookup.error)


def _clean(value: Any) -> Any:
    """JSON is Unicode: bytes that are no UTF-8 become U+FFFD."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    if isinstance(value, dict):
        return {_clean(key): _clean(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(inner) for inner in value]
    return value
