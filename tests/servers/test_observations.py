"""S2.12: turning it on without fear: what is observed, logged and reported."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from maysend.cli.main import main
from maysend.directory import Directory
from maysend.maincf.errors import MainCfError
from maysend.policy import Policy, Request
from maysend.servers.decision_log import DecisionLog, Record
from maysend.servers.log_file import LogFile
from maysend.servers.observations import allowing_command, report_of

BOB, EVE, ALL = "bob@example.com", "eve@example.com", "all@example.com"


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    made = Directory.open(tmp_path / "d.db")
    for login in (BOB, EVE):
        made.accounts.add(login)
    made.lists.add(ALL, [BOB])
    return made


def requests() -> list[Request]:
    def asked(login: str, sender: str, recipient: str = "x@example.net") -> Request:
        return Request(
            client_address="192.0.2.1",
            sasl_username=login,
            sasl_method="PLAIN" if login else "",
            sender=sender,
            recipient=recipient,
        )

    return [
        asked(EVE, BOB),
        asked(EVE, BOB),
        asked(EVE, EVE, ALL),
        asked(BOB, BOB, ALL),
        asked("", EVE),
    ]


def test_report_groups_what_would_have_been_refused(directory: Directory, tmp_path: Path) -> None:
    policy = Policy.builtin(directory.table_types(), {"smtpd_observe_restrictions": "all"})
    path = tmp_path / "decisions"
    log = DecisionLog(
        lambda line, fields=None: None, LogFile(path, 10**9, 1, lambda line: None), "none"
    )
    decisions = [(request, policy.decide(request)) for request in requests()]
    replies = [str(decision.reply or "ok") for _, decision in decisions]
    for request, decision in decisions:
        log.note(Record("policy", "", request, decision, "DUNNO", 0.0))
    log.close()
    assert replies[:4] == ["ok"] * 4
    assert "Access denied" in replies[4]  # relaying is never opened
    path.write_bytes(path.read_bytes() + b"not json\n\n")
    result = CliRunner().invoke(main, ["observe", "report", str(path)])
    assert result.exit_code == 1
    assert f"  to allow it:   maysend grant add {EVE} {BOB}\n" in result.stdout
    assert f"  to allow it:   maysend list update {ALL} --add-poster {EVE}\n" in result.stdout
    assert "not owned by user eve@example.com" in result.stdout
    assert "3 of 6 decisions would have been refused; 1 lines are none" in result.stderr
    told = json.loads(
        CliRunner().invoke(main, ["observe", "report", str(path), "--format", "json"]).stdout
    )
    assert [(o["login"], o["about"], o["count"]) for o in told["observations"]] == [
        (EVE, BOB, 2),
        (EVE, ALL, 1),
    ]


def test_suspension_is_never_observed(directory: Directory) -> None:
    directory.accounts.suspend(EVE, "Call 123")
    policy = Policy.builtin(directory.table_types(), {"smtpd_observe_restrictions": "all"})
    reply = policy.decide(requests()[0]).reply
    assert reply is not None
    assert reply.text.endswith("Call 123")


@pytest.mark.parametrize("name", ["reject", "check_sasl_access", "reject_unauth_destination"])
def test_what_must_refuse_cannot_be_observed(directory: Directory, name: str) -> None:
    with pytest.raises(MainCfError, match=f"{name} can't be observed, expected all, reject_"):
        Policy.builtin(directory.table_types(), {"smtpd_observe_restrictions": name})


def test_command_to_copy_is_quoted_for_the_shell() -> None:
    command = allowing_command("reject_sender_login_mismatch", BOB, "$(rm -rf /)@example.com")
    assert command == "maysend grant add bob@example.com '$(rm -rf /)@example.com'"


def test_empty_log_has_nothing_to_report() -> None:
    assert report_of([]).observations == []
    assert report_of([b"\xff\n", b"[1]\n"]).unreadable == 2
