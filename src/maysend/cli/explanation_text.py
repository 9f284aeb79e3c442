"""An explanation as a tree that is read from top to bottom, 80 columns wide."""

import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby

import click

from maysend.cli.explanation_json import outcome, worst_outcome
from maysend.maincf import Place
from maysend.policy import Policy, ProtocolState
from maysend.policy.explanation import Explanation
from maysend.restrictions.outcome import Outcome
from maysend.restrictions.replies import printable
from maysend.restrictions.trace import Lookup, Step

WIDTH = 80
DEEPEST_SHOWN = 6
"""Levels of classes and table answers: nobody means more, and the screen has no room for them."""
DELAYED = (ProtocolState.CONNECT, ProtocolState.EHLO, ProtocolState.MAIL)
"""Where smtpd_delay_reject puts off what the lists say."""
VERDICT_COLOURS = {
    "permitted": "green",
    "discarded": "magenta",
    "deferred": "yellow",
    "rejected": "red",
}


def render_explanations(explanations: Sequence[Explanation], policy: Policy) -> str:
    """The whole text: verdict, request, what each command met, and findings."""
    telling = _telling(explanations)
    if len(telling) == 1:
        only = telling[0]
        parts = [_verdict(only), _request(only), *_lists(only), *_conclusion(only, policy)]
    else:
        parts = [_overview(explanations, telling), *_sections(telling, policy)]
    return "\n\n".join(part for part in [*parts, *_findings(policy)] if part)


def _telling(explanations: Sequence[Explanation]) -> list[Explanation]:
    """The commands that the policy had something to say to, and the last one."""
    last = explanations[-1]
    return [
        explanation
        for explanation in explanations
        if explanation is last or explanation.decision.steps or explanation.decision.reply
    ]


def _overview(explanations: Sequence[Explanation], telling: Sequence[Explanation]) -> str:
    """The verdict on the dialogue, who holds it, and a line for each answer."""
    word = worst_outcome(explanations)
    title = click.style(word.upper(), fg=VERDICT_COLOURS[word], bold=True)
    worst = [explanation for explanation in telling if outcome(explanation) == word]
    count = f"  {len(worst)} of {len(telling)} commands" if word != "permitted" else ""
    longest = max(len(_command(explanation, 44)) for explanation in telling)
    sender = _row("from", f"<{telling[-1].request.sender}>")
    who = "\n".join([_client(telling[-1]), sender])
    lines = [_line(explanation, longest) for explanation in telling]
    return "\n\n".join([f"{title}{count}", who, "\n".join(lines)])


def _line(explanation: Explanation, width: int) -> str:
    word = outcome(explanation)
    mark = click.style(f"{word:<9}", fg=VERDICT_COLOURS[word])
    reply = explanation.decision.reply
    status = "" if reply is None else f"  {reply.code} {reply.dsn}"
    return f"  {_command(explanation, width):<{width}}  {mark}{status}".rstrip()


def _command(explanation: Explanation, width: int) -> str:
    """What the client said, cut where it is too long."""
    text = printable(explanation.command)
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _sections(explanations: Sequence[Explanation], policy: Policy) -> Iterator[str]:
    """Each command with its lists; a list that came out as for an earlier one is told once."""
    told: dict[str, Explanation] = {}
    for explanation in explanations:
        head = f"── {_command(explanation, WIDTH - 8)} "
        yield click.style(head + "─" * (WIDTH - len(head)), bold=True)
        yield _verdict(explanation)
        for text in _lists(explanation):
            earlier = told.setdefault(text, explanation)
            title = text.partition("\n")[0]
            same = f"{title}\n└─ as for {_command(earlier, WIDTH - 12)}"
            yield text if earlier is explanation else same
        yield from _conclusion(explanation, policy)


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
    rows = [("from", f"<{request.sender}>"), ("to", f"<{request.recipient}>")]
    match request.protocol_state:
        case ProtocolState.CONNECT | ProtocolState.EHLO:
            rows = [("at", explanation.command)]
        case ProtocolState.MAIL:
            rows = rows[:1]
        case ProtocolState.ETRN:
            rows = [("etrn", request.etrn_domain)]
        case ProtocolState.DATA | ProtocolState.END_OF_MESSAGE:
            rows.append(("at", explanation.command))
    return "\n".join([_client(explanation), *(_row(name, value) for name, value in rows)])


def _client(explanation: Explanation) -> str:
    request = explanation.request
    return "\n".join(
        [
            _row("login", request.sasl_username or "none: not logged in"),
            _row("client", f"{request.client_name}[{request.client_address}]"),
        ]
    )


def _row(name: str, value: str) -> str:
    return f"  {name:<7} {printable(value)}"


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
    decided = explanation.decision.determined_by
    shown = [step for step in steps if step[1].depth <= DEEPEST_SHOWN or step[1] is decided]
    left_out = len(steps) - len(shown)
    for position, (index, step) in enumerate(shown):
        last = not any(later.depth <= step.depth for _, later in shown[position + 1 :])
        trunk = "   " * min(step.depth, DEEPEST_SHOWN + 1)
        if step.depth > DEEPEST_SHOWN:
            yield f"{trunk}⋮  {left_out} more, nested deeper and deeper"
        head = trunk + ("└─ " if last else "├─ ")
        body = trunk + ("   " if last else "│  ")
        yield from _headline(head, body, step, step is decided)
        for line in _details(step, explanation.never_asked.get(index, ())):
            yield from _indented(body, line)
    if left_out and not any(step.depth > DEEPEST_SHOWN for _, step in shown):
        yield f"{'   ' * (DEEPEST_SHOWN + 1)}⋮  {left_out} more, nested deeper and deeper"


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
    if step.warned or step.observed:
        return "warned" if step.warned else "observed"
    verdict: str = step.outcome.value
    return verdict


def _outcome_colour(step: Step) -> str | None:
    colours = {
        "REJECT": "red",
        "DEFER": "yellow",
        "warned": "yellow",
        "observed": "yellow",
        "permit": "green",
    }
    return colours.get(_outcome_words(step))


def _details(step: Step, never_asked: Sequence[Lookup]) -> Iterator[str]:
    if step.note:
        yield step.note
    if (step.warned or step.observed) and step.reply is not None:
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


def _conclusion(explanation: Explanation, policy: Policy) -> Iterator[str]:
    lines = []
    step = explanation.decision.determined_by
    if step is not None:
        lines.append(f"Decided by {step.restriction} ({_long(step.place)}), in {step.stage}.")
    elif explanation.request.protocol_state in DELAYED and policy.site.delays_rejects:
        lines.append(
            "smtpd_delay_reject = yes: the lists for the client, HELO and sender are not asked "
            "before RCPT TO or ETRN."
        )
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


def _findings(policy: Policy) -> Iterator[str]:
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
