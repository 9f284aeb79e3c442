"""Random sessions: a live smtpd and maysend's policy must give the same reply text, every time.

    MAYSEND_SESSIONS=20000 MAYSEND_SEED=7 pytest tests/differential/test_sessions.py

says at its end how often each restriction permitted, objected and was passed by, and each outcome
and shape of address was exercised. A zero fails, where there were sessions enough. Each
disagreement is made small and kept as a case, ready for tests/cases/.
"""

import os
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from maysend.cases import read_cases, run
from maysend.dns import Zone
from maysend.maincf import MainCfError, Parameters
from maysend.policy import Policy, PolicyError
from tests.differential.live_postfix import LivePostfix
from tests.differential.sessions.compare import Session, ask_both
from tests.differential.sessions.holding import Findings, as_case, hold, keep
from tests.differential.sessions.kinds import KINDS
from tests.differential.sessions.shrink import shrink

NUMBERS = {
    "sessions": int(os.environ.get("MAYSEND_SESSIONS", "2400")),
    "sessions about names": int(os.environ.get("MAYSEND_DNS_SESSIONS", "600")),
}
SEED = int(os.environ.get("MAYSEND_SEED", "1"))
ENOUGH_FOR_COVERAGE = 2000


@pytest.mark.needs_postfix
@pytest.mark.parametrize("kind", KINDS)
def test_random_sessions_get_the_same_replies(
    kind: str, record_property: Callable[[str, object], None]
) -> None:
    report, different = hold(kind, SEED, NUMBERS[kind])
    record_property("counted", f"seed {SEED}, {kind}: {report}")
    if different:
        pytest.fail(keep(kind, SEED, different), pytrace=False)
    if report.sessions >= ENOUGH_FOR_COVERAGE:
        assert report.never_exercised() == []


@pytest.mark.needs_postfix
def test_a_disagreement_is_made_small_and_becomes_a_case(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A planted one: our side answers REJECT of an access table with another code."""
    monkeypatch.setattr("tests.differential.sessions.holding.KEPT", tmp_path / "kept")
    with LivePostfix() as postfix:
        session = _planted_disagreement(postfix)
        small = shrink(postfix, session, _wrong_policy)
    number = small.difference
    assert number is not None
    assert small.ours[number].reply.startswith("559")
    assert len(small.case.turns) <= 4
    assert len(small.case.main_cf) <= 3
    assert "REJECT" in " ".join([*small.case.main_cf.values(), *small.case.files.values()]).upper()
    said = keep("sessions", 7, {"one way": Findings(3, as_case(small))})
    assert said.startswith("3 sessions differ, in 1 ways; kept in")
    (case,) = read_cases(tmp_path / "kept" / "sessions-7.toml")
    assert [turn.reply for turn in case.turns] == [answer.reply for answer in small.live]
    assert run(case).passed, "without the plant both sides agree"


def _planted_disagreement(postfix: LivePostfix) -> Session:
    kind = KINDS["sessions"]
    for number in range(200):
        configured = kind.configuration(Random(f"plant {number}"))
        if "access_map_reject_code" in configured.main_cf:
            continue
        postfix.adopt(configured)
        case, addresses = kind.dialogue(Random(f"plant {number}"), "planted", configured)
        session = Session(case, addresses, *ask_both(postfix, _wrong_policy(postfix), case))
        if session.difference is not None and not postfix.fatal:
            return session
    pytest.fail("no configuration of two hundred has a REJECT that is reached")


def _wrong_policy(postfix: LivePostfix) -> Policy | None:
    try:
        parameters = Parameters.load(postfix.directory)
        return Policy(parameters.replaced({"access_map_reject_code": "559"}), resolver=Zone(""))
    except (PolicyError, MainCfError):
        return None
