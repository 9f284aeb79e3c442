"""An explanation as JSON: the same facts as the text, for programs."""

from typing import Any

import msgspec

from maysend.policy import Policy
from maysend.policy.explanation import Explanation
from maysend.restrictions.trace import Lookup, Step


def explanation_as_json(explanation: Explanation, policy: Policy) -> str:
    """The explanation as one indented JSON object."""
    decision = explanation.decision
    reply = decision.reply
    document: dict[str, Any] = {
        "outcome": outcome(explanation),
        "reply": None if reply is None else msgspec.to_builtins(reply) | {"line": str(reply)},
        "request": msgspec.to_builtins(explanation.request),
        "determined_by": None
        if decision.determined_by is None
        else decision.steps.index(decision.determined_by),
        "steps": [
            _step(step) | {"never_asked": _lookups(explanation.never_asked.get(index, ()))}
            for index, step in enumerate(decision.steps)
        ],
        "actions": msgspec.to_builtins(decision.actions),
        "fix": msgspec.to_builtins(explanation.fix),
        "findings": [
            {"place": str(node.place), "restriction": node.written, "finding": node.finding}
            for node in policy.findings
        ],
        "warnings": policy.site.warnings,
    }
    text: bytes = msgspec.json.format(msgspec.json.encode(_clean(document)), indent=2)
    return text.decode()


def outcome(explanation: Explanation) -> str:
    """One word for the decision: permitted, rejected, deferred or discarded."""
    decision = explanation.decision
    if decision.reply is not None:
        return "rejected" if decision.reply.is_permanent else "deferred"
    discarded = any(action.name == "DISCARD" for action in decision.actions)
    return "discarded" if discarded else "permitted"


def _step(step: Step) -> dict[str, Any]:
    return {
        "list": step.stage,
        "restriction": step.restriction,
        "place": {"file": step.place.file, "line": step.place.line, "column": step.place.column},
        "depth": step.depth,
        "outcome": step.outcome.value,
        "warned": step.warned,
        "note": step.note,
        "reply": None if step.reply is None else str(step.reply),
        "lookups": _lookups(step.lookups),
    }


def _lookups(lookups: "tuple[Lookup, ...] | list[Lookup]") -> list[dict[str, str | None]]:
    return [
        {"table": found.table, "key": found.key, "answer": found.answer, "error": found.error}
        for found in lookups
    ]


def _clean(value: Any) -> Any:
    """JSON is Unicode: bytes that are no UTF-8 become U+FFFD."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    if isinstance(value, dict):
        return {_clean(key): _clean(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(inner) for inner in value]
    return value
