"""Random sessions: a live smtpd and maysend's policy must give the same reply text, every time.

    MAYSEND_SESSIONS=20000 MAYSEND_SEED=7 pytest tests/differential/test_sessions.py

says at its end how often each restriction, outcome and shape of address was exercised. A zero
fails, where there were sessions enough. Each difference is shrunk and shown as a golden case,
ready for tests/cases/.
"""

import os
import re
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from maysend.cases.rendering import render, with_answers
from tests.differential.live_postfix import LivePostfix
from tests.differential.sessions.compare import DIALOGUES, Session, sessions
from tests.differential.sessions.report import Report
from tests.differential.sessions.shrink import shrink

SESSIONS = int(os.environ.get("MAYSEND_SESSIONS", "2000"))
SEED = int(os.environ.get("MAYSEND_SEED", "1"))
WORKERS = min(2, os.cpu_count() or 1)
ENOUGH_FOR_COVERAGE = 2000
SHOWN = int(os.environ.get("MAYSEND_SHOWN", "6"))


@pytest.mark.needs_postfix
def test_random_sessions_get_the_same_replies(
    record_property: Callable[[str, object], None],
) -> None:
    shares = [_share(worker) for worker in range(WORKERS)]
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        results = list(pool.map(hold_sessions, shares))
    report = Report()
    different: dict[str, tuple[int, str]] = {}
    for part, found in results:
        report.join(part)
        for kind, (count, text) in found.items():
            different[kind] = (different.get(kind, (0, ""))[0] + count, text)
    record_property("counted", f"seed {SEED}: {report}")
    total = sum(count for count, _ in different.values())
    if different:
        shown = "\n".join(
            f"# {count} times, the smallest found:\n{text}"
            for count, text in sorted(different.values(), reverse=True)
        )
        pytest.fail(
            f"{total} of {report.sessions} sessions differ, in {len(different)} ways\n{shown}",
            pytrace=False,
        )
    if report.sessions >= ENOUGH_FOR_COVERAGE:
        assert report.never_exercised() == []


def hold_sessions(numbers: range) -> tuple[Report, dict[str, tuple[int, str]]]:
    """Hold these sessions; the report, and for each kind of difference its count and a case."""
    report = Report()
    found: dict[str, Session] = {}
    counts: dict[str, int] = {}
    with LivePostfix() as postfix:
        for session in sessions(postfix, SEED, numbers):
            report.add(session)
            if session.difference is not None:
                kind = _kind(session)
                counts[kind] = counts.get(kind, 0) + 1
                found.setdefault(kind, session)
        most = sorted(found, key=lambda kind: -counts[kind])
        texts = {kind: _golden(shrink(postfix, found[kind])) for kind in most[:SHOWN]}
    unshrunk = {kind: f"# {session.case.name}: {kind}" for kind, session in found.items()}
    return report, {kind: (counts[kind], texts.get(kind, unshrunk[kind])) for kind in found}


def _share(worker: int) -> range:
    """A worker's part of the sessions, in whole configurations."""
    configurations = -(-SESSIONS // DIALOGUES)
    bounds = [configurations * part // WORKERS * DIALOGUES for part in (worker, worker + 1)]
    return range(*bounds)


def _kind(session: Session) -> str:
    """Differences of one kind are shown once: the two replies without their names."""
    number = session.difference
    assert number is not None
    replies = (session.live[number].reply, session.ours[number].reply)
    return " / ".join(re.sub(r"<.*>", "<>", reply)[:90] for reply in replies)


def _golden(session: Session) -> str:
    """A ready-made golden case, with what maysend answers as a comment."""
    number = session.difference
    case = with_answers(session.case, session.live)
    if number is None:
        return render(case)
    ours = session.ours[number]
    return f"# maysend: {ours.reply}  ({ours.decided_by})\n{render(case)}"
