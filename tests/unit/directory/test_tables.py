"""`directory:` lookup tables, and what their cache may remember (S2.1, S2.5, S2.9, S2.13)."""

import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from maysend.directory import Directory, DirectoryUnavailable
from maysend.directory.answer_cache import Answer, AnswerCache
from maysend.directory.freshness import CHECK_INTERVAL, PATIENCE, VersionWatch
from maysend.directory.tables import FINDERS
from maysend.policy import Policy, Request, WouldWait
from maysend.tables.table import TableContext, TableError
from tests.unit.directory.conftest import Clock, open_directory_table
from tests.unit.directory.stores import in_a_file

BOB, ALICE, ADMIN = "bob@example.com", "alice@example.com", "admin@example.com"


@pytest.fixture
def people(directory: Directory) -> Directory:
    for login in (BOB, ALICE, ADMIN):
        directory.accounts.add(login)
    directory.aliases.add("sales@example.com", [BOB, ALICE, "out@side.example"])
    directory.aliases.add("@example.com", [ALICE])
    directory.grants.add(ADMIN, "everything")
    directory.grants.add(BOB, "noreply@external.example")
    directory.aliases.add("news@external.example", [BOB], receive=False)
    return directory


def ask(directory: Directory, name: str, key: str) -> str | None:
    return open_directory_table(directory, name).lookup(key)


@pytest.mark.parametrize(
    ("name", "key", "answer"),
    [
        ("owners", "BOB+tag@Example.com", f"{ADMIN},{BOB}"),
        ("owners", "sales@example.com", f"{ADMIN},{ALICE},{BOB}"),
        ("owners", "x@gmail.com", ADMIN),
        ("owners", "noreply@external.example", f"{ADMIN},{BOB}"),
        ("owners", "", None),
        ("owners", "<>", None),
        ("local_owners", "BOB+tag@example.com", f"{ADMIN},{BOB}"),
        ("local_owners", "x@gmail.com", None),
        ("local_owners", "noreply@external.example", None),
        ("local_owners", "news@external.example", None),
        ("local_owners", "example.com", None),
        ("accounts", "Bob+x@EXAMPLE.com", BOB),
        ("accounts", "sales@example.com", None),
        ("accounts", "@example.com", None),
        ("aliases", "Sales+x@example.com", f"{BOB}, {ALICE}, out@side.example"),
        ("aliases", "whoever@example.com", ALICE),
        ("aliases", BOB, None),
        ("aliases", "news@external.example", None),
        ("domains", "EXAMPLE.com", "managed"),
        ("domains", "external.example", None),
        ("domains", "side.example", None),
        ("domains", "le.com", None),
        ("domains", "%", None),
        ("suspended", BOB, None),
        ("suspended", "nobody@example.com", None),
    ],
)
def test_answers(people: Directory, name: str, key: str, answer: str | None) -> None:
    """S2.8, S2.9: external addresses never make their domain ours."""
    assert ask(people, name, key) == answer


def test_domains_may_be_registered_or_excluded(people: Directory, clock: Clock) -> None:
    """S2.9."""
    people.domains.add("Example.com", "send-only")
    people.domains.add("side.example")
    assert ask(people, "domains", "example.com") is None
    assert ask(people, "local_owners", BOB) is None
    assert ask(people, "domains", "side.example") == "managed"


def test_suspended_gives_the_reason_by_any_spelling_of_the_login(people: Directory) -> None:
    """S2.13: suspension holds for the login; the null sender of a disabled one included."""
    people.aliases.add("robert@example.com", [BOB])
    people.accounts.suspend(BOB, "Call 123.")
    people.accounts.disable(ALICE)
    for login in (BOB, "BOB@EXAMPLE.com", "Robert@example.com"):
        assert ask(people, "suspended", login) == "REJECT Call 123."
    assert ask(people, "suspended", ALICE) == "REJECT This account is disabled"
    assert ask(people, "suspended", ADMIN) is None


def test_unknown_name_lists_those_that_exist(directory: Directory) -> None:
    with pytest.raises(
        TableError, match="expected one of owners, local_owners, on_behalf"
    ) as error:
        open_directory_table(directory, "owner")
    assert error.value.kind == "config"
    table = directory.table_types()["directory"]("owners", TableContext())
    assert (table.spec, table.pattern) == ("directory:owners", True)


def test_delimiter_is_main_cfs(people: Directory) -> None:
    """S2.5."""
    assert open_directory_table(people, "accounts", "").lookup("bob+x@example.com") is None
    assert open_directory_table(people, "accounts", "-").lookup("bob-x@example.com") == BOB


@in_a_file
def test_change_by_another_process_is_seen_within_the_check_interval(
    people: Directory, clock: Clock, tmp_path: Path
) -> None:
    """S2.13."""
    table = open_directory_table(people, "owners")
    assert table.lookup(BOB) == f"{ADMIN},{BOB}"
    with Directory.open(tmp_path / "d.db", now=clock) as other:
        other.accounts.suspend(BOB, "spam")
    assert table.lookup(BOB) == f"{ADMIN},{BOB}"
    clock.pass_seconds(CHECK_INTERVAL)
    assert table.lookup(BOB) == ADMIN


@in_a_file
def test_nothing_is_asked_twice_while_the_version_stands(
    people: Directory, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = open_directory_table(people, "owners")
    table.lookup(BOB)

    def fail(self: object) -> None:
        raise AssertionError("the database was asked")

    monkeypatch.setattr("maysend.directory.database.Database.reading", fail)
    assert table.lookup(BOB) == f"{ADMIN},{BOB}"
    with pytest.raises(AssertionError):
        table.lookup(ALICE)


@in_a_file
def test_kept_answer_ends_with_its_grant(people: Directory, clock: Clock) -> None:
    people.grants.add(ALICE, BOB, expires=int(clock()) + 1)
    table = open_directory_table(people, "owners")
    assert table.lookup(BOB) == f"{ADMIN},{ALICE},{BOB}"
    clock.pass_seconds(1)
    assert table.lookup(BOB) == f"{ADMIN},{BOB}"


@in_a_file
def test_after_a_second_without_a_version_nothing_is_known(
    people: Directory, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table that fails is a 4xx, never a permit, and never "not found"."""
    table = open_directory_table(people, "owners")
    assert table.lookup(BOB) == f"{ADMIN},{BOB}"

    def broken(self: object) -> None:
        raise DirectoryUnavailable("the wire is cut")

    with monkeypatch.context() as cut:
        cut.setattr("maysend.directory.database.Database.reading", broken)
        clock.pass_seconds(PATIENCE)
        assert table.lookup(BOB) == f"{ADMIN},{BOB}"
        with pytest.raises(TableError, match="the wire is cut") as error:
            table.lookup("never@asked.example")
        assert error.value.kind == "retry"
        clock.pass_seconds(0.01)
        with pytest.raises(TableError, match="the wire is cut"):
            table.lookup(BOB)
    clock.pass_seconds(CHECK_INTERVAL)
    assert table.lookup(BOB) == f"{ADMIN},{BOB}"


@in_a_file
def test_file_that_goes_away_is_a_failure_and_a_new_one_is_noticed(
    people: Directory, clock: Clock, tmp_path: Path
) -> None:
    table = open_directory_table(people, "owners")
    assert table.lookup(BOB) == f"{ADMIN},{BOB}"
    with Directory.open(tmp_path / "new.db") as other:
        other.accounts.add(ALICE)
    os.rename(tmp_path / "d.db", tmp_path / "old.db")
    for suffix in ("-wal", "-shm"):
        (tmp_path / f"d.db{suffix}").unlink(missing_ok=True)
    clock.pass_seconds(PATIENCE + 0.1)
    with pytest.raises(TableError, match="is gone"):
        table.lookup(BOB)
    assert not (tmp_path / "d.db").exists()
    os.rename(tmp_path / "new.db", tmp_path / "d.db")
    clock.pass_seconds(CHECK_INTERVAL)
    assert table.lookup(BOB) is None
    assert table.lookup(ALICE) == ALICE


@in_a_file
def test_file_that_is_overwritten_with_junk_is_a_failure(
    people: Directory, clock: Clock, tmp_path: Path
) -> None:
    table = open_directory_table(people, "owners")
    table.lookup(BOB)
    junk = tmp_path / "junk"
    junk.write_bytes(b"not a database at all" * 1000)
    for suffix in ("-wal", "-shm"):  # from these SQLite would mend the file
        (tmp_path / f"d.db{suffix}").unlink(missing_ok=True)
    shutil.move(junk, tmp_path / "d.db")
    clock.pass_seconds(PATIENCE + 0.1)
    with pytest.raises(TableError) as error:
        table.lookup(BOB)
    assert error.value.kind == "retry"


def test_alias_that_leads_too_far_is_for_somebody_to_mend(directory: Directory) -> None:
    directory.aliases.add("a@example.com", [f"u{i}@example.com" for i in range(1001)])
    with pytest.raises(TableError, match="more than 1000 addresses") as error:
        ask(directory, "owners", "a@example.com")
    assert error.value.kind == "config"


@pytest.mark.parametrize(
    "key", ["\0", "a\0@example.com", "\udcff@example.com", "a@\udcff", "@", "@@"]
)
def test_no_key_breaks_a_table(people: Directory, key: str) -> None:
    for name in FINDERS:
        ask(people, name, key)


def test_cache_is_bounded_and_what_is_asked_for_stays() -> None:
    cache = AnswerCache(most=4)
    state = (0, 0, 1)
    for number in range(10):
        cache.put(str(number), Answer(f"answer {number}", state, None))
        assert cache.lookup("0", state, lambda: 0.0) == "answer 0"
        assert len(cache) <= 4
    assert cache.lookup("9", state, lambda: 0.0) == "answer 9"
    for forgotten, now in (("1", state), ("9", (0, 0, 2)), ("9", state)):
        with pytest.raises(KeyError):
            cache.lookup(forgotten, now, lambda: 0.0)


def test_cache_keeps_an_answer_until_it_runs_out() -> None:
    cache = AnswerCache()
    state = (0, 0, 1)
    cache.put("key", Answer(None, state, until=5.0))
    assert cache.lookup("key", state, lambda: 4.9) is None
    with pytest.raises(KeyError):
        cache.lookup("key", state, lambda: 5.0)


def test_thread_that_knows_nothing_waits_for_the_one_that_reads() -> None:
    reading, go_on = threading.Event(), threading.Event()

    def read() -> tuple[int, int, int]:
        reading.set()
        go_on.wait(10)
        return (0, 0, 7)

    watch = VersionWatch(read, lambda: 0.0)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(watch.state)
        reading.wait(10)
        second = pool.submit(watch.state)
        go_on.set()
        assert first.result(10) == second.result(10) == (0, 0, 7)


def test_thread_that_knows_goes_on_while_another_reads() -> None:
    clock = Clock()
    reading, go_on = threading.Event(), threading.Event()
    states = iter([(0, 0, 1), (0, 0, 2)])

    def read() -> tuple[int, int, int]:
        state = next(states)
        if state[2] == 2:
            reading.set()
            go_on.wait(10)
        return state

    watch = VersionWatch(read, clock)
    assert watch.state() == (0, 0, 1)
    clock.pass_seconds(CHECK_INTERVAL)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(watch.state)
        reading.wait(10)
        assert watch.state() == (0, 0, 1)
        go_on.set()
        assert slow.result(10) == (0, 0, 2)


def test_only_a_remembered_answer_of_another_host_is_had_without_waiting(
    directory: Directory, store: str
) -> None:
    """So that a worker's loop never stands still for a database."""
    directory.accounts.add("bob@example.com")
    policy = Policy.builtin(directory.table_types())
    request = Request(
        sasl_username="bob@example.com",
        sasl_method="PLAIN",
        sender="bob@example.com",
        recipient="x@example.net",
    )
    if store.startswith("postgresql"):
        with pytest.raises(WouldWait):
            policy.decide(request, may_wait=False)
    assert policy.decide(request).is_permitted
    assert policy.decide(request, may_wait=False).is_permitted
