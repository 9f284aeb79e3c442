"""Tables and lists follow their files: within two seconds, whole versions only.

S2.14: changes are picked up within 2 seconds.
"""

import os
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from maysend.tables import LookupTable, TableContext, TableError, open_table
from maysend.tables.match_list import MatchList

WITHIN = 2.0  # seconds
PAUSE = 1.3  # seconds; long enough that the files are looked at again at the next lookup


class Opened:
    """A table with the warnings that it gave."""

    def __init__(self, spec: str) -> None:
        self.warnings: list[str] = []
        self.table: LookupTable = open_table(spec, TableContext(warn=self.warnings.append))

    def answer(self, key: str) -> str | None:
        try:
            return self.table.lookup(key)
        except TableError:
            return "failed"

    def becomes(self, key: str, wanted: str | None) -> bool:
        """Ask all the time until the answer is `wanted`."""
        return _soon(lambda: self.answer(key) == wanted)


def _soon(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + WITHIN
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.005)
    return False


def _replace(path: Path, text: str) -> None:
    """As editors do it."""
    new = path.with_name("new")
    new.write_text(text)
    new.rename(path)


FIRST_AND_SECOND = [
    pytest.param("texthash", "a one\n", "a two\n", id="texthash"),
    pytest.param("pcre", "/^a$/ one\n", "/^b$/ x\n/a/ two\n", id="pcre"),
    pytest.param("regexp", "/^a$/ one\n", "/^b$/ x\n/a/ two\n", id="regexp"),
]


@pytest.mark.parametrize(("kind", "first", "second"), FIRST_AND_SECOND)
@pytest.mark.parametrize("write", [Path.write_text, _replace], ids=["in place", "renamed"])
def test_a_text_table_that_changes_is_seen(
    kind: str, first: str, second: str, write: Callable[[Path, str], None], tmp_path: Path
) -> None:
    path = tmp_path / "table"
    path.write_text(first)
    opened = Opened(f"{kind}:{path}")
    assert opened.answer("a") == "one"
    write(path, second)
    assert opened.becomes("a", "two")
    write(path, first)
    assert opened.becomes("a", "one")
    assert opened.warnings == []


def test_a_cidr_table_that_changes_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "table"
    path.write_text("192.0.2.0/24 one\n")
    opened = Opened(f"cidr:{path}")
    assert opened.answer("192.0.2.1") == "one"
    path.write_text("192.0.2.0/25 two\n")
    assert opened.becomes("192.0.2.1", "two")
    assert opened.answer("192.0.2.200") is None


def test_after_a_pause_the_first_lookup_sees_the_change(tmp_path: Path) -> None:
    path = tmp_path / "table"
    rules = "".join(f"/user{number}@example\\.com/ {number}\n" for number in range(3000))
    path.write_text(f"{rules}/^a$/ one\n")
    opened = Opened(f"pcre:{path}")
    assert opened.answer("a") == "one"
    path.write_text(f"{rules}/^a$/ two\n")
    time.sleep(PAUSE)
    assert opened.answer("a") == "two"


@pytest.mark.parametrize(("kind", "first", "second"), FIRST_AND_SECOND)
def test_a_file_that_is_gone_or_forbidden_keeps_its_answers(
    kind: str, first: str, second: str, tmp_path: Path
) -> None:
    path = tmp_path / "table"
    path.write_text(first)
    opened = Opened(f"{kind}:{path}")
    path.unlink()
    time.sleep(PAUSE)
    for _ in range(3):
        assert opened.answer("a") == "one"
        time.sleep(0.6)
    assert len(opened.warnings) == 1, "told once"
    assert "No such file or directory; the version before is still used" in opened.warnings[0]
    path.write_text(second)
    assert opened.becomes("a", "two")
    path.unlink()
    path.mkdir()  # unreadable for root, too
    time.sleep(PAUSE)
    assert opened.answer("a") == "two"
    assert "Is a directory" in opened.warnings[-1]


@pytest.fixture
def common_directory() -> Iterator[Path]:
    """A directory that is used as a user who may not read everything."""
    root, nobody = os.geteuid(), 65534
    with tempfile.TemporaryDirectory() as name:
        if root == 0:
            os.chown(name, nobody, nobody)
            os.seteuid(nobody)
        yield Path(name)
        os.seteuid(root)


def test_a_file_without_read_permission_keeps_its_answers(common_directory: Path) -> None:
    path = common_directory / "table"
    path.write_text("a one\n")
    opened = Opened(f"texthash:{path}")
    path.chmod(0)
    time.sleep(PAUSE)
    assert opened.answer("a") == "one"
    assert "Permission denied" in opened.warnings[-1]
    path.chmod(0o600)
    assert opened.becomes("a", "one")


def test_a_broken_version_keeps_the_one_before_and_is_told_once(tmp_path: Path) -> None:
    path = tmp_path / "table"
    path.write_text("a one\n")
    opened = Opened(f"texthash:{path}")
    path.write_text("a two\na three\n")  # a repeated key: smtpd would not use it
    time.sleep(PAUSE)
    for _ in range(3):
        assert opened.answer("a") == "one"
        time.sleep(0.6)
    assert len(opened.warnings) == 1
    assert f'{path}, line 2: duplicate entry: "a"' in opened.warnings[0]
    path.write_text("a four\n")
    assert opened.becomes("a", "four")


def test_a_table_that_could_not_be_opened_heals(tmp_path: Path) -> None:
    path = tmp_path / "table"
    opened = Opened(f"texthash:{path}")
    union = Opened(f"unionmap:{{texthash:{path}, inline:{{a=x}}}}")
    assert opened.answer("a") == union.answer("a") == "failed"
    assert opened.table.pattern
    assert union.table.pattern
    path.write_text("a one\n")
    assert opened.becomes("a", "one")
    assert union.becomes("a", "one,x")
    assert _soon(lambda: not opened.table.pattern)
    assert _soon(lambda: not union.table.pattern)
    assert len(opened.warnings) == 1


def test_no_lookup_sees_half_a_version(tmp_path: Path) -> None:
    """A writer that truncates and writes in pieces, while lookups go on."""
    path = tmp_path / "table"
    lines = [f"key{number} %s\n" for number in range(2000)]
    path.write_text("".join(lines) % (("one",) * 2000))
    opened = Opened(f"texthash:{path}")
    done = Event()

    def write() -> None:
        with path.open("w") as file:
            for line in lines:
                file.write(line % "two")
                if line.startswith("key1000 "):
                    file.flush()
                    time.sleep(0.2)
        done.set()

    writer = Thread(target=write)
    writer.start()
    seen = set()
    while not done.is_set() or seen != {("two", "two")}:
        seen = {(opened.answer("key1"), opened.answer("key1999"))}
        assert seen <= {("one", "one"), ("two", "two"), ("one", "two")}
        time.sleep(0.001)
    writer.join()


def test_threads_that_ask_meanwhile_get_whole_answers(tmp_path: Path) -> None:
    path = tmp_path / "table"
    path.write_text("a 0\nb 0\n")
    opened = Opened(f"unionmap:{{texthash:{path}}}")
    stop = Event()
    wrong: list[object] = []

    def ask() -> None:
        last = 0
        while not stop.is_set():
            answer = opened.answer("a")
            if answer is None or not answer.isdigit() or int(answer) < last:
                wrong.append(answer)
                return
            last = int(answer)

    threads = [Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(1, 5):
        _replace(path, f"a {number}\n")
        assert opened.becomes("a", str(number))
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.fixture
def postmap(tmp_path: Path) -> Callable[[str, str], None]:
    """Build `kind:FILE` with postmap."""
    (tmp_path / "main.cf").write_text("compatibility_level = 3.6\n")

    def build(spec: str, text: str) -> None:
        Path(spec.partition(":")[2]).write_text(text)
        subprocess.run(["postmap", "-c", str(tmp_path), spec], check=True)

    return build


@pytest.mark.needs_postfix
@pytest.mark.parametrize("kind", ["hash", "btree", "lmdb", "cdb"])
def test_a_rebuilt_or_replaced_database_is_seen(
    kind: str, postmap: Callable[[str, str], None], tmp_path: Path
) -> None:
    suffix = {"lmdb": ".lmdb", "cdb": ".cdb"}.get(kind, ".db")
    file = tmp_path / f"table{suffix}"
    postmap(f"{kind}:{tmp_path}/table", "a one\n")
    opened = Opened(f"{kind}:{tmp_path}/table")
    assert opened.answer("A") == "one"
    postmap(f"{kind}:{tmp_path}/table", "a two\n")
    assert opened.becomes("a", "two")
    postmap(f"{kind}:{tmp_path}/other", "a three\n")
    (tmp_path / f"other{suffix}").rename(file)
    assert opened.becomes("a", "three")
    broken = tmp_path / "broken"
    broken.write_bytes(b"x")
    broken.rename(file)
    time.sleep(PAUSE)
    assert opened.answer("a") == "three"
    assert "the version before is still used" in opened.warnings[-1]
    file.unlink()
    assert opened.answer("a") == "three"
    postmap(f"{kind}:{tmp_path}/table", "a four\n")
    assert opened.becomes("a", "four")


def test_sqlite_follows_its_database_and_its_file(tmp_path: Path) -> None:
    def database(name: str, value: str) -> None:
        with sqlite3.connect(tmp_path / name) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS t (a, b)")
            connection.execute("DELETE FROM t")
            connection.execute("INSERT INTO t VALUES ('a', ?)", (value,))
        connection.close()

    database("one.db", "one")
    path = tmp_path / "table.cf"
    query = "query = SELECT b FROM t WHERE a = '%s'\n"
    path.write_text(f"dbpath = {tmp_path}/one.db\n{query}")
    opened = Opened(f"proxy:sqlite:{path}")
    assert opened.answer("a") == "one"
    database("one.db", "two")
    assert opened.answer("a") == "two"
    database("new.db", "three")
    (tmp_path / "new.db").rename(tmp_path / "one.db")
    assert opened.becomes("a", "three")
    path.write_text(f"dbpath = {tmp_path}/one.db\n{query}result_format = <%s>\n")
    assert opened.becomes("a", "<three>")
    path.write_text(f"dbpath = {tmp_path}/one.db\nquery = SELECT %x\n")
    time.sleep(PAUSE)
    assert opened.answer("a") == "<three>"
    assert "%x: expected one of" in opened.warnings[-1]


def test_a_domain_file_of_a_database_table_is_followed(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "one.db") as connection:
        connection.execute("CREATE TABLE t (a, b)")
        connection.execute("INSERT INTO t VALUES ('u@a.example', 'found')")
    connection.close()
    path, domains = tmp_path / "table.cf", tmp_path / "domains"
    domains.write_text("b.example\n")
    path.write_text(
        f"dbpath = {tmp_path}/one.db\nquery = SELECT b FROM t WHERE a = '%s'\ndomain = {domains}\n"
    )
    opened = Opened(f"sqlite:{path}")
    assert opened.answer("u@a.example") is None
    domains.write_text("a.example\n")
    assert opened.becomes("u@a.example", "found")


def test_a_file_in_a_match_list_is_followed(tmp_path: Path) -> None:
    warnings: list[str] = []
    path = tmp_path / "domains"
    path.write_text("a.example\n")
    listed = MatchList(
        "relay_domains",
        f"{path} c.example",
        lambda spec: open_table(spec, TableContext()),
        warn=warnings.append,
    )

    def has(name: str) -> bool:
        return listed.match_name(name, lambda table, key: table.lookup(key)) is not None

    assert (has("a.example"), has("b.example"), has("c.example")) == (True, False, True)
    path.write_text("b.example\n")
    assert _soon(lambda: has("b.example"))
    assert not has("a.example")
    path.unlink()
    time.sleep(PAUSE)
    assert has("b.example")
    assert len(warnings) == 1
    assert "No such file or directory; the version before is still used" in warnings[0]
