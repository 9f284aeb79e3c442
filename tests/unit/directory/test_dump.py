"""Backup and restore, on both stores and from one to the other."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from maysend.cli.main import main
from maysend.directory import Directory
from maysend.directory.dump import LoadError, dump, load
from maysend.importers.docker_mailserver import read_folder, synchronise
from tests.servers.postgresql import PostgreSql
from tests.unit.directory.stores import empty_postgresql, in_a_file

BOB, ALICE, ALL = "bob@example.com", "alice@example.com", "all@example.com"


@pytest.fixture
def site(directory: Directory) -> Directory:
    directory.accounts.add(BOB, password_hash="{PLAIN}secret", name="Bøb", scope="local")
    directory.accounts.add(ALICE)
    directory.accounts.suspend(ALICE, "spam", 2_000_000_000)
    directory.aliases.add("sales@example.com", [BOB, ALICE], receive=False)
    directory.aliases.add("/^x/", [BOB])
    directory.aliases.add("root", [BOB], local=True)
    directory.grants.add(BOB, "everything", note="why", expires=2_000_000_000)
    directory.grants.add(ALICE, "@example.org", kind="on-behalf")
    directory.domains.add("far.example", "send-only")
    directory.lists.add(ALL, [BOB, "members"], note="staff")
    directory.lists.add("closed@example.com")
    directory.suspensions.add("192.0.2.0/24", "no")
    return directory


def test_restored_directory_is_the_same(site: Directory, store: str, tmp_path: Path) -> None:
    lines = list(dump(site))
    with Directory.open(tmp_path / "other.db") as other:
        assert load(other, lines) == len(lines) - 2
        assert list(dump(other)) == lines
        assert other.authenticate(BOB, "secret") == BOB
        assert other.lists.get(ALL).posters == (BOB, "members")
        assert other.trail() == site.trail()


@pytest.mark.needs_postgresql
@in_a_file
def test_dump_moves_from_sqlite_to_postgresql(
    site: Directory, postgresql_directories: PostgreSql
) -> None:
    lines = list(dump(site))
    with Directory.open(empty_postgresql(postgresql_directories)) as other:
        load(other, lines)
        assert list(dump(other)) == lines
        other.accounts.add("new@example.com")
        assert other.owners("x@world.example").logins == (BOB,)


def test_load_into_what_is_not_empty_is_refused_unless_it_is_replaced(site: Directory) -> None:
    lines = list(dump(site))
    with pytest.raises(LoadError, match="not empty, it has"):
        load(site, lines)
    site.accounts.add("later@example.com")
    load(site, lines, replace=True)
    assert list(dump(site)) == lines


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda lines: lines[:-1], "the dump was cut off"),
        (lambda lines: lines[1:], "line 1: no dump of a directory"),
        (lambda lines: [lines[0], *lines[2:]], "expected 1|there is no login"),
        (lambda lines: [*lines[:2], b"{", *lines[2:]], "line 3: not JSON"),
        (lambda lines: [*lines[:2], b"[]", *lines[2:]], "line 3: expected one object"),
        (lambda lines: [*lines[:2], b'{"thing":{}}', *lines[2:]], "is nothing that a directory"),
        (lambda lines: [*lines[:2], b'{"account":{}}', *lines[2:]], "login is missing"),
        (lambda lines: [lines[0], lines[1], *lines[1:]], "one account is there twice"),
        (lambda lines: [*lines, lines[1]], "something follows the end"),
        (lambda lines: [lines[0].replace(b"1", b"9"), *lines[1:]], "a dump of format 9"),
        (
            lambda lines: [lines[0], lines[1].replace(b'"enabled":true', b'"enabled":5')],
            "line 2: enabled is no bool",
        ),
    ],
)
@in_a_file
def test_broken_dump_is_named_and_nothing_is_written(
    site: Directory, tmp_path: Path, change: "object", text: str
) -> None:
    assert callable(change)
    with Directory.open(tmp_path / "other.db") as other:
        with pytest.raises(LoadError, match=text):
            load(other, change(list(dump(site))))
        assert other.accounts.list() == []
        assert other.trail() == []


LOAD = """
import sys
from maysend.directory import Directory
from maysend.directory.dump import load
with Directory.open(sys.argv[1]) as directory:
    def lines():
        for number, line in enumerate(open(sys.argv[2], "rb")):
            if number == 700:
                print("in the middle", flush=True)
                sys.stdin.read()
            yield line
    load(directory, lines(), replace=True)
"""

IMPORT = """
import sys
from pathlib import Path
from maysend.directory import Directory, accounts
from maysend.importers.docker_mailserver import read_folder, synchronise
add = accounts.Accounts.add
def slow(self, login, *arguments, **options):
    if login.startswith("n50"):
        print("in the middle", flush=True)
        sys.stdin.read()
    return add(self, login, *arguments, **options)
accounts.Accounts.add = slow
with Directory.open(sys.argv[1]) as directory:
    synchronise(directory, read_folder(Path(sys.argv[2])))
"""


@pytest.mark.parametrize("code", [LOAD, IMPORT], ids=["load", "import"])
def test_kill_in_the_middle_leaves_the_old_state_whole(
    site: Directory, store: str, tmp_path: Path, code: str
) -> None:
    before = list(dump(site))
    if code is LOAD:
        source = tmp_path / "dump"
        with Directory.open(tmp_path / "big.db") as big, big.together():
            for number in range(1000):
                big.accounts.add(f"u{number}@example.com")
        with Directory.open(tmp_path / "big.db") as big:
            source.write_bytes(b"".join(dump(big)))
    else:
        source = tmp_path / "folder"
        source.mkdir()
        accounts = "".join(f"n{n}@example.com|{{PLAIN}}x\n" for n in range(100))
        (source / "postfix-accounts.cf").write_text(accounts)
    process = subprocess.Popen(
        [sys.executable, "-c", code, store, str(source)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"in the middle\n"
    os.kill(process.pid, signal.SIGKILL)
    process.wait(30)
    process.stdout.close()
    _wait_until_free(site)
    assert [line for line in dump(site) if b'"audit"' not in line and b'"end"' not in line] == [
        line for line in before if b'"audit"' not in line and b'"end"' not in line
    ]
    if code is IMPORT:
        synchronise(site, read_folder(source))
        assert site.accounts.count() == 102


def _wait_until_free(directory: Directory) -> None:
    """Until the database noticed that the killed process is gone."""
    began = time.monotonic()
    directory.accounts.update(BOB, name="Bøb")
    assert time.monotonic() - began < 20


def test_commands(tmp_path: Path) -> None:
    options = ["--directory", str(tmp_path / "d.db")]
    run = CliRunner().invoke
    run(main, ["account", "add", BOB, "--no-password", *options])
    backup = tmp_path / "backup.jsonl"
    assert run(main, ["directory", "dump", "--output", str(backup), *options]).exit_code == 0
    assert backup.stat().st_mode & 0o077 == 0
    assert run(main, ["directory", "dump", *options]).stdout_bytes == backup.read_bytes()
    other = ["--directory", str(tmp_path / "other.db")]
    assert run(main, ["directory", "load", str(backup), *other]).stdout == "loaded 2 rows\n"
    refused = run(main, ["directory", "load", str(backup), *other])
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "add --yes" in run(main, ["directory", "load", str(backup), "--replace", *other]).stderr
    done = run(main, ["directory", "load", str(backup), "--replace", "--yes", *other])
    assert done.stdout == "loaded 2 rows\n"
