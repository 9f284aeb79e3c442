"""`maysend explain --policy-service`: answers of policy servers that are not asked."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from maysend.cli.main import main

MAIN_CF = """\
compatibility_level = 3.6
myhostname = mail.example.com
mydestination = example.com
smtpd_policy_service_try_limit = 1
smtpd_recipient_restrictions =
    check_policy_service unix:private/greylist
    check_policy_service unix:private/other
"""


@pytest.fixture
def explained(tmp_path: Path) -> Path:
    (tmp_path / "main.cf").write_text(f"queue_directory = {tmp_path}\n{MAIN_CF}")
    return tmp_path


def explain(directory: Path, *options: str) -> Result:
    arguments = ["explain", "-c", str(directory), "--from", "a@example.org"]
    return CliRunner().invoke(main, [*arguments, "--to", "bob@example.com", *options])


def test_the_answer_is_taken_and_shown(explained: Path) -> None:
    action = "unix:private/greylist=DEFER 4.7.1 come back later"
    result = explain(explained, "--policy-service", action)
    assert result.exit_code == 75
    assert "450 4.7.1 <bob@example.com>: Recipient address rejected: come back" in result.output
    assert "→ DEFER 4.7.1 come back later" in " ".join(result.output.split())
    assert "sender=a@example.org" in result.output
    # A path is copied from the screen: it stays whole, whatever its length.
    lines = [line for line in result.output.splitlines() if str(explained) not in line]
    assert max(map(len, lines)) <= 80


def test_a_server_without_an_answer_is_not_asked_and_does_not_permit(explained: Path) -> None:
    result = explain(explained, "--policy-service", "unix:private/greylist=DUNNO")
    assert result.exit_code == 75
    assert "no answer (not asked): 451 4.3.5 Server configuration problem" in " ".join(
        result.output.split()
    )


def test_a_typo_says_how_to_write_it(explained: Path) -> None:
    result = explain(explained, "--policy-service", "DUNNO")
    assert result.exit_code == 2
    assert "expected SERVER=ACTION, as unix:private/policy=DUNNO" in " ".join(result.stderr.split())
