"""docker-mailserver's files and environment as mounted (S2.14), and its faults done right."""

import os
import threading
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from maysend.cli.main import main
from maysend.directory import Directory, DirectoryError
from maysend.importers.docker_mailserver import Follower, Outcome, read_folder, synchronise
from maysend.importers.docker_mailserver.alias_files import read_patterns, read_virtual
from maysend.importers.docker_mailserver.wanted import Wanted
from maysend.tables.lines import LogicalLine
from tests.unit.directory.conftest import open_directory_table
from tests.unit.importers.conftest import HASH

BOB, ALICE, CAROL = "bob@example.com", "alice@example.com", "carol@example.com"


def imported(directory: Directory, folder: Path) -> Wanted:
    wanted = read_folder(folder)
    synchronise(directory, wanted)
    return wanted


def remarks(wanted: Wanted) -> str:
    return "\n".join(map(str, wanted.remarks))


def owners(directory: Directory, address: str) -> tuple[str, ...]:
    return directory.owners(address, "+").logins


def test_everything_that_can_be_read_is_there(directory: Directory, folder: Path) -> None:
    """S2.14: CRLF, comments, a missing last newline."""
    imported(directory, folder)
    assert [each.login for each in directory.accounts.list()] == [ALICE, BOB, CAROL]
    assert directory.authenticate(CAROL, "carols") == CAROL
    assert owners(directory, "sales@example.com") == (ALICE, BOB)
    assert owners(directory, "news@other.example") == (BOB,)  # carol is suspended
    assert owners(directory, "test7@example.com") == (BOB,)
    assert owners(directory, "fwd@example.com") == ()
    table = open_directory_table(directory, "suspended")
    assert table.lookup("Carol@example.com") == "REJECT You may not send mail"
    senders = open_directory_table(directory, "suspended_senders")
    assert senders.lookup("retired+x@example.com") == "REJECT You may not send mail"
    assert open_directory_table(directory, "posters").lookup("closed@example.com") == "<nobody>"


def test_broken_lines_are_named_and_the_rest_is_kept(directory: Directory, folder: Path) -> None:
    """S2.14."""
    told = remarks(imported(directory, folder))
    for text in (
        "postfix-accounts.cf:5: skipped: 'a@b@c': it has more than one '@'",
        "postfix-accounts.cf:6: skipped: expected login|{SCHEME}hash",
        "postfix-accounts.cf:7: skipped: bob@example.com is there already",
        "postfix-accounts.cf:8: skipped: the password scheme 'NOPE' is not known",
        "postfix-virtual.cf:7: skipped: 'lonely@example.com' has no target",
        "postfix-virtual.cf:8: skipped: 'x@@y'",
        "postfix-regexp.cf:3: skipped: '/(/' is no pattern",
        "postfix-regexp.cf:4: skipped: expected /pattern/",
        "postfix-aliases.cf:2: skipped: '|/bin/true' is no address",
        "postfix-send-access.cf:3: skipped: 'x@y' has another action",
        "mailserver.env:4: skipped: expected NAME=value",
        "dovecot-quotas.cf: ignored",
    ):
        assert text in told
    assert HASH not in told
    assert "saltsalt" not in told


def test_what_means_something_else_is_told_and_why(directory: Directory, folder: Path) -> None:
    """S2.14."""
    told = remarks(imported(directory, folder))
    for text in (
        "@example.com: accounts and explicit aliases keep their own mail here",
        "other.example is not made ours by the alias news@other.example; if it is: maysend domain",
        "gmail.example is not made ours by the target someone@gmail.example",
        "info@example.com leads on through sales@example.com",
        "also matches bob@example.com and",
        "postfix-send-access.cf:1: different: carol@example.com is suspended as a login",
        "closed@example.com is closed also by its +extensions",
        "postmaster@ of every managed domain leads to bob@example.com",
    ):
        assert text in told
    assert "SPOOF_PROTECTION" not in told
    (folder / "mailserver.env").write_text("ACCOUNT_PROVISIONER=LDAP\nLDAP_BIND_PW=s3cret\n")
    told = remarks(read_folder(folder))
    assert "without SPOOF_PROTECTION=1 every login may send as anybody" in told
    assert "unionmap:{directory:owners, ldap:" in told
    assert "s3cret" not in told


def test_seen_wrong_there_done_right_here(directory: Directory, folder: Path) -> None:
    """S2.4, S2.5, S2.9, S2.11: the table in SEMANTICS.md."""
    imported(directory, folder)
    directory.accounts.resume(CAROL)
    assert owners(directory, "info@example.com") == (ALICE, BOB)  # nested alias
    (folder / "postfix-regexp.cf").unlink()
    imported(directory, folder)
    directory.accounts.resume(CAROL)
    assert owners(directory, "whoever@example.com") == (CAROL,)  # catch-all
    assert owners(directory, "bob+news@example.com") == (BOB,)  # +tag
    assert owners(directory, "abuse@localhost") == (CAROL,)  # bare alias
    assert owners(directory, "postmaster@example.com") == (BOB,)
    domains = open_directory_table(directory, "domains")
    assert [domains.lookup(d) for d in ("example.com", "other.example", "gmail.example")] == [
        "managed",
        None,
        None,
    ]
    (folder / "postfix-accounts.cf").write_text(f"{ALICE}|{HASH}\n")
    imported(directory, folder)
    assert owners(directory, "sales@example.com") == (ALICE,)  # a deleted account owns nothing


def test_import_is_idempotent(directory: Directory, folder: Path) -> None:
    """S2.14."""
    first = synchronise(directory, read_folder(folder))
    assert f"+account {BOB}" in first.changes
    before = directory.trail()
    assert synchronise(directory, read_folder(folder)) == Outcome()
    assert directory.trail() == before


def test_later_import_follows_the_files_and_leaves_what_was_made_by_hand(
    directory: Directory, folder: Path
) -> None:
    directory.accounts.add("dave@example.com")
    directory.aliases.add("sales@example.com", ["dave@example.com"])
    directory.lists.add("closed@example.com", ["dave@example.com"])
    imported(directory, folder)
    for name in ("postfix-virtual.cf", "postfix-send-access.cf", "postfix-receive-access.cf"):
        (folder / name).unlink()
    (folder / "postfix-accounts.cf").write_text("carol@example.com|{PLAIN}new\n")
    changes = synchronise(directory, read_folder(folder)).changes
    assert f"-account {BOB}" in changes
    assert f"-suspension of {CAROL}" in changes
    assert [each.login for each in directory.accounts.list()] == [CAROL, "dave@example.com"]
    assert directory.authenticate(CAROL, "new") == CAROL
    assert owners(directory, "sales@example.com") == ("dave@example.com",)
    assert directory.lists.get("closed@example.com").posters == ("dave@example.com",)


def test_folder_that_is_not_mounted_removes_nobody(directory: Directory, folder: Path) -> None:
    imported(directory, folder)
    (folder / "postfix-accounts.cf").unlink()
    with pytest.raises(DirectoryError, match=r"postfix-accounts\.cf is gone, 3 accounts came"):
        synchronise(directory, read_folder(folder))
    assert len(directory.accounts.list()) == 3


@pytest.mark.parametrize("make", [False, True])
def test_folder_that_is_none_is_an_error(tmp_path: Path, make: bool) -> None:
    folder = tmp_path / "none"
    if make:
        folder.mkdir()
    with pytest.raises(DirectoryError, match=r"has none of|there is no folder"):
        read_folder(folder)


def test_change_is_followed_within_two_seconds(directory: Directory, folder: Path) -> None:
    """S2.14."""
    happened: list[list[str]] = []
    failures: list[str] = []
    follower = Follower(
        directory,
        folder,
        imported=lambda changes, remarks: happened.append(list(changes)),
        failed=failures.append,
    )
    stop = threading.Event()
    thread = threading.Thread(target=follower.run, args=(stop,))
    thread.start()
    try:
        _wait(lambda: len(happened) == 1)
        began = time.monotonic()
        with (folder / "postfix-accounts.cf").open("a") as file:
            file.write("\nnew@example.com|{PLAIN}x\n")
        _wait(lambda: len(happened) == 2)
        assert time.monotonic() - began < 2
        assert happened[1] == ["+account new@example.com"]
        os.truncate(folder / "postfix-accounts.cf", 0)
        _wait(lambda: bool(failures))
        assert "postfix-accounts.cf has no accounts any more, 4 came from it" in failures[0]
        assert len(directory.accounts.list()) == 4
    finally:
        stop.set()
        thread.join(10)


def _wait(condition: "object") -> None:
    assert callable(condition)
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_command_prints_changes_and_report(tmp_path: Path, folder: Path) -> None:
    options = ["--directory", str(tmp_path / "d.db")]
    command = ["import", "docker-mailserver", str(folder), *options]
    first = CliRunner().invoke(main, command)
    assert first.exit_code == 0
    assert "+account bob@example.com\n" in first.stdout
    assert "postfix-accounts.cf:5: skipped" in first.stderr
    again = CliRunner().invoke(main, command)
    assert (again.exit_code, again.stdout) == (0, "nothing to change\n")
    missing = CliRunner().invoke(main, ["import", "docker-mailserver", "/nonexistent", *options])
    assert (missing.exit_code, missing.stdout) == (1, "")
    assert "import docker-mailserver: there is no folder /nonexistent" in missing.stderr


@given(st.lists(st.text(st.characters(exclude_characters="\n"), max_size=40)))
def test_no_line_breaks_a_reader(lines: list[str]) -> None:
    """Every line is either read or named."""
    logical = [LogicalLine(text, n) for n, text in enumerate(lines, 1) if text.strip()]
    for read in (read_virtual, read_patterns):
        wanted = Wanted()
        read(logical, "file", wanted)
        read_lines = sum(len(targets) > 0 for targets in wanted.aliases.values())
        assert read_lines + len({remark.line for remark in wanted.remarks}) >= min(len(logical), 1)
