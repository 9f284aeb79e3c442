"""`maysend test` as a user runs it: what it says, its formats, its exit statuses."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest
from click.testing import CliRunner, Result

from maysend.cli.main import main
from maysend.cli.results_formats import json_schema

SCHEMA = Path(__file__).resolve().parents[3] / "docs" / "schema" / "test-report.schema.json"
MAIN_CF = """\
myhostname = mail.example.com
mydestination = example.com
smtpd_sasl_auth_enable = yes
smtpd_sender_login_maps =
    proxy:mysql:/etc/postfix/owners.cf, hash:$config_directory/owners
smtpd_sender_restrictions = reject_sender_login_mismatch
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
"""
CASES = """\
config = "postfix"
login = "alice"
tables."mysql:/etc/postfix/owners.cf" = "bob@example.com bob\\n"
files.owners = "sales@example.com bob\\n"

[[case]]
name = "nobody sends as somebody else"
sender = "bob@example.com"
reply = "553 5.7.1"
decided_by = "reject_sender_login_mismatch"
"""
WRONG_REPLY = """
[[case]]
name = "bob's address for alice"
sender = "sales@example.com"
reply = "ok"
"""
WRONG_REASON = """
[[case]]
name = "the wrong reason"
sender = "sales@example.com"
reply = "rejected"
decided_by = "reject_unlisted_sender"
"""
BROKEN = """
[[case]]
name = "no relay control"
main_cf.smtpd_relay_restrictions = "permit_mynetworks"
reply = "ok"
"""


@pytest.fixture
def postfix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "postfix").mkdir()
    (tmp_path / "postfix" / "main.cf").write_text(MAIN_CF)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["test", *arguments], prog_name="maysend")


def test_a_configuration_is_tested_without_the_database_it_names(postfix: Path) -> None:
    (postfix / "owners.toml").write_text(CASES)
    result = run("-v", "owners.toml")
    assert result.exit_code == 0, result.output
    assert "passed  owners.toml:6  nobody sends as somebody else" in result.stdout
    assert "1 case in 1 file: 1 passed" in result.stdout


def test_a_difference_is_shown_with_what_decided_and_where(postfix: Path) -> None:
    (postfix / "owners.toml").write_text(CASES + WRONG_REPLY + WRONG_REASON)
    result = run("owners.toml")
    assert result.exit_code == 1
    assert (
        result.stdout
        == """\
FAILED  owners.toml:12  bob's address for alice
        RCPT TO:<bob@example.com>
          wanted  ok
          got     553 5.7.1 <sales@example.com>: Sender address rejected: not
                  owned by user alice
          decided by reject_sender_login_mismatch in smtpd_sender_restrictions
          (postfix/main.cf:6)

FAILED  owners.toml:17  the wrong reason
        RCPT TO:<bob@example.com>
          wanted  decided by reject_unlisted_sender
          got     decided by reject_sender_login_mismatch
                  in smtpd_sender_restrictions (postfix/main.cf:6)

"""
        + result.stdout[result.stdout.index("3 cases") :]
    )
    assert "3 cases in 1 file: 1 passed, 2 failed" in result.stdout


def test_only_cases_with_a_text_in_their_name(postfix: Path) -> None:
    (postfix / "owners.toml").write_text(CASES + WRONG_REPLY)
    assert run("owners.toml", "-k", "somebody").exit_code == 0
    assert run("owners.toml", "-k", "address").exit_code == 1
    nothing = run("owners.toml", "-k", "nothing")
    assert nothing.exit_code == 66
    assert "no case has 'nothing' in its name" in nothing.stderr


def test_a_directory_stands_for_the_files_below_it(postfix: Path) -> None:
    (postfix / "tests" / "a").mkdir(parents=True)
    for name in ("tests/x.toml", "tests/a/y.toml"):
        text = CASES.replace(
            '"postfix"', '"../postfix"' if name.count("/") == 1 else '"../../postfix"'
        )
        (postfix / name).write_text(text)
    result = run("tests")
    assert result.exit_code == 0, result.output
    assert "2 cases in 2 files: 2 passed" in result.stdout


def test_no_colour_in_a_pipe_and_colour_on_a_terminal(postfix: Path) -> None:
    (postfix / "owners.toml").write_text(CASES + WRONG_REPLY)
    assert "\x1b" not in run("owners.toml").stdout
    coloured = CliRunner().invoke(main, ["test", "owners.toml"], color=True)
    assert "\x1b[31m" in coloured.stdout


def test_lines_fit_80_columns(postfix: Path) -> None:
    (postfix / "owners.toml").write_text(CASES + WRONG_REPLY + WRONG_REASON + BROKEN)
    assert [line for line in run("owners.toml").stdout.splitlines() if len(line) > 80] == []


def test_junit(postfix: Path) -> None:
    (postfix / "owners.toml").write_text(CASES + WRONG_REPLY + BROKEN)
    result = run("owners.toml", "--format", "junit", "-o", "report.xml")
    assert result.exit_code == 78
    assert "FAILED  owners.toml:12" in result.stdout  # the screen shows the text
    root = ElementTree.parse(postfix / "report.xml").getroot()
    assert root.attrib["tests"] == "3"
    assert (root.attrib["failures"], root.attrib["errors"]) == ("1", "1")
    passed, failed, broken = root.iter("testcase")
    assert passed.attrib["name"] == "nobody sends as somebody else"
    assert passed.attrib["line"] == "6"
    assert list(passed) == []
    failure = failed.find("failure")
    assert failure is not None
    assert "wanted ok" in failure.attrib["message"]
    assert "postfix/main.cf:6" in str(failure.text)
    error = broken.find("error")
    assert error is not None
    assert "reject_unauth_destination" in error.attrib["message"]


def test_tap(postfix: Path) -> None:
    (postfix / "owners.toml").write_text(CASES + WRONG_REPLY.replace("for", "# for"))
    lines = run("owners.toml", "--format", "tap").stdout.splitlines()
    assert lines[:3] == ["TAP version 14", "1..2", "ok 1 - nobody sends as somebody else"]
    assert lines[3] == "not ok 2 - bob's address \\# for alice"
    assert '      got: "553 5.7.1 <sales@example.com>' in "\n".join(lines)
    assert lines[-1] == "  ..."


def test_json_is_what_its_published_schema_says(postfix: Path) -> None:
    (postfix / "owners.toml").write_text(CASES + WRONG_REPLY + BROKEN)
    document = json.loads(run("owners.toml", "--format", "json").stdout)
    schema = json.loads(SCHEMA.read_text())
    assert schema == json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(document, schema)
    assert (document["passed"], document["failed"], document["broken"]) == (1, 1, 1)
    difference = document["cases"][1]["differences"][0]
    assert difference["restriction"] == "reject_sender_login_mismatch"
    assert (difference["file"], difference["line"]) == ("postfix/main.cf", 6)


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        ((), 64, "Missing argument 'FILE...'"),
        (("missing.toml",), 66, "maysend test: missing.toml: No such file or directory"),
        (("postfix",), 66, "there is no *.toml below this directory"),
        (("owners.toml", "--format", "xml"), 64, "'xml' is not one of 'text', 'junit'"),
        (("owners.toml", "--fromat", "tap"), 64, "No such option '--fromat'"),
        (("wrong.toml",), 78, "maysend test: wrong.toml:3: reply = 'OK': expected \"ok\""),
        (("wrong.toml", "worse.toml"), 78, "maysend test: worse.toml:1: no TOML"),
        (("broken.toml",), 78, ""),
        (("owners.toml", "-o", "no/such/report"), 66, "no/such/report: No such file or directory"),
    ],
)
def test_wrong_usage_missing_and_broken(
    postfix: Path, arguments: tuple[str, ...], status: int, said: str
) -> None:
    (postfix / "owners.toml").write_text(CASES)
    (postfix / "wrong.toml").write_text("[[case]]\nname = 'x'\nreply = 'OK'\n")
    (postfix / "worse.toml").write_text("[[case]\n")
    (postfix / "broken.toml").write_text(CASES + BROKEN)
    result = run(*arguments)
    assert result.exit_code == status, result.output
    assert said in result.stderr


def test_a_wrong_main_cf_is_reported_with_its_line(postfix: Path) -> None:
    (postfix / "owners.toml").write_text(CASES)
    (postfix / "postfix" / "main.cf").write_text(MAIN_CF + "soft_bounce = maybe\n")
    result = run("owners.toml")
    assert result.exit_code == 78
    assert "BROKEN  owners.toml:6" in result.stdout
    assert "postfix/main.cf:8: soft_bounce" in result.stdout


def test_the_golden_cases_are_policy_tests() -> None:
    golden = Path(__file__).resolve().parents[2] / "cases"
    result = run(str(golden / "owners.toml"), str(golden / "dns_backup.toml"))
    assert result.exit_code == 0, result.output


def test_the_examples_of_the_manual_run_and_pass(tmp_path: Path) -> None:
    manual = Path(__file__).resolve().parents[3] / "docs" / "policy-tests.md"
    blocks = re.findall(r"```toml\n(.*?)```", manual.read_text(), re.DOTALL)
    assert len(blocks) >= 3
    (tmp_path / "main.cf").write_text(
        MAIN_CF.replace("proxy:mysql:/etc/postfix/owners.cf, hash:$config_directory/owners",
                        "proxy:mysql:/etc/postfix/owners.cf")
    )  # fmt: skip
    (tmp_path / "master.cf").write_text("submission inet n - n - - smtpd\n")
    (tmp_path / "policy-tests").mkdir()
    for number, block in enumerate(blocks):
        (tmp_path / "policy-tests" / f"{number}.toml").write_text(block)
    result = run(str(tmp_path / "policy-tests"))
    assert result.exit_code == 0, result.output
