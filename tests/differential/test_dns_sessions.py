"""Random sessions about names: a live smtpd and maysend, with one zone for both, must agree.

    MAYSEND_DNS_SESSIONS=20000 MAYSEND_SEED=7 pytest -s tests/differential/test_dns_sessions.py

prints how often each restriction decided, and how often it was passed by.
"""

import os
import re
from collections import Counter
from collections.abc import Iterator
from random import Random

import msgspec
import pytest

from maysend.cases.case import OK
from maysend.cases.rendering import render, with_answers
from tests.differential.dns_postfix import DnsPostfix
from tests.differential.dns_sessions.configurations import EVERY, OLD, Configuration
from tests.differential.dns_sessions.dialogues import dialogue
from tests.differential.dns_sessions.zones import zone
from tests.differential.sessions.compare import DIALOGUES, Session, ask_both, compile_policy
from tests.differential.sessions.report import has_decided
from tests.differential.sessions.shrink import shrink

SESSIONS = int(os.environ.get("MAYSEND_DNS_SESSIONS", "500"))
SEED = int(os.environ.get("MAYSEND_SEED", "1"))
SHOWN = int(os.environ.get("MAYSEND_SHOWN", "6"))
ENOUGH_FOR_COVERAGE = 2000
DECIDED, PASSED = "decided", "passed by"


class Counts:
    """How often each restriction was reached, by outcome, and what the replies were."""

    def __init__(self) -> None:
        self.sessions = 0
        self.restrictions: Counter[tuple[str, str]] = Counter()
        self.replies: Counter[str] = Counter()

    def add(self, session: Session) -> None:
        self.sessions += 1
        for live, ours in zip(session.live, session.ours, strict=True):
            self.replies["ok" if live.reply == OK else live.reply[:3]] += 1
            for step in ours.steps:
                name = step.restriction.split(" ", 1)[0]
                self.restrictions[name, DECIDED if has_decided(step) else PASSED] += 1

    def never_exercised(self) -> list[str]:
        return [
            f"{restriction} {outcome}"
            for restriction in EVERY
            for outcome in (DECIDED, PASSED)
            if restriction not in OLD and not self.restrictions[restriction, outcome]
        ]

    def __str__(self) -> str:
        rows = [f"{self.sessions} sessions about names"]
        rows += [
            f"{name:46}{self.restrictions[name, DECIDED]:>12}{self.restrictions[name, PASSED]:>12}"
            for name in EVERY
        ]
        rows += [f"reply {reply:52}{count:>12}" for reply, count in sorted(self.replies.items())]
        return "\n".join(rows)


@pytest.mark.needs_postfix
def test_random_sessions_about_names_get_the_same_replies(
    capsys: pytest.CaptureFixture[str],
) -> None:
    counts = Counts()
    found: dict[str, Session] = {}
    different = 0
    with DnsPostfix() as postfix:
        for session in sessions(postfix, range(SESSIONS)):
            counts.add(session)
            if session.difference is not None:
                different += 1
                found.setdefault(_kind(session), session)
        shown = [_golden(_shrunk(postfix, found[kind])) for kind in list(found)[:SHOWN]]
    with capsys.disabled():
        print(f"\nseed {SEED}: {counts}")
    if different:
        pytest.fail(
            f"{different} of {SESSIONS} sessions differ, in {len(found)} ways\n" + "\n".join(shown),
            pytrace=False,
        )
    if counts.sessions >= ENOUGH_FOR_COVERAGE:
        assert counts.never_exercised() == []


def sessions(postfix: DnsPostfix, numbers: range) -> Iterator[Session]:
    """The sessions with these numbers, always the same for a seed."""
    for number in numbers:
        if number % DIALOGUES == 0:
            random = Random(f"{SEED}:names:{number // DIALOGUES}")
            configuration, text = Configuration(random), zone(random)
            postfix.configure(configuration.main_cf, configuration.files, text)
            policy = compile_policy(postfix)
        case = dialogue(
            Random(f"{SEED}:names:dialogue:{number}"),
            f"seed {SEED} session {number} about names",
            configuration.main_cf,
            configuration.files,
        )
        case = msgspec.structs.replace(case, dns=text)
        yield Session(case, [], *ask_both(postfix, policy, case))


def _shrunk(postfix: DnsPostfix, session: Session) -> Session:
    """The smallest session and zone that still differ."""
    postfix.configure(session.case.main_cf, session.case.files, session.case.dns)
    smallest = shrink(postfix, session)
    lines = smallest.case.dns.splitlines(keepends=True)
    for line in list(lines):
        fewer = "".join(kept for kept in lines if kept is not line)
        case = msgspec.structs.replace(smallest.case, dns=fewer)
        postfix.configure(case.main_cf, case.files, case.dns)
        attempt = Session(case, [], *ask_both(postfix, compile_policy(postfix), case))
        if attempt.difference is not None:
            smallest = attempt
            lines.remove(line)
    return smallest


def _kind(session: Session) -> str:
    """Differences of one kind are shown once: the two replies without their names."""
    number = session.difference
    assert number is not None
    replies = (session.live[number].reply, session.ours[number].reply)
    return " / ".join(re.sub(r"<.*>|\[.*\]", "<>", reply)[:60] for reply in replies)


def _golden(session: Session) -> str:
    """A ready-made golden case, with what maysend answers as a comment."""
    number = session.difference
    assert number is not None
    ours = session.ours[number]
    case = with_answers(session.case, session.live)
    return f"# maysend: {ours.reply}  ({ours.decided_by})\n{render(case)}"
