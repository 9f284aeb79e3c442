"""Hold many random sessions, in several processes, and make every disagreement a small case."""

import os
import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from random import Random

import msgspec

from maysend.cases.rendering import render, with_answers
from tests.differential.live_postfix import LivePostfix
from tests.differential.sessions.compare import Session, ask_both, compile_policy
from tests.differential.sessions.kinds import KINDS, Kind
from tests.differential.sessions.report import Report
from tests.differential.sessions.shrink import shrink

DIALOGUES = 8
"""Sessions for each configuration: starting the daemons takes as long as that many dialogues."""
WORKERS = int(os.environ.get("MAYSEND_SESSION_WORKERS", min(2, os.cpu_count() or 1)))
"""Processes that hold sessions; with 1 it is this one."""
SHOWN = int(os.environ.get("MAYSEND_SHOWN", "6"))
"""How many ways to disagree are made small: each takes some seconds."""
KEPT = Path(os.environ.get("MAYSEND_DISAGREEMENTS", "disagreements"))
"""Where they are kept, as case files for `maysend test`."""


class Findings(msgspec.Struct):
    """How often the two sides disagreed in one way, and the smallest case of it."""

    count: int
    case: str


def hold(kind: str, seed: int, number: int) -> tuple[Report, dict[str, Findings]]:
    """Hold so many sessions of a kind; the report, and the ways in which the sides disagree."""
    shares = [_share(worker, number) for worker in range(WORKERS)]
    if WORKERS == 1:
        parts = [_hold_share(kind, seed, shares[0])]
    else:
        with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
            parts = list(pool.map(_hold_share, [kind] * WORKERS, [seed] * WORKERS, shares))
    report = Report(KINDS[kind].coverage)
    different: dict[str, Findings] = {}
    for part, found in parts:
        report.join(part)
        for way, findings in found.items():
            earlier = different.setdefault(way, Findings(0, findings.case))
            earlier.count += findings.count
            earlier.case = min(earlier.case, findings.case, key=len)
    return report, different


def keep(kind: str, seed: int, different: dict[str, Findings]) -> str:
    """Write the cases to a file below KEPT; what to say about them."""
    most_first = sorted(different.values(), key=lambda findings: -findings.count)
    text = "\n".join(
        f"# {findings.count} times, the smallest found:\n{findings.case}" for findings in most_first
    )
    KEPT.mkdir(exist_ok=True)
    path = KEPT / f"{kind.replace(' ', '-')}-{seed}.toml"
    path.write_text(text)
    total = sum(findings.count for findings in different.values())
    return f"{total} sessions differ, in {len(different)} ways; kept in {path}\n{text}"


def sessions(kind: Kind, postfix: LivePostfix, seed: int, numbers: range) -> Iterator[Session]:
    """The sessions with these numbers: the same seed and number always give the same session."""
    for number in numbers:
        if number % DIALOGUES == 0 or number == numbers[0]:
            configured = kind.configuration(Random(f"{seed}:{kind.name}:{number // DIALOGUES}"))
            postfix.adopt(configured)
            policy = compile_policy(postfix)
        case, addresses = kind.dialogue(
            Random(f"{seed}:{kind.name}:dialogue:{number}"),
            f"seed {seed}: {kind.name}, number {number}",
            configured,
        )
        yield Session(case, addresses, *ask_both(postfix, policy, case))


def _hold_share(name: str, seed: int, numbers: range) -> tuple[Report, dict[str, Findings]]:
    kind = KINDS[name]
    report = Report(kind.coverage)
    first: dict[str, Session] = {}
    counts: Counter[str] = Counter()
    with kind.postfix() as postfix:
        for session in sessions(kind, postfix, seed, numbers):
            report.add(session)
            if session.difference is not None and not _differs_afresh(postfix, session):
                report.remembering += 1
            elif session.difference is not None:
                way = _way(session)
                counts[way] += 1
                first.setdefault(way, session)
        for way, _ in counts.most_common(SHOWN):
            first[way] = shrink(postfix, first[way])
    return report, {way: Findings(counts[way], as_case(first[way])) for way in first}


def _differs_afresh(postfix: LivePostfix, session: Session) -> bool:
    """Whether a new smtpd disagrees too.

    One that has served an earlier client may skip a reject_unlisted_* check: it forgets only at
    some stages that it has made it (smtpd_check.c), so that its answer says nothing of the policy.
    """
    postfix.adopt(session.case)
    live, ours = ask_both(postfix, compile_policy(postfix), session.case)
    return Session(session.case, [], live, ours).difference is not None


def _share(worker: int, number: int) -> range:
    """A worker's part of the sessions, in whole configurations."""
    configurations = -(-number // DIALOGUES)
    bounds = [configurations * part // WORKERS * DIALOGUES for part in (worker, worker + 1)]
    return range(*bounds)


def _way(session: Session) -> str:
    """Differences of one kind are shown once: the two replies without their names."""
    number = session.difference
    assert number is not None
    replies = (session.live[number].reply, session.ours[number].reply)
    return " / ".join(re.sub(r"<.*>|\[.*\]", "<>", reply)[:90] for reply in replies)


def as_case(session: Session) -> str:
    """A case that wants what the live Postfix answers, and what maysend answers as a comment."""
    number = session.difference
    text = render(with_answers(session.case, session.live))
    if number is None:
        return text
    ours = session.ours[number]
    return f"# maysend: {ours.reply}  ({ours.decided_by})\n{text}"
