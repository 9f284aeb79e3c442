"""An explanation as a tree that is read from top to bottom, 80 columns wide."""

import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby

import click

from maysend.cli.explanation_json import outcome
from maysend.maincf import Place
from maysend.policy import Policy
from maysend.policy.explanation import Explanation
from maysend.restrictions.replies import printable
from maysend.restrictions.trace import Lookup, Outcome, Step

WIDTH = 80
VERDICT_COLOURS = {
    "permitted": "green",
    "discarded": "magenta",
    "deferred": "yellow",
    "rejected": "red",
}


def render_explanation(explanation: Explanation, policy: Policy) -> str:
    """The whole text: verdict, request, each list as a tree, why, fix, findings."""
    parts = [
        _verdict(explanation),
        _request(explanation),
        *_lists(explanation),
        *_conclusion(explanation),
        *_findings(explanation, policy),
    ]
    return "\n\n".join(part for part in parts if part)


def _verdict(explanation: Explanation) -> str:
    word = outcome(explanation)
    title = click.style(word.upper(), fg=VERDICT_COLOURS[word], bold=True)
    reply = explanation.decision.reply
    if reply is None:
        return title
    lines = _wrap(str(reply), WIDTH - len(word) - 2)
    indent = " " * (len(word) + 2)
    return f"{title}  " + f"\n{indent}".join(lines)


def _request(explanation: Explanation) -> str:
    request = explanation.request
    rows = [
        ("login", request.sasl_username or "none: not logged in"),
        ("from", f"<{request.sender}>"),
        ("to", f"<{request.recipient}>"),
        ("client", f"{request.client_name}[{request.client_address}]"),
    ]
    return "\n".join(f"  {name:<7} {printable(value)}" for name, value in rows)


def _lists(explanation: Explanation) -> Iterator[str]:
    numbered = list(enumerate(explanation.decision.steps))
    for parameter, group in groupby(numbered, key=lambda entry: entry[1].stage):
        steps = list(group)
        yield "\n".join(
            [
                click.style(parameter, bold=True),
                *_tree(steps, explanation),
            ]
        )


def _tree(steps: "list[tuple[int, Step]]", explanation: Explanation) -> Iterator[str]:
    for position, (index, step) in enumerate(steps):
        last = not any(later.depth <= step.depth for _, later in steps[position + 1 :])
        trunk = "   " * step.depth
        head = trunk + ("└─ " if last else "├─ ")
        body = trunk + ("   " if last else "│  ")
        yield from _headline(head, body, step, step is explanation.decision.determined_by)
        for line in _details(step, explanation.never_asked.get(index, ())):
            yield from _indented(body, line)


def _headline(head: str, body: str, step: Step, decides: bool) -> Iterator[str]:
    place = _short(step.place)
    verdict = _outcome_words(step)
    room = WIDTH - len(head) - len(verdict) - len(place) - 4
    words = _wrap(printable(step.restriction), max(room, 24))
    padding = " " * max(room - len(words[0]), 0)
    mark = click.style(verdict, fg=_outcome_colour(step), bold=decides or None)
    yield f"{head}{words[0]}{padding}  {mark}  {click.style(place, dim=True)}"
    for rest in words[1:]:
        yield f"{body}  {rest}"


def _outcome_words(step: Step) -> str:
    if step.outcome is Outcome.REJECT:
        permanent = step.reply is None or step.reply.is_permanent
        return "REJECT" if permanent else "DEFER"
    if step.warned:
        return "warned"
    verdict: str = step.outcome.value
    return verdict


def _outcome_colour(step: Step) -> str | None:
    return {"REJECT": "red", "DEFER": "yellow", "warned": "yellow", "permit": "green"}.get(
        _outcome_words(step)
    )


def _details(step: Step, never_asked: Sequence[Lookup]) -> Iterator[str]:
    if step.note:
        yield step.note
    if step.warned and step.reply is not None:
        yield f"would have answered: {step.reply}"
    for table, lookups in groupby(step.lookups, key=lambda lookup: lookup.table):
        yield table
        yield from (f"  {_answer(lookup)}" for lookup in lookups)
    telling = [lookup for lookup in never_asked if lookup.answer or lookup.error]
    asked_tables = {lookup.table for lookup in step.lookups}
    for table, group in groupby(never_asked, key=lambda lookup: lookup.table):
        lookups_of_table = list(group)
        known = [lookup for lookup in lookups_of_table if lookup in telling]
        if table in asked_tables and not known:
            continue
        yield f"never asked: {table}"
        if not known:
            yield "  would have known none of the keys"
        yield from (f"  would have said: {_answer(lookup)}" for lookup in known)


def _answer(lookup: Lookup) -> str:
    if lookup.error is not None:
        return f"{lookup.key} → error: {lookup.error}"
    if lookup.answer is None:
        return f"{lookup.key} → not found"
    return f"{lookup.key} → {lookup.answer}"


def _conclusion(explanation: Explanation) -> Iterator[str]:
    lines = []
    step = explanation.decision.determined_by
    if step is not None:
        lines.append(f"Decided by {step.restriction} ({_long(step.place)}), in {step.stage}.")
    elif explanation.decision.is_permitted:
        lines.append("Nothing objects: every list ended without an answer.")
    for action in explanation.decision.actions:
        lines.append(f"Action: {action.name} {action.argument}".rstrip())
    for lookup in explanation.would_own() if not explanation.decision.is_permitted else ():
        lines.append(
            f"{lookup.table} names {explanation.request.sasl_username} as an owner, but was not "
            f"asked for {lookup.key}: the first answer ends the search."
        )
    if explanation.fix is not None:
        lines.append("With this line the same request is permitted (tried):")
    yield "\n".join(line for text in lines for line in _wrap(printable(text), WIDTH))
    if explanation.fix is not None:
        yield f"    {explanation.fix.parameter} =\n        {explanation.fix.value}"


def _findings(explanation: Explanation, policy: Policy) -> Iterator[str]:
    lines = [f"{_long(node.place)}: {node.finding}" for node in policy.findings]
    lines += policy.site.warnings
    if lines:
        title = click.style("Found while reading the configuration", bold=True)
        wrapped = [part for line in lines for part in _wrap(f"- {printable(line)}", WIDTH)]
        yield "\n".join([title, *wrapped])


def _short(place: Place) -> str:
    """The file's own name and the line: the directory is known."""
    return f"{place.file.rpartition('/')[2]}:{place.line}" if place.line else _long(place)


def _long(place: Place) -> str:
    return {"<default>": "default", "<table answer>": "table"}.get(place.file, str(place))


def _indented(body: str, line: str) -> Iterator[str]:
    inner = len(line) - len(line.lstrip(" "))
    for number, part in enumerate(_wrap(printable(line.strip()), WIDTH - len(body) - inner - 2)):
        yield f"{body}{' ' * (inner if number == 0 else inner + 2)}{part}"


def _wrap(text: str, width: int) -> list[str]:
    # A path is copied from the screen: it stays whole, whatever its length.
    return textwrap.wrap(text, max(width, 24), break_on_hyphens=False, break_long_words=False) or [
        ""
    ]
