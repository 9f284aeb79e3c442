"""S4.7: what lint says of a real Dovecot's auth socket."""

from pathlib import Path

import pytest

from maysend.lint import Configuration, Finding, lint
from tests.servers.dovecot import dovecot_auth

pytestmark = pytest.mark.needs_dovecot

USERS = {"bob": "{PLAIN}secret"}
SASL = ["MS301", "MS302", "MS303", "MS304", "MS305"]


def found(directory: Path, path: str, *more: str) -> list[Finding]:
    lines = [
        "compatibility_level = 3.6", "myhostname = mail.example.com",
        "smtpd_sasl_auth_enable = yes", "smtpd_sasl_type = dovecot", f"smtpd_sasl_path = {path}",
        *more,
    ]  # fmt: skip
    (directory / "main.cf").write_text("\n".join(lines) + "\n")
    return lint(Configuration(directory), SASL)


def test_s4_7_a_dovecot_with_plain_alone(tmp_path: Path) -> None:
    with dovecot_auth(USERS, ["plain"]) as path:
        clear = found(tmp_path, str(path))
        assert {finding.code for finding in clear} == {"MS302", "MS304"}
        options = "smtpd_sasl_security_options = noanonymous, noplaintext"
        unworthy = found(tmp_path, str(path), options)
        assert {finding.code for finding in unworthy} == {"MS303", "MS304"}
        assert "of PLAIN the security options leave none" in unworthy[-1].problem.message


def test_s4_7_a_sound_dovecot(tmp_path: Path) -> None:
    with dovecot_auth(USERS, ["plain", "login"]) as path:
        tls = ("smtpd_tls_security_level = may", "smtpd_tls_auth_only = yes")
        assert found(tmp_path, str(path), *tls) == []


def test_s4_7_a_dovecot_that_is_gone_or_out_of_reach(tmp_path: Path) -> None:
    with dovecot_auth(USERS, ["plain", "login"]) as path:
        path.chmod(0o600)
        (unreadable, *_) = [f for f in found(tmp_path, str(path)) if f.code == "MS305"]
        assert "user postfix may not use it (mode 0600)" in unreadable.problem.message
    (gone, *_) = [f for f in found(tmp_path, str(path)) if f.code == "MS305"]
    assert "No such file" in gone.problem.message or "refused" in gone.problem.message
