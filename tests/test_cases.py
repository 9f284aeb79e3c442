"""The cases of tests/cases/: maysend and a live Postfix must give the wanted replies."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from maysend.cases import Case, read_cases, run
from maysend.cases.case import reply_matches
from maysend.cases.dialogue import Answer
from tests.differential.dns_postfix import DnsPostfix
from tests.differential.live_postfix import LivePostfix, LivePostfixError
from tests.live_dialogue import ask_postfix

LONGEST_LOGGING = 5.0
"""Seconds that a log line may take from smtpd to us."""

CASES = {
    f"{path.stem}: {case.name}": case
    for path in sorted((Path(__file__).parent / "cases").glob("**/*.toml"))
    for case in read_cases(path)
}


@pytest.fixture(scope="module")
def postfix() -> Iterator[LivePostfix]:
    with LivePostfix() as instance:
        yield instance


@pytest.fixture(scope="module")
def dns_postfix() -> Iterator[DnsPostfix]:
    with DnsPostfix() as instance:
        yield instance


@pytest.mark.needs_postfix
@pytest.mark.parametrize(
    "name", [name for name, case in CASES.items() if case.postfix and not case.dns]
)
def test_postfix_gives_the_wanted_replies(name: str, postfix: LivePostfix) -> None:
    case = CASES[name]
    postfix.configure(case.main_cf, case.files)
    assert_postfix_gives_the_wanted_replies(case, postfix)


@pytest.mark.needs_postfix
@pytest.mark.parametrize(
    "name", [name for name, case in CASES.items() if case.postfix and case.dns]
)
def test_postfix_with_a_name_server_gives_the_wanted_replies(
    name: str, dns_postfix: DnsPostfix
) -> None:
    case = CASES[name]
    dns_postfix.configure(case.main_cf, case.files, case.dns)
    assert_postfix_gives_the_wanted_replies(case, dns_postfix)


def assert_postfix_gives_the_wanted_replies(case: Case, postfix: LivePostfix) -> None:
    if case.fatal:
        with pytest.raises(LivePostfixError) as failure, postfix.session():
            pass
        assert case.fatal in str(failure.value)
        return
    answers = ask_postfix(postfix, case)
    assert _unwanted(case, answers) == []
    if case.actions is not None:
        names = [_action_name(action) for action in case.actions]
        logged = [name for name in names if name != "PREPEND"]
        deadline = time.monotonic() + LONGEST_LOGGING
        while len(postfix.actions) < len(logged) and time.monotonic() < deadline:
            time.sleep(0.01)  # smtpd has answered before its log line is read here
        assert postfix.actions == logged


@pytest.mark.parametrize("name", CASES)
def test_maysend_gives_the_wanted_replies_for_the_wanted_reason(name: str) -> None:
    result = run(CASES[name])
    assert result.differences == ()
    assert result.broken == ""


def _unwanted(case: Case, answers: list[Answer]) -> list[tuple[str, str, str]]:
    return [
        (turn.command, turn.reply, answer.reply)
        for turn, answer in zip(case.turns, answers, strict=True)
        if not reply_matches(turn.reply, answer.reply)
    ]


def _action_name(action: str) -> str:
    return action.split()[0]
