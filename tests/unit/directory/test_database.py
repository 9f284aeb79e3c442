"""The file behind a directory: made, migrated, written by several at once, and never half."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from maysend.directory import (
    Directory,
    DirectoryError,
    DirectoryUnavailable,
    migrating,
    opening,
    schema,
    sqlite_database,
)

BOB = "bob@example.com"


def run(code: str, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def version_of(path: Path) -> int:
    with sqlite3.connect(path) as connection:
        number: int = connection.execute("SELECT number FROM version").fetchone()[0]
    return number


@pytest.mark.parametrize("form", ["sqlite:///{}", "{}"])
def test_directory_is_created_for_its_owner_only(tmp_path: Path, form: str) -> None:
    path = tmp_path / "100% of?it#.db"
    with Directory.open(form.format(path)) as made:
        made.accounts.add(BOB)
    with Directory.open(path, create=False) as opened:
        assert [account.login for account in opened.accounts.list()] == [BOB]
        for file in tmp_path.iterdir():
            assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("mysql://me:secret@db/x", "a directory at 'mysql:…' is not supported, expected sqlite"),
        ("postgresql://me:se%zzcret@db/x", "can't be read, expected postgresql://USER@HOST/DATA"),
        ("postgresql://me:secret@127.0.0.1:1/x", "postgresql database x at 127.0.0.1: connection"),
        ("sqlite://", "a directory at 'sqlite:…' is not supported, expected sqlite:///FILE"),
        ("sqlite:///", "no file is named, expected sqlite:///FILE, a file name or postgresql://"),
        ("", "no file is named"),
        ("/nonexistent/d.db", "can't create /nonexistent/d.db: No such file or directory"),
        ("/tmp", "unable to open database file"),
    ],
)
def test_url_that_cannot_be_opened_says_why(url: str, text: str) -> None:
    with pytest.raises(DirectoryError) as error:
        Directory.open(url)
    assert text in str(error.value)
    assert "secret" not in str(error.value)


def test_missing_file_is_not_made_where_that_was_not_asked(tmp_path: Path) -> None:
    with pytest.raises(DirectoryError, match=r"there is no directory at .*d\.db"):
        Directory.open(tmp_path / "d.db", create=False)
    assert list(tmp_path.iterdir()) == []


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE shopping (item TEXT)")
    text = tmp_path / "text"
    text.write_text("Dear diary, " * 1000)
    for path, message in ((other, "not a maysend directory"), (text, "file is not a database")):
        before = path.read_bytes()
        with pytest.raises(DirectoryError, match=message):
            Directory.open(path)
        assert path.read_bytes() == before


def test_newer_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "d.db"
    Directory.open(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DirectoryError, match="written by a newer maysend"):
        Directory.open(path)


def test_migrations_make_the_schema_and_the_last_is_known(store: str) -> None:
    config = Config()
    migrations = Path(migrating.__file__).parent / "migrations"
    config.set_main_option("script_location", str(migrations))
    assert ScriptDirectory.from_config(config).get_current_head() == migrating.NEWEST_SCHEMA
    opened = opening.open_database(store, create=True)
    with opened.reading() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, schema.metadata) == []
    opened.close()


def test_every_write_raises_the_version_and_a_refused_one_does_not(tmp_path: Path) -> None:
    path = tmp_path / "d.db"
    with Directory.open(path) as opened:
        first = version_of(path)
        opened.accounts.add(BOB)
        opened.accounts.suspend(BOB, "x")
        assert version_of(path) == first + 2
        with pytest.raises(DirectoryError):
            opened.accounts.add(BOB)
        with pytest.raises(DirectoryError):
            opened.aliases.add("a@example.com", [BOB, "nobody"])
        assert version_of(path) == first + 2
        assert opened.aliases.list() == []


ADD_MANY = """
import sys
from maysend.directory import Directory
with Directory.open(sys.argv[1]) as d:
    for i in range(40):
        d.accounts.add(f"{sys.argv[2]}{i}@example.com")
        d.aliases.add("all@example.com", [f"{sys.argv[2]}{i}@example.com"])
"""


def test_two_processes_create_and_write_at_once(tmp_path: Path) -> None:
    path = tmp_path / "d.db"
    writers = [run(ADD_MANY, str(path), name) for name in ("a", "b")]
    for writer in writers:
        _, errors = writer.communicate(timeout=60)
        assert (writer.returncode, errors) == (0, "")
    with Directory.open(path) as opened:
        assert len(opened.accounts.list()) == 80
        assert len(opened.owners("all@example.com").logins) == 80
    assert version_of(path) == 1 + 160


DIE_INSIDE = """
import os, signal, sys
from maysend.directory import Directory, removal
d = Directory.open(sys.argv[1])
def die(*arguments):
    os.kill(os.getpid(), signal.SIGKILL)
removal.record = die
d.accounts.remove("bob@example.com")
"""


def test_kill_in_the_middle_of_a_write_leaves_the_old_state_whole(tmp_path: Path) -> None:
    path = tmp_path / "d.db"
    with Directory.open(path) as opened:
        opened.accounts.add(BOB)
        opened.aliases.add("sales@example.com", [BOB])
        opened.grants.add(BOB, "everything")
    before = version_of(path)
    killed = run(DIE_INSIDE, str(path))
    killed.communicate(timeout=60)
    assert killed.returncode == -signal.SIGKILL
    with Directory.open(path) as opened:
        assert opened.owners("sales@example.com").logins == (BOB,)
        assert opened.owners("x@world.example").logins == (BOB,)
        assert version_of(path) == before
        assert len(opened.accounts.remove(BOB).aliases) == 1


def test_kill_at_any_moment_leaves_a_directory_that_opens(tmp_path: Path) -> None:
    path = tmp_path / "d.db"
    for delay in (0.25, 0.35, 0.45, 0.6):
        killed = run(ADD_MANY, str(path), f"k{delay}x")
        time.sleep(delay)
        os.kill(killed.pid, signal.SIGKILL)
        killed.communicate(timeout=60)
        with Directory.open(path) as opened:
            accounts = {account.login for account in opened.accounts.list()}
            leads_to = {row.target for row in opened.aliases.list()}
            assert leads_to <= accounts
            assert version_of(path) == 1 + len(accounts) + len(leads_to)


def test_reader_does_not_wait_for_a_writer(tmp_path: Path) -> None:
    path = tmp_path / "d.db"
    with Directory.open(path) as opened:
        opened.accounts.add(BOB)
        with sqlite3.connect(path, isolation_level=None) as writer:
            writer.execute("BEGIN IMMEDIATE")
            writer.execute("DELETE FROM accounts")
            began = time.monotonic()
            assert opened.owners(BOB).logins == (BOB,)
            assert time.monotonic() - began < 1
            writer.execute("ROLLBACK")


def test_locked_database_is_unavailable_not_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "d.db"
    monkeypatch.setattr(sqlite_database, "BUSY_SECONDS", 0.1)
    with Directory.open(path) as opened, sqlite3.connect(path, isolation_level=None) as writer:
        writer.execute("BEGIN IMMEDIATE")
        with pytest.raises(DirectoryUnavailable, match="database is locked") as error:
            opened.accounts.add(BOB, password_hash="{PLAIN}secret")
        assert "secret" not in str(error.value)
        assert error.value.__cause__ is None
        writer.execute("ROLLBACK")


def test_import_maysend_brings_no_database_library() -> None:
    code = (
        "import sys, maysend, maysend.cli.main, maysend.cli.account, maysend.cli.alias,"
        " maysend.cli.grant; print(*(m for m in ('sqlalchemy', 'alembic', 'argon2', 'idna')"
        " if m in sys.modules))"
    )
    assert run(code).communicate(timeout=60) == ("\n", "")


def rewind_to_first_release(store: str) -> str:
    """What the first release left behind: its schema, with data in it. Returns the URL."""
    opened = opening.open_database(store, create=True)
    with opened.writing_schema() as connection:
        for name in ("posters", "lists", "suspensions", "grants", "aliases", "accounts", "domains",
                     "audit", "version", "alembic_version"):  # fmt: skip
            connection.exec_driver_sql(f"DROP TABLE {name}")
        migrating.run_migrations(connection, "0001")
        for statement in FIRST_RELEASE:
            connection.exec_driver_sql(statement)
    opened.close()
    return store


FIRST_RELEASE = (
    "INSERT INTO accounts (id, login, domain, password_hash, name, enabled, suspended_reason,"
    " suspended_by, suspended_at, scope, created)"
    " VALUES (1, 'bob@example.com', 'example.com', '{PLAIN}pw', 'Bob', true, NULL, NULL, NULL,"
    " '', 5), (2, 'eve@example.com', 'example.com', NULL, '', true, 'spam', 'root', 7, '', 6)",
    "INSERT INTO aliases (address, target, send, receive, created)"
    " VALUES ('sales@example.com', 'bob@example.com', true, false, 8)",
    "INSERT INTO grants (account_id, address, kind, note, expires, given_by, created)"
    " VALUES (1, '@example.com', 'as', 'why', NULL, 'root', 9)",
    "INSERT INTO domains VALUES ('a.example', true, 1), ('b.example', false, 2)",
    "INSERT INTO audit (at, who, action, subject, detail)"
    " VALUES (7, 'root', 'account suspend', 'eve@example.com', 'spam')",
)


def test_first_releases_directory_is_migrated_with_its_data(store: str) -> None:
    with Directory.open(rewind_to_first_release(store)) as opened:
        bob, eve = opened.accounts.list()
        assert (bob.login, bob.name, bob.created) == (BOB, "Bob", 5)
        assert (eve.suspended_reason, eve.suspended_until) == ("spam", None)
        assert opened.authenticate(BOB, "pw") == BOB
        assert opened.owners("anybody@example.com").logins == (BOB,)
        assert opened.owners("sales@example.com").logins == (BOB,)
        assert not opened.aliases.list()[0].receive
        assert [(each.domain, each.kind) for each in opened.domains.list()] == [
            ("a.example", "managed"),
            ("b.example", "send-only"),
            ("example.com", "managed"),
        ]
        assert [(entry.subject, entry.source) for entry in opened.trail()] == [
            ("eve@example.com", "")
        ]
        opened.lists.add("all@example.com")
    with Directory.open(store, create=False) as again:
        assert [each.address for each in again.lists.list()] == ["all@example.com"]
