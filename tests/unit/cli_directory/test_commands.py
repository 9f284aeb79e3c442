"""`maysend account`, `alias` and `grant` as somebody types them (S2.2, S2.13)."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from maysend.cli.main import main
from maysend.directory import Directory

BOB = "bob@example.com"


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    url = f"sqlite:///{tmp_path}/d.db"
    monkeypatch.setenv("MAYSEND_DIRECTORY", url)
    monkeypatch.delenv("MAYSEND_CONFIG", raising=False)
    return url


@pytest.fixture
def people(url: str) -> str:
    with Directory.open(url) as directory:
        for login in (BOB, "alice@example.com", "admin@example.com"):
            directory.accounts.add(login, password_hash="{PLAIN}secret")
        directory.aliases.add("sales@example.com", [BOB, "alice@example.com"])
        directory.aliases.add("only@example.com", [BOB])
        directory.grants.add(BOB, "everything")
    return url


def run(*arguments: str, stdin: str = "") -> Result:
    return CliRunner().invoke(main, arguments, input=stdin, prog_name="maysend")


def fails(code: int, *arguments: str) -> str:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert "Traceback" not in result.stderr
    return result.stderr


def test_account_added_with_a_password_from_stdin_logs_in(url: str) -> None:
    result = run("account", "add", "Bob@Example.com", "--password-stdin", stdin="hunter2 \nmore\n")
    assert (result.exit_code, result.stdout) == (0, "added account bob@example.com\n")
    with Directory.open(url) as directory:
        assert directory.authenticate(BOB, "hunter2 ") == BOB
    assert run("account", "password", BOB, "--password-stdin", stdin="new").exit_code == 0
    with Directory.open(url) as directory:
        assert directory.authenticate(BOB, "hunter2 ") is None
        assert directory.authenticate(BOB, "new") == BOB


def test_account_added_with_dovecots_hash_logs_in(url: str) -> None:
    stored = "{SSHA}AkZli26mFOG4yod3La9jAttoTPqiJAri"
    assert run("account", "add", BOB, "--password-hash", stored).exit_code == 0
    with Directory.open(url) as directory:
        assert directory.authenticate(BOB, "correct horsé") == BOB


def test_password_is_asked_for_in_a_terminal_and_not_echoed(url: str) -> None:
    main_end, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", "from maysend.cli.main import main; main()", "account", "add", BOB],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
    )
    os.close(terminal)
    shown = b""
    for prompt in (b"Password: ", b"Repeat for confirmation: "):
        while prompt not in shown:
            shown += os.read(main_end, 1000)
        os.write(main_end, b"hunter2\n")
    while b"added account" not in shown:
        shown += os.read(main_end, 1000)
    assert process.wait(30) == 0
    os.close(main_end)
    assert b"hunter2" not in shown
    with Directory.open(url) as directory:
        assert directory.authenticate(BOB, "hunter2") == BOB


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        ("account add", 1, "maysend account add: Missing argument 'LOGIN'.\nUsage: maysend acc"),
        ("account add a@b@c --no-password", 1, "'a@b@c': it has more than one '@', expected user"),
        ("account add bob", 1, "no password: give --password-stdin"),
        ("account add b@c --password-hash x", 1, "a password hash begins with its {SCHEME}"),
        ("account add b@c --password-stdin --no-password", 1, "give one of --password-stdin"),
        ("account add b@c --frobnicate", 64, "No such option '--frobnicate'"),
        ("account list extra", 64, "unexpected extra argument"),
        ("account frobnicate", 64, "No such command 'frobnicate'; expected add, list"),
        ("account remov", 64, "No such command 'remov'; did you mean 'remove'?"),
        ("account", 64, "maysend account: which action?"),
        ("account list --format xml", 1, "'xml' is not one of 'text', 'json'"),
        ("account remove bobb@example.com", 1, "did you mean 'bob@example.com'?"),
        ("account suspend bob@example.com", 1, "Missing option '--reason'"),
        ("account resume bob@example.com", 1, "'bob@example.com' is not suspended"),
        ("alias add sales@example.com", 1, "Usage: maysend alias add [OPTIONS] ALIAS TARGET..."),
        ("alias add", 1, "Missing argument 'ALIAS'"),
        ("alias add sales bob@example.com", 1, "'sales': it has no '@', expected user@domain"),
        ("alias add a@example.com b@c@d", 1, "'b@c@d': it has more than one '@'"),
        ("alias add a@b c@d --send-only --receive-only", 1, "would do nothing: give one"),
        ("alias remove sale@example.com", 1, "did you mean 'sales@example.com'?"),
        ("alias remove sales@example.com x@y", 1, "does not lead to 'x@y', but to alice@example"),
        ("grant add bob@example.com", 1, "Missing argument 'ADDRESS|@DOMAIN|everything'"),
        ("grant add bob@example.com everybody", 1, "expected user@domain, @domain or everything"),
        ("grant add bbo@example.com @x.example", 1, "did you mean 'bob@example.com'?"),
        ("grant add bob@example.com @x --expires 31.12.2030", 1, "expected 2h, 3d, YYYY-MM-DD"),
        ("grant add bob@example.com @x --expires 2001-01-01", 1, "would have expired already"),
        ("grant remove bob@example.com @x", 1, "no grant for '@x'; it has everything"),
    ],
)
def test_typing_error_says_what_to_type_instead(
    people: str, arguments: str, code: int, text: str
) -> None:
    """S2.13: a missing or malformed argument is a clear error with exit 1."""
    assert text in fails(code, *arguments.split())


def test_hash_is_not_repeated_in_an_error(url: str) -> None:
    text = fails(1, "account", "add", BOB, "--password-hash", "{SSHA}c2VjcmV0")
    assert "c2VjcmV0" not in text


def test_alias_is_alias_then_recipients_and_adds_up(people: str) -> None:
    """S2.13."""
    assert run("alias", "add", "New@example.com", BOB).stdout == f"new@example.com -> {BOB}\n"
    again = run("alias", "add", "new@example.com", "x@side.example", "--receive-only")
    assert again.stdout == (
        f"new@example.com -> {BOB}\nnew@example.com -> x@side.example  receive only\n"
    )
    assert run("alias", "remove", "new@example.com", BOB).stdout == (
        f"removed new@example.com -> {BOB}\n"
    )
    assert "new@example.com" in run("alias", "list").stdout
    swapped = run("alias", "add", BOB, "new@example.com")
    assert "note: bob@example.com is an account" in swapped.stderr


def test_removing_an_account_shows_what_goes_and_asks(people: str) -> None:
    """S2.13: deleting an account leaves no ownership behind, and says what it had."""
    refused = run("account", "remove", BOB)
    assert (refused.exit_code, refused.stdout) == (1, "")
    listed = (
        "  from alias only@example.com (leads to nobody else, goes too)\n"
        "  from alias sales@example.com\n"
        "  grant for everything\n"
    )
    assert refused.stderr.startswith(listed)
    assert "add --yes" in refused.stderr
    assert BOB in run("account", "list").stdout
    done = run("account", "remove", BOB, "--yes")
    assert (done.exit_code, done.stdout) == (0, f"removed account {BOB}\n{listed}")
    for command in ("account", "alias", "grant"):
        assert BOB not in run(command, "list").stdout


def test_suspend_and_resume(people: str) -> None:
    """S2.13."""
    done = run("account", "suspend", BOB, "--reason", "Call 123")
    assert done.stdout.startswith(f"suspended {BOB}\nBack with: maysend account resume {BOB}\n")
    assert max(map(len, done.stdout.splitlines())) <= 100
    assert "Call 123" in run("account", "list").stdout
    with Directory.open(people) as directory:
        assert directory.owners(BOB).logins == ()
    assert run("account", "resume", BOB).exit_code == 0
    with Directory.open(people) as directory:
        assert directory.owners(BOB).logins == (BOB,)


def test_grant_of_every_kind(people: str) -> None:
    """S2.2, S2.10."""
    assert run("grant", "add", "admin@example.com", "everything").stdout == (
        "admin@example.com may send as everything\n"
    )
    done = run("grant", "add", BOB, "@Example.com", "--note", "ticket", "--expires", "2999-12-31")
    assert done.stdout == (
        "bob@example.com may send as @example.com until the end of 2999-12-31 (UTC)\n"
    )
    assert run("grant", "add", BOB, "boss@x.example", "--on-behalf").stdout == (
        "bob@example.com may send on behalf of boss@x.example\n"
    )
    assert "2999-12-31" in run("grant", "list").stdout
    assert run("grant", "remove", BOB, "@example.com").exit_code == 0
    granted = json.loads(run("grant", "list", "--format", "json").stdout)
    assert [(g["login"], g["address"]) for g in granted] == [
        ("admin@example.com", "everything"),
        (BOB, "everything"),
        (BOB, "boss@x.example"),
    ]


@pytest.mark.parametrize("command", ["account", "alias", "grant"])
def test_lists_are_json_for_programs_and_80_columns_for_people(people: str, command: str) -> None:
    rows = json.loads(run(command, "list", "--format", "json").stdout)
    assert all(isinstance(row, dict) for row in rows)
    text = run(command, "list").stdout
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 80
    assert "secret" not in text + json.dumps(rows)


def test_every_action_answers_in_json(people: str) -> None:
    for arguments in (
        ("account", "add", "new@example.com", "--no-password"),
        ("account", "suspend", BOB, "--reason", "x"),
        ("account", "resume", BOB),
        ("alias", "add", "a@example.com", BOB),
        ("alias", "remove", "a@example.com"),
        ("grant", "add", BOB, "@x.example"),
        ("grant", "remove", BOB, "@x.example"),
        ("account", "remove", BOB, "--yes"),
    ):
        result = run(*arguments, "--format", "json")
        assert result.exit_code == 0, result.stderr
        json.loads(result.stdout)


def test_long_names_are_never_cut(url: str) -> None:
    login = "x" * 60 + "@" + ".".join(["y" * 50] * 3)
    run("account", "add", login, "--no-password", "--name", "Long [bold] Name")
    assert run("account", "list").stdout == (
        f"{login}\n  NAME   Long [bold] Name\n  STATE  enabled\n"
    )


def test_empty_lists_say_how_to_begin(url: str) -> None:
    Directory.open(url).close()
    for command in ("account", "alias", "grant"):
        result = run(command, "list")
        assert (result.exit_code, result.stdout) == (0, "")
        assert f"maysend {command} add" in result.stderr


def test_reading_never_makes_a_directory(url: str, tmp_path: Path) -> None:
    for arguments in (
        ("account", "list"),
        ("alias", "add", "a@example.com", BOB),
        ("account", "add", "a@b@c", "--no-password"),
    ):
        fails(1, *arguments)
    assert list(tmp_path.iterdir()) == []


def test_broken_database_is_a_temporary_failure(url: str, tmp_path: Path) -> None:
    (tmp_path / "d.db").write_text("junk " * 1000)
    assert "file is not a database" in fails(75, "account", "list")


@pytest.mark.parametrize(
    "way", ["option", "environment", "config", "config environment", "working directory"]
)
def test_directory_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    for name in ("MAYSEND_DIRECTORY", "MAYSEND_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    elsewhere, home = tmp_path / "elsewhere", tmp_path / "home"
    for place in (elsewhere, home):
        place.mkdir()
    monkeypatch.chdir(elsewhere)
    config, database = home / "maysend.toml", home / "d.db"
    config.write_text('directory = "sqlite:///d.db"\n[listen]\nport = 587\n')
    options: list[str] = []
    ways: dict[str, Callable[[], object]] = {
        "option": lambda: options.extend(["--directory", str(database)]),
        "environment": lambda: monkeypatch.setenv("MAYSEND_DIRECTORY", f"sqlite:///{database}"),
        "config": lambda: options.extend(["--config", str(config)]),
        "config environment": lambda: monkeypatch.setenv("MAYSEND_CONFIG", str(config)),
        "working directory": lambda: monkeypatch.chdir(home),
    }
    ways[way]()
    assert run("account", "add", BOB, "--no-password", *options).exit_code == 0
    assert database.exists()


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, "can't read"),
        ("x = 1\n", "has no line like directory = "),
        ("directory = 1\n", "Expected `str"),
        ("directory =\n", "Invalid value"),
    ],
)
def test_config_that_does_not_help_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None, text: str
) -> None:
    monkeypatch.delenv("MAYSEND_DIRECTORY", raising=False)
    config = tmp_path / "maysend.toml"
    if content is not None:
        config.write_text(content)
    error = fails(78, "account", "list", "--config", str(config))
    assert text in error
    assert str(config) in error


def test_nowhere_to_look_says_what_to_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MAYSEND_DIRECTORY", "MAYSEND_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    assert "give --directory sqlite:///maysend.db" in fails(78, "account", "list")
