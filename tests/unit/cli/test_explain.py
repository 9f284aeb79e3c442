"""`maysend explain` as a user runs it: the tree, the JSON, the exit statuses, the typos."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from maysend.cli.main import main

MAIN_CF = """\
myhostname = mail.example.com
mydestination =
smtpd_sasl_auth_enable = yes
smtpd_sender_login_maps =
    texthash:$config_directory/users,
    pcre:$config_directory/overrides
smtpd_restriction_classes = insiders_only
insiders_only = check_sender_access inline:{example.com=OK}, reject
smtpd_sender_restrictions =
    reject_sender_login_mismatch
smtpd_recipient_restrictions =
    check_recipient_access inline:{all@example.com=insiders_only}
    permit_sasl_authenticated
    reject
"""
TRACY_AS_ALICE = ("--login", "tracy@example.com", "--from", "alice@example.com")
TO_BOB = ("--to", "bob@example.net")


@pytest.fixture
def postfix(tmp_path: Path) -> Path:
    (tmp_path / "main.cf").write_text(f"config_directory = {tmp_path}\n{MAIN_CF}")
    (tmp_path / "users").write_text("alice@example.com alice@example.com\n")
    (tmp_path / "overrides").write_text("/.*@example.com/ tracy@example.com\n")
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["explain", *arguments], prog_name="maysend")


def test_s1_7_text_names_the_rule_its_place_and_the_table_never_asked(postfix: Path) -> None:
    result = run("-c", str(postfix), *TRACY_AS_ALICE, *TO_BOB)
    assert result.exit_code == 1
    assert result.stdout.startswith("REJECTED  553 5.7.1 <alice@example.com>: Sender address")
    flat = " ".join(result.stdout.split())
    assert "└─ reject_sender_login_mismatch REJECT main.cf:11" in flat
    assert f"never asked: pcre:{postfix}/overrides" in flat
    assert "would have said: alice@example.com → tracy@example.com" in flat
    assert f"smtpd_sender_login_maps = unionmap:{{ texthash:{postfix}/users" in flat


def test_text_fits_80_columns_and_has_no_colour_in_a_pipe(postfix: Path) -> None:
    result = run("-c", str(postfix), *TRACY_AS_ALICE, *TO_BOB)
    assert "\x1b" not in result.stdout
    too_wide = [line for line in result.stdout.splitlines() if len(line) > 80]
    assert [line for line in too_wide if str(postfix) not in line] == []


def test_classes_stand_below_the_table_that_named_them(postfix: Path) -> None:
    result = run(
        "-c", str(postfix), "--login", "tracy@example.com", "--from", "x@example.com",
        "--to", "all@example.com",
    )  # fmt: skip
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    table = next(n for n, line in enumerate(lines) if "all@example.com=insiders_only" in line)
    group = next(n for n, line in enumerate(lines) if "└─ insiders_only" in line)
    inner = next(n for n, line in enumerate(lines) if "inline:{example.com=OK}" in line)
    assert table < group < inner
    assert lines[group].index("└─") < lines[inner].index("└─")


def test_json_has_the_same_facts(postfix: Path) -> None:
    result = run("-c", str(postfix), *TRACY_AS_ALICE, *TO_BOB, "--format", "json")
    document = json.loads(result.stdout)
    assert document["outcome"] == "rejected"
    assert document["reply"]["code"] == 553
    step = document["steps"][document["determined_by"]]
    assert step["restriction"] == "reject_sender_login_mismatch"
    assert step["place"]["line"] == 11
    answers = [lookup["answer"] for lookup in step["never_asked"]]
    assert "tracy@example.com" in answers
    assert document["fix"]["parameter"] == "smtpd_sender_login_maps"


def test_a_failing_table_is_deferred_with_75(postfix: Path) -> None:
    (postfix / "users").unlink()
    result = run("-c", str(postfix), *TRACY_AS_ALICE, *TO_BOB)
    assert result.exit_code == 75
    assert result.stdout.startswith("DEFERRED  451 4.3.0")
    assert "No such file or directory" in " ".join(result.stdout.split())


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("-c", "/nonexistent", *TRACY_AS_ALICE, *TO_BOB), 78, "/nonexistent/main.cf"),
        (("--from", "a@b.c"), 2, "Missing option '--to'"),
        (("--form", "a@b.c", *TO_BOB), 2, "No such option '--form'"),
        (("--from", "a@b.c", *TO_BOB, "--client", "1.2.3"), 2, "'1.2.3' is no IP address"),
        (("--from", "a@b, c@d", *TO_BOB), 2, "'a@b, c@d' is no address"),
        (("--from", "a@b.c", *TO_BOB, "--format", "yaml"), 2, "'yaml' is not one of"),
    ],
)
def test_a_typo_gets_a_clear_error(arguments: tuple[str, ...], status: int, said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == status
    assert said in result.stderr
    assert result.stdout == ""


def test_a_configuration_that_smtpd_would_not_start_with(tmp_path: Path) -> None:
    (tmp_path / "main.cf").write_text(
        "smtpd_relay_restrictions =\nsmtpd_recipient_restrictions = permit_mynetworks\n"
    )
    result = run("-c", str(tmp_path), *TRACY_AS_ALICE, *TO_BOB)
    assert result.exit_code == 78
    assert f"{tmp_path}/main.cf:1" in result.stderr
    assert "reject_unauth_destination" in result.stderr


def test_a_service_of_master_cf_has_its_own_restrictions(postfix: Path) -> None:
    """S4.6: -o settings of the service that --service names."""
    (postfix / "master.cf").write_text(
        "smtp inet n - n - - smtpd\n"
        "submission inet n - n - - smtpd\n"
        "  -o smtpd_sender_restrictions=\n"
        "  -o { smtpd_recipient_restrictions = permit_sasl_authenticated, reject }\n"
    )
    plain = run("-c", str(postfix), *TRACY_AS_ALICE, *TO_BOB)
    submission = run("-c", str(postfix), "--service", "submission", *TRACY_AS_ALICE, *TO_BOB)
    assert (plain.exit_code, submission.exit_code) == (1, 0)
    assert "master.cf:4" in submission.stdout
    unknown = run("-c", str(postfix), "--service", "submisson", *TRACY_AS_ALICE, *TO_BOB)
    assert unknown.exit_code == 78
    assert "submisson" in unknown.stderr


def test_dns_is_answered_from_a_file(postfix: Path) -> None:
    main_cf = postfix / "main.cf"
    main_cf.write_text(
        main_cf.read_text() + "smtpd_helo_restrictions = reject_rbl_client l.example\n"
    )
    zone = postfix / "zone"
    zone.write_text('1.2.0.192.l.example A 127.0.0.2\n1.2.0.192.l.example TXT "why"\n')
    result = run("-c", str(postfix), "--dns", str(zone), *TRACY_AS_ALICE, *TO_BOB)
    assert result.exit_code == 1
    flat = " ".join(result.stdout.split())
    assert "Client host [192.0.2.1] blocked using l.example; why" in flat
    assert "dns:A 1.2.0.192.l.example → 127.0.0.2" in flat.replace("│ ", "")


def test_a_zone_that_cannot_be_read_is_named_with_its_line(postfix: Path) -> None:
    zone = postfix / "zone"
    zone.write_text("a.example A 192.0.2.1\nb.example A nonsense\n")
    result = run("-c", str(postfix), "--dns", str(zone), *TRACY_AS_ALICE, *TO_BOB)
    assert result.exit_code == 65
    assert f"{zone}: line 2: " in result.stderr
