"""`maysend explain` as a user runs it: the tree, the JSON, the exit statuses, the typos."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner, Result

from maysend.cli.explanation_json import json_schema
from maysend.cli.main import main
from maysend.policy import Request

SCHEMA = json.loads(
    (Path(__file__).parents[3] / "docs" / "schema" / "explanation.schema.json").read_text()
)

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
    document = explained_as_json("-c", str(postfix), *TRACY_AS_ALICE, *TO_BOB)
    assert document["outcome"] == "rejected"
    answer = document["answers"][-1]
    assert answer["command"] == "RCPT TO:<bob@example.net>"
    assert answer["reply"]["code"] == 553
    step = answer["steps"][answer["determined_by"]]
    assert step["restriction"] == "reject_sender_login_mismatch"
    assert step["place"]["line"] == 11
    answers = [lookup["answer"] for lookup in step["never_asked"]]
    assert "tracy@example.com" in answers
    assert answer["fix"]["parameter"] == "smtpd_sender_login_maps"


def test_json_has_what_was_asked_also_where_it_is_empty(postfix: Path) -> None:
    document = explained_as_json("-c", str(postfix), *TRACY_AS_ALICE, *TO_BOB)
    asked = document["answers"][0]["request"]
    assert list(asked) == list(Request.__struct_fields__)
    assert asked["etrn_domain"] == ""


def explained_as_json(*arguments: str) -> Any:
    """The document, once it is what the published schema says."""
    result = run(*arguments, "--format", "json")
    document = json.loads(result.stdout)
    jsonschema.validate(document, SCHEMA)
    return document


def test_the_published_schema_is_a_schema_and_has_not_drifted() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert json_schema() == SCHEMA


@pytest.fixture
def stages(postfix: Path) -> tuple[str, ...]:
    with (postfix / "main.cf").open("a") as main_cf:
        main_cf.write(
            "smtpd_client_restrictions = check_client_access inline:{198.51.100=REJECT}\n"
            "smtpd_helo_restrictions = check_helo_access inline:{bad.example=DEFER}\n"
            "smtpd_recipient_restrictions =\n"
            "    check_recipient_access inline:{list@example.com=REJECT,slow@example.com=DEFER}\n"
            "    permit_sasl_authenticated, reject\n"
            "smtpd_data_restrictions = reject_multi_recipient_bounce\n"
            "smtpd_end_of_data_restrictions = check_sender_access static:HOLD\n"
            "smtpd_etrn_restrictions = reject\n"
        )
    return ("-c", str(postfix), "--login", "alice@example.com")


TO_THREE = ("--to", "x@example.net", "--to", "list@example.com", "--to", "slow@example.com")


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("--at", "connect"), 0, ["at CONNECT", "smtpd_delay_reject = yes: the lists"]),
        (("--at", "helo", "--helo", "bad.example"), 0, ["at EHLO bad.example"]),
        (("--at", "mail", "--from", "alice@example.com"), 0, ["from <alice@example.com>"]),
        (
            ("--at", "rcpt", "--from", "alice@example.com", "--to", "list@example.com"),
            1,
            ["REJECTED 554 5.7.1 <list@example.com>", "in smtpd_recipient_restrictions"],
        ),
        (
            ("--at", "data", "--from", "", "--to", "x@example.net", "--to", "y@example.net"),
            1,
            ["── DATA ─", "550 5.5.3 <DATA>: Data command rejected", "smtpd_data_restrictions"],
        ),
        (
            ("--at", "end-of-data", "--from", "alice@example.com", "--to", "x@example.net"),
            0,
            ["── end of data ─", "smtpd_end_of_data_restrictions", "Action: HOLD"],
        ),
        (
            ("--at", "etrn", "--etrn", "example.com"),
            1,
            ["etrn example.com", "Etrn command rejected"],
        ),
    ],
)
def test_every_stage_is_explained(
    stages: tuple[str, ...], arguments: tuple[str, ...], status: int, words: list[str]
) -> None:
    result = run(*stages, *arguments)
    assert result.exit_code == status, result.output
    flat = " ".join(result.stdout.split())
    for word in words:
        assert word in flat
    explained_as_json(*stages, *arguments)


def test_without_delay_each_command_has_its_own_answer(
    stages: tuple[str, ...], postfix: Path
) -> None:
    with (postfix / "main.cf").open("a") as main_cf:
        main_cf.write("smtpd_delay_reject = no\n")
    connect = run(*stages, "--at", "connect", "--client", "198.51.100.9")
    assert (connect.exit_code, connect.stdout[:8]) == (1, "REJECTED")
    helo = run(*stages, "--at", "helo", "--helo", "bad.example")
    assert helo.exit_code == 75
    assert "EHLO bad.example" in helo.stdout
    mail = explained_as_json(*stages, "--at", "mail", "--from", "bob@example.com")
    assert [answer["outcome"] for answer in mail["answers"]] == ["permitted"] * 2 + ["rejected"]
    assert mail["answers"][-1]["request"]["protocol_state"] == "MAIL"


def test_several_recipients_in_one_dialogue(stages: tuple[str, ...]) -> None:
    arguments = (*stages, "--from", "alice@example.com", *TO_THREE, "--at", "data")
    result = run(*arguments)
    assert result.exit_code == 1
    assert result.stdout.startswith("REJECTED  1 of 4 commands\n")
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert "RCPT TO:<x@example.net> permitted" in lines
    assert "RCPT TO:<list@example.com> rejected 554 5.7.1" in lines
    assert "RCPT TO:<slow@example.com> deferred 450 4.7.1" in lines
    assert "DATA permitted" in lines
    assert lines.count("└─ as for RCPT TO:<x@example.net>") == 6  # client, HELO, sender, twice
    document = explained_as_json(*arguments)
    assert [answer["outcome"] for answer in document["answers"]][3:] == [
        "permitted", "rejected", "deferred", "permitted",
    ]  # fmt: skip
    assert document["answers"][-1]["request"]["recipient_count"] == 1


def test_many_answers_fit_80_columns(stages: tuple[str, ...], postfix: Path) -> None:
    recipients = ("--to", f"{'long' * 15}@example.com", *TO_THREE)
    result = run(*stages, "--from", "alice@example.com", *recipients, "--at", "end-of-data")
    too_wide = [line for line in result.stdout.splitlines() if len(line) > 80]
    assert [line for line in too_wide if str(postfix) not in line] == []


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
        (("--to", "a@b.c"), 2, "Missing option '--from'"),
        (("--at", "etrn"), 2, "Missing option '--etrn'"),
        (("--at", "dta", *TRACY_AS_ALICE), 2, "'dta' is not one of 'connect'"),
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


@pytest.mark.parametrize(
    ("header", "status", "text"),
    [
        (["--header-from", "Bob <bob@example.com>"], 0, "bob owns every address in the header"),
        (
            ["--header-from", "Eve <eve@example.com>"],
            1,
            "554 5.7.1 <eve@example.com>: Header From address rejected: not owned by",
        ),
        (
            ["--header-from", "Jürgen <bob@example.com>", "--header-sender", "eve@example.com"],
            1,
            "<eve@example.com>: Header Sender address rejected: not owned by",
        ),
        (["--header-from", "bob"], 1, "554 5.6.0 Header From rejected: at its end: expected"),
        (["--header-sender", "bob@example.com"], 2, "--header-sender needs --header-from"),
    ],
)
def test_the_header_is_explained_too(
    tmp_path: Path, header: list[str], status: int, text: str
) -> None:
    """S2.7: whom the message's From: says it is from, checked at the end of the data."""
    (tmp_path / "main.cf").write_text(
        "smtpd_sasl_auth_enable = yes\n"
        "smtpd_sender_login_maps = inline:{bob@example.com=bob}\n"
        "smtpd_relay_restrictions = permit_sasl_authenticated, reject\n"
        "smtpd_end_of_data_restrictions = reject_header_from_login_mismatch\n"
    )
    envelope = ("--login", "bob", "--from", "bob@example.com", *TO_BOB)
    result = run("-c", str(tmp_path), *envelope, *header)
    assert result.exit_code == status
    assert text in " ".join(result.output.split())
