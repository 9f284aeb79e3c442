"""`maysend lint` as a user runs it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from maysend.cli.lint import lint
from maysend.cli.rule import rule
from maysend.lint.rules.index import RULES

MAIN_CF = """\
compatibility_level = 3.6
myhostname = mail.example.com
smtpd_sender_restrictions = permit_mynetworks,
    reject_sender_login_mismatch, warn_if_reject reject_non_fqdn_sender
"""

SECTIONS = ("What it does", "Why it is bad", "Example", "Use instead", "Limits", "Source")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "main.cf").write_text(MAIN_CF)
    return tmp_path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(lint, [str(argument) for argument in arguments])


def test_an_error_is_shown_in_its_line_and_in_the_status(directory: Path) -> None:
    result = run(directory)
    assert result.exit_code == 1
    assert f"--> {directory}/main.cf:4:5" in result.output
    assert " 4 |     reject_sender_login_mismatch, warn_if_reject" in result.output
    assert "\n   |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n" in result.output
    assert "Found 1 error, 1 warning." in result.output
    assert all(len(line) <= 80 for line in result.output.splitlines() if "/" not in line)
    assert "\x1b" not in result.output


def test_only_an_error_makes_the_status_1(directory: Path) -> None:
    assert run(directory, "--ignore", "MS202").exit_code == 0
    assert run(directory, "--select", "MS213").exit_code == 0
    assert run("-c", directory, "--select", "ms202").exit_code == 1


def test_a_wrong_code_is_told_with_the_one_that_was_meant(directory: Path) -> None:
    result = run(directory, "--select", "M201")
    assert result.exit_code == 2
    assert "did you mean MS201?" in " ".join(result.output.split())


def test_json(directory: Path) -> None:
    findings = json.loads(run(directory, "--format", "json").output)
    assert [(f["code"], f["severity"], f["line"], f["column"]) for f in findings] == [
        ("MS202", "error", 4, 5),
        ("MS213", "warning", 4, 35),
    ]
    assert findings[0]["end_column"] == 5 + len("reject_sender_login_mismatch")


def test_sarif_is_what_its_schema_asks_for(directory: Path) -> None:
    sarif = json.loads(run(directory, "--format", "sarif").output)
    (ran,) = sarif["runs"]
    assert sarif["version"] == "2.1.0"
    assert {entry["id"] for entry in ran["tool"]["driver"]["rules"]} == set(RULES)
    assert {result["level"] for result in ran["results"]} <= {"error", "warning", "note", "none"}
    region = ran["results"][0]["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 4, "startColumn": 5, "endColumn": 33}


def test_github(directory: Path) -> None:
    first = run(directory, "--format", "github").output.splitlines()[0]
    assert first.startswith(f"::error file={directory}/main.cf,line=4,col=5,endColumn=33,title=")


def test_a_configuration_that_postfix_refuses_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "main.cf").write_text("just words\n")
    result = run(tmp_path)
    assert result.exit_code == 1
    assert "MS001 error" in result.output
    assert f"{tmp_path}/main.cf:1" in result.output
    missing = run(tmp_path / "nothing")
    assert missing.exit_code == 1
    assert "No such file" in " ".join(missing.output.split())


@pytest.mark.needs_postfix
def test_servers_that_do_not_answer_are_told_once_and_the_rest_is_checked(
    directory: Path,
) -> None:
    for name in ("senders", "clients"):
        (directory / name).write_text(
            f"hosts = unix:{directory}/none\nuser = u\npassword = not-for-eyes\ndbname = d\n"
            "query = SELECT a FROM b WHERE c = '%s'\n"
        )
    with (directory / "main.cf").open("a") as main_cf:
        main_cf.write(
            f"smtpd_sender_login_maps = mysql:{directory}/senders, mysql:{directory}/senders\n"
            f"smtpd_client_restrictions = check_client_access mysql:{directory}/clients\n"
        )
    result = run(directory)
    assert result.output.count("MS002 error") == 2  # each table once
    assert "MS202 error" in result.output
    assert "not-for-eyes" not in result.output


def test_a_rule_prints_its_page_and_a_wrong_one_is_told() -> None:
    runner = CliRunner()
    assert "## Use instead" in runner.invoke(rule, ["ms101"]).output
    assert "## Use instead" in runner.invoke(rule, ["shadowed-owner"]).output
    wrong = runner.invoke(rule, ["shadowed-owners"])
    assert wrong.exit_code == 64
    assert "Did you mean shadowed-owner?" in wrong.output
    assert all(code in runner.invoke(rule, []).output for code in RULES)


def test_the_pages_are_whole() -> None:
    for code, entry in RULES.items():
        page = entry.page()
        assert page.startswith(f"# {entry.name}: "), code
        for title in (
            "What it does",
            "Why it is bad",
            "Example",
            "Use instead",
            "Limits",
            "Source",
        ):
            assert f"## {title}\n" in page, (code, title)


def test_colour_only_on_a_terminal(directory: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from maysend.cli.main import main; main()", "lint", str(directory)],
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert b"\x1b" not in done.stdout
    assert done.stderr == b""
