"""The golden cases of tests/cases/: maysend and a live Postfix must give the wanted replies."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from maysend.dns import Zone
from tests.differential.dns_postfix import DnsPostfix
from tests.differential.live_postfix import BASE_PARAMETERS, LivePostfix, LivePostfixError
from tests.golden import Case, GoldenCaseError, load, load_all, render
from tests.golden_runs import Answer, ask_policy, ask_postfix

LONGEST_LOGGING = 5.0
"""Seconds that a log line may take from smtpd to us."""

CASES = dict(load_all(Path(__file__).parent / "cases"))


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
    assert _replies(answers) == _wanted(case)
    if case.actions is not None:
        names = [_action_name(action) for action in case.actions]
        logged = [name for name in names if name != "PREPEND"]
        deadline = time.monotonic() + LONGEST_LOGGING
        while len(postfix.actions) < len(logged) and time.monotonic() < deadline:
            time.sleep(0.01)  # smtpd has answered before its log line is read here
        assert postfix.actions == logged


@pytest.mark.parametrize("name", CASES)
def test_maysend_gives_the_wanted_replies_for_the_wanted_reason(name: str, tmp_path: Path) -> None:
    from maysend.policy import Policy, PolicyError

    case = CASES[name]
    write_configuration(tmp_path, case)
    if case.fatal:
        with pytest.raises(PolicyError):
            Policy.load(tmp_path)
        return
    answers = ask_policy(Policy.load(tmp_path, resolver=Zone(case.dns)), case)
    assert _replies(answers) == _wanted(case)
    for turn, answer in zip(case.turns, answers, strict=True):
        if turn.decided_by:
            assert (answer.decided_by + " ").startswith(turn.decided_by + " "), turn.command
    if case.actions is not None:
        assert answers[-1].actions == case.actions


@pytest.mark.parametrize("name", CASES)
def test_a_case_survives_being_written_and_read(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    if case.fatal or case.actions is not None or not case.postfix:
        return
    path = tmp_path / "case.toml"
    path.write_text(render(case))
    assert load(path) == [case]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "case"),
        ("[[case]]\nname = 'x'\n", "'x': expected a reply, a dialogue or fatal"),
        ("[[case]]\nname = 'x'\nreply = 'ok'\nsendr = 'a'\n", "sendr"),
        ("[[case]]\nname = 'x'\nreply = 'ok'\nat = 'QUIT'\n", "expected one of CONNECT, HELO"),
        ("[[case]]\nname = 'x'\ndialogue = [['MAIL']]\n", "length"),
        ("[[case]\n", "line 1"),
        ("[[case]]\nname='x'\nreply='ok'\n[[case]]\nname='x'\nreply='ok'\n", "two cases"),
    ],
)
def test_a_case_that_cannot_be_read_says_where(text: str, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(GoldenCaseError) as failure:
        load(path)
    assert str(path) in str(failure.value)
    assert complaint in str(failure.value)


def write_configuration(directory: Path, case: Case) -> None:
    """The case's main.cf and files, on top of what every case may rely on."""
    settings = {**BASE_PARAMETERS, **case.main_cf}
    main_cf = "".join(f"{name} = {value}\n" for name, value in settings.items())
    for name, text in {**case.files, "main.cf": main_cf}.items():
        (directory / name).write_bytes(text.encode("utf-8", "surrogateescape"))


def _replies(answers: list[Answer]) -> list[str]:
    return [answer.reply for answer in answers]


def _wanted(case: Case) -> list[str]:
    return [turn.reply for turn in case.turns]


def _action_name(action: str) -> str:
    return action.split()[0]
