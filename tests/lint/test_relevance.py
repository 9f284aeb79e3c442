"""explain points to the finding that applies to the decision it shows."""

from pathlib import Path

from click.testing import CliRunner

from maysend.cli.explain import explain

MAIN_CF = """\
compatibility_level = 3.6
myhostname = mail.example.com
smtpd_sasl_auth_enable = yes
smtpd_sender_login_maps = inline:{alice@example.com=alice}, inline:{alice@example.com=admin}
smtpd_sender_restrictions = reject_sender_login_mismatch
smtpd_recipient_restrictions = permit, reject_unauth_destination
"""


def explained(directory: Path, login: str) -> str:
    (directory / "main.cf").write_text(MAIN_CF)
    arguments = ["-c", str(directory), "--login", login, "--from", "alice@example.com"]
    return CliRunner().invoke(explain, [*arguments, "--to", "bob@example.net"]).output


def test_s1_7_the_shadowed_owner_is_told_of_the_table_before_his(tmp_path: Path) -> None:
    output = explained(tmp_path, "admin")
    assert "MS101 error (main.cf:4)" in output
    assert "MS201" not in output  # that is about a list that decided nothing


def test_who_is_permitted_is_told_of_the_line_that_did(tmp_path: Path) -> None:
    output = explained(tmp_path, "alice")
    assert "MS201 warning (main.cf:6)" in output
    assert "MS101" not in output
