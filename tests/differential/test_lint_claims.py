"""What lint shows to prove a finding is what a live smtpd answers to the same request.

The cases of lint's rules (tests/lint/rules) that have an example are put to a live Postfix: the
finding's counter-example has to get there the answer that the finding shows.
"""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from maysend.lint import Configuration, CounterExample, Problem, lint
from maysend.lint.configuration import ANYBODY, HELO
from maysend.maincf import Parameters
from tests.differential.live_postfix import LivePostfix
from tests.lint.test_rules import ALWAYS, RULE_FILES

pytestmark = pytest.mark.needs_postfix

NOBODY = "postmaster@example.invalid"
NO_REPLY = {"MS104"}
"""Rules whose examples are answers of a table; those are compared with postmap elsewhere."""


def cases() -> list[Any]:
    return [
        pytest.param(file.stem, case, id=f"{file.stem}: {case['name']}")
        for file in RULE_FILES
        if file.stem not in NO_REPLY
        for case in tomllib.loads(file.read_text())["case"]
        if case.get("example") and "master.cf" not in case.get("files", {})
    ]


@pytest.fixture(scope="module")
def postfix() -> Iterator[LivePostfix]:
    with LivePostfix() as instance:
        yield instance


@pytest.mark.parametrize(("code", "case"), cases())
def test_a_live_smtpd_answers_what_the_finding_shows(
    code: str, case: Mapping[str, Any], tmp_path: Path, postfix: LivePostfix
) -> None:
    shown = [problem.example for problem in problems(code, case, tmp_path) if problem.example]
    assert shown
    postfix.configure(settings(case, tmp_path), dict(case.get("files", {})))
    for example in shown:
        assert answered(postfix, example) == example.answer, example


def problems(code: str, case: Mapping[str, Any], directory: Path) -> list[Problem]:
    for name, text in {"main.cf": ALWAYS + case["main_cf"], **case.get("files", {})}.items():
        (directory / name).write_text(text.lstrip().replace("$config_directory", str(directory)))
    return [finding.problem for finding in lint(Configuration(directory), [code])]


def settings(case: Mapping[str, Any], directory: Path) -> dict[str, str]:
    """The parameters of the case as they are written, for a Postfix in another directory."""
    written = directory / "as-written"
    written.mkdir()
    (written / "main.cf").write_text((ALWAYS + case["main_cf"]).lstrip())
    parameters = Parameters.load(written)
    return {name: parameters.setting(name).raw for name in parameters.names()}  # type: ignore[union-attr]


def answered(postfix: LivePostfix, example: CounterExample) -> str:
    """The first refusal, or "permitted"."""
    with postfix.session(
        client_address=example.client_address or ANYBODY,
        helo=example.helo_name or HELO,
        login=example.login,
    ) as smtp:
        for command in (
            f"MAIL FROM:<{example.sender}>",
            f"RCPT TO:<{example.recipient or NOBODY}>",
        ):
            reply = smtp.command(command)
            if not reply.startswith("2"):
                return reply
    return "permitted"
