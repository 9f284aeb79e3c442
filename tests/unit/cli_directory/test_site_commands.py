"""`maysend list`, `domain`, `suspension`, `rights`, `audit` and what came to the older commands."""

import csv
import io
import json
import os
import subprocess
import sys

import pytest

from maysend.directory import Directory
from tests.unit.cli_directory.test_commands import BOB, fails, people, run, url

__all__ = ["people", "url"]

ALICE, ADMIN, ALL = "alice@example.com", "admin@example.com", "all@example.com"


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        ("account show bobb@example.com", 1, "did you mean 'bob@example.com'?"),
        ("account update bob@example.com", 1, "nothing to change: give --name, --scope"),
        ("account scope bob@example.com anywhere local", 1, "anywhere, or certain domains"),
        ("account scope bob@example.com a..b", 1, "its domain has an empty label"),
        ("account suspend bob@example.com --reason x --until soon", 1, "expected 2h, 3d, YYYY"),
        ("account suspend bob@example.com --reason x --until 2001-01-01", 1, "over already"),
        ("account suspend bob@example.com --reason", 64, "requires an argument"),
        ("alias add root bob@example.com", 1, "maysend alias add --local root TARGET"),
        ("alias add --local root@x bob@example.com", 1, "it has a domain, expected a name like"),
        ("alias add /(/ bob@example.com", 1, "is no pattern of pcre_table(5)"),
        ("alias show sale@example.com", 1, "did you mean 'sales@example.com'?"),
        ("alias update sales@example.com", 1, "give one of --receive-only, --send-only"),
        ("alias update sales@example.com x@y --send-only", 1, "does not lead to 'x@y', but to"),
        ("grant update bob@example.com everything", 1, "give --kind, --note or --expires"),
        ("grant show bob@example.com @x", 1, "it has everything"),
        ("list add all", 1, "'all': it has no '@', expected user@domain"),
        ("list add a@b@c", 1, "more than one '@'"),
        ("list add", 1, "Missing argument 'LIST'"),
        ("list add all@example.com --poster bbo@example.com", 1, "mean 'bob@example.com'?"),
        ("list add all@example.com --member a@b@c", 1, "more than one '@'"),
        ("list show all@example.com", 1, "there is no list 'all@example.com': see `maysend list"),
        ("list update all@example.com", 1, "nothing to change"),
        ("domain add a@b", 1, "expected a domain name"),
        ("domain add -x", 64, "No such option"),
        ("domain show exampl.com", 1, "did you mean 'example.com'?"),
        ("domain update example.com", 1, "give --managed, --local"),
        ("domain remove example.com", 1, "managed because accounts are in it"),
        ("suspension add bob --reason x", 1, "a login: maysend account suspend LOGIN"),
        ("suspension add 192.0.2.9/24 --reason x", 1, "did you mean '192.0.2.0/24'?"),
        ("suspension remove x@y", 1, "there is no suspension 'x@y'"),
        ("rights --login x@example.com --sender y@z", 1, "give one of --login"),
        ("account scope bob@example.com locl", 1, "did you mean 'local'?"),
        ("list add all@example.com --poster everybody", 1, "did you mean 'everyone'?"),
        ("rights --sender a@b@c", 1, "more than one '@'"),
        ("rights --recipient nobody", 1, "it has no '@', expected user@domain"),
        ("rights --login bobb@example.com", 1, "did you mean 'bob@example.com'?"),
        ("rights --csv --format json", 1, "give one of --csv"),
        ("audit --since yesterday", 1, "--since: 'yesterday' is no time"),
        ("audit --last 0", 1, "is not in the range"),
    ],
)
def test_typing_error_says_what_to_type_instead(
    people: str, arguments: str, code: int, text: str
) -> None:
    """S2.13, and nothing is half-written."""
    with Directory.open(people) as directory:
        before = (directory.trail(), directory.aliases.list(), directory.lists.list())
    assert text in fails(code, *arguments.split())
    with Directory.open(people) as directory:
        assert (directory.trail(), directory.aliases.list(), directory.lists.list()) == before


@pytest.mark.parametrize(
    "address",
    [
        "a@b@c",
        '"a b"@example.com',
        "",
        "x" * 10_000 + "@example.com",
        "a@[192.0.2.1]",
        "\u202ea@b.c",
    ],
)
def test_malformed_address_is_an_exact_error(people: str, address: str) -> None:
    for arguments in (
        ("account", "add", address, "--no-password"),
        ("alias", "add", address, BOB),
        ("alias", "add", "ok@example.com", address),
        ("list", "add", address),
        ("list", "add", "ok@example.com", "--poster", address),
        ("grant", "add", BOB, address),
    ):
        assert len(fails(1, *arguments).encode()) < 600


def test_address_in_another_alphabet_is_one_in_every_form(people: str) -> None:
    assert run("account", "add", "ÄNN@Bücher.example", "--no-password").stdout == (
        "added account änn@xn--bcher-kva.example\n"
    )
    text = fails(1, "account", "add", "änn@BÜCHER.example", "--no-password")
    assert "there is already an account 'änn@xn--bcher-kva.example'" in text


def test_list_protects_and_its_removal_asks(people: str) -> None:
    """S3.2: members get its mail, posters may write to it, nobody sends as it by that."""
    made = run("list", "add", ALL, "--poster", ADMIN, "--member", BOB, "--note", "staff")
    assert made.stdout == f"{ALL} is open to: {ADMIN}\n"
    assert run("list", "update", ALL, "--add-poster", "members").exit_code == 0
    shown = run("list", "show", ALL).stdout
    assert shown == f"{ALL} is open to: {ADMIN}, members\n  members  {BOB}\n  note     staff\n"
    rows = json.loads(run("rights", "--recipient", ALL, "--format", "json").stdout)
    assert [row["login"] for row in rows] == [ADMIN, BOB]
    assert [
        row["login"]
        for row in json.loads(run("rights", "--sender", ALL, "--format", "json").stdout)
    ] == [BOB]  # by his grant for everything, not as a member
    assert "add --yes" in fails(1, "list", "remove", ALL)
    assert run("list", "remove", ALL, "--yes").stdout.startswith(f"removed list {ALL}")


def test_closed_list_is_said_to_be_closed(people: str) -> None:
    said = run("list", "add", ALL, "--member", BOB).stdout
    assert said.startswith(f"{ALL} is closed: nobody may write to it, its members neither.")
    assert f"maysend list update {ALL} --add-poster WHO" in said
    assert "(closed to everybody)" in run("list", "list").stdout
    assert run("rights", "--recipient", ALL).stderr == f"{ALL} is closed to everybody\n"
    assert run("rights", "--recipient", BOB).stderr == f"{BOB} is open to everybody\n"


def test_domain_commands(people: str) -> None:
    """S2.8, S2.9."""
    assert run("domain", "add", "Far.example", "--send-only").stdout == (
        "far.example is send-only (registered)\n"
    )
    assert run("domain", "update", "example.com", "--local").exit_code == 0
    rows = json.loads(run("domain", "list", "--format", "json").stdout)
    assert [(row["domain"], row["kind"], row["accounts"]) for row in rows] == [
        ("example.com", "local", 3),
        ("far.example", "send-only", 0),
    ]
    assert (
        "it is managed, because 3 accounts are in it"
        in run("domain", "remove", "example.com").stdout
    )


def test_suspend_says_how_to_hold_what_is_queued(people: str) -> None:
    """S5.4."""
    done = run("account", "suspend", BOB, "--reason", "Call 123", "--until", "2h")
    assert f"named_attribute: sasl_username={BOB}'" in done.stdout
    assert "postsuper -h -" in done.stdout
    found = json.loads(run("account", "show", BOB, "--format", "json").stdout)
    assert found["suspended"]
    assert found["suspended_until"].endswith("Z")
    assert found["rights"] == []


def test_suspension_commands(people: str) -> None:
    """S5.4."""
    assert run("suspension", "add", "@Old.example", "--reason", "sold").stdout == (
        "suspended domain @old.example: sold\n"
    )
    changed = run("suspension", "update", "@old.example", "--until", "2999-12-31")
    assert "until 3000-01-01T00:00:00Z: sold" in changed.stdout
    assert "@old.example" in run("suspension", "list").stdout
    assert run("suspension", "show", "@old.example").exit_code == 0
    assert run("suspension", "remove", "@OLD.example").exit_code == 0


def test_rights_as_table_csv_and_json(people: str) -> None:
    table = run("rights").stdout
    rows = json.loads(run("rights", "--format", "json").stdout)
    values = list(csv.DictReader(io.StringIO(run("rights", "--csv").stdout)))
    assert len(table.splitlines()) == len(rows) + 1 == len(values) + 1
    assert {"login": BOB, "right": "send as", "address": "everything", "by": "grant"} in rows
    assert {(v["login"], v["address"], v["by"]) for v in values} >= {
        (BOB, "sales@example.com", "alias"),
        (ALICE, ALICE, "account"),
    }
    own = json.loads(run("rights", "--login", ALICE, "--format", "json").stdout)
    assert [(row["address"], row["by"]) for row in own] == [
        (ALICE, "account"),
        ("sales@example.com", "alias"),
    ]


def test_audit_says_who_and_from_where(people: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_CLIENT", "192.0.2.7 50000 22")
    run("account", "update", ALICE, "--name", "Alice")
    rows = json.loads(run("audit", ALICE, "--since", "1h", "--format", "json").stdout)
    assert rows[-1]["action"] == "account update"
    assert rows[-1]["source"] == "192.0.2.7"
    assert rows[-1]["who"]
    assert "from 192.0.2.7)\n    name=Alice" in run("audit", "--last", "1").stdout
    assert run("audit", "alice").stdout == ""


@pytest.mark.parametrize(
    "command", ["account", "alias", "grant", "list", "domain", "suspension", "audit", "rights"]
)
def test_everything_answers_in_json(people: str, command: str) -> None:
    action = () if command in ("audit", "rights") else ("list",)
    result = run(command, *action, "--format", "json")
    assert result.exit_code == 0
    assert isinstance(json.loads(result.stdout), list)


def test_shell_completes_actions_logins_and_addresses(people: str) -> None:
    def completed(words: str, position: int) -> list[str]:
        environment = os.environ | {
            "_MAYSEND_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(position),
        }
        code = "from maysend.cli.main import main; main(prog_name='maysend')"
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return [line.partition(",")[2] for line in done.stdout.splitlines()]

    assert completed("maysend account sus", 2) == ["suspend"]
    assert completed("maysend account suspend a", 3) == [ADMIN, ALICE]
    assert completed("maysend alias show s", 3) == ["sales@example.com"]
    for shell in ("bash", "zsh", "fish"):
        assert "_MAYSEND_COMPLETE" in run("completion", shell).stdout
