"""hash, btree and lmdb files made by the real postmap: read, damaged, rewritten, locked."""

import mmap
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from threading import Thread

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maysend.tables import TableContext, TableError, open_table
from maysend.tables.berkeley_hash import hash_key

pytestmark = pytest.mark.needs_postfix

KINDS = ("hash", "btree", "lmdb")
ENTRIES = {f"user{number}@example.com": f"login{number}" for number in range(1500)}
BIG = {"big": "v" * 30000, "huge": "w" * 200_000}
LONG_KEYS = {"k" * 9000: "long", "l" * 1100: "less long"}  # LMDB takes no key over 511 bytes

Build = Callable[..., Path]


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Make a table with postmap; its source is removed."""
    directory = tmp_path_factory.mktemp("postmap")
    (directory / "main.cf").write_text("compatibility_level = 3.6\n")

    def make(kind: str, entries: dict[str, str], *options: str, path: Path | None = None) -> Path:
        path = path or directory / f"table{time.monotonic_ns()}"
        path.write_text("".join(f"{key} {value}\n" for key, value in entries.items()))
        command = ["postmap", "-c", str(directory), *options, f"{kind}:{path}"]
        subprocess.run(command, check=True, capture_output=True)
        path.unlink()
        return path

    return make


def _made(kind: str, path: Path) -> Path:
    return path.with_name(path.name + (".lmdb" if kind == "lmdb" else ".db"))


def _entries(kind: str) -> dict[str, str]:
    return ENTRIES | BIG | ({} if kind == "lmdb" else LONG_KEYS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("options", [(), ("-N",), ("-n",)], ids=str)
def test_every_entry_is_found_with_and_without_nul(
    kind: str, options: tuple[str, ...], build: Build
) -> None:
    entries = _entries(kind)
    table = open_table(f"{kind}:{build(kind, entries, *options)}", TableContext())
    assert {key: table.lookup(key) for key in entries} == entries
    assert table.lookup("USER7@Example.COM") == "login7"
    assert table.lookup("nobody@example.com") is None
    assert table.lookup("x" * 6000) is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [0, 1, 2, 13, 14, 63, 64, 65, 300])
def test_files_of_every_size(kind: str, count: int, build: Build) -> None:
    entries = dict(list(ENTRIES.items())[:count])
    table = open_table(f"{kind}:{build(kind, entries)}", TableContext())
    assert {key: table.lookup(key) for key in ENTRIES} == {key: entries.get(key) for key in ENTRIES}


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_that_postmap_rewrites_in_place_is_seen_as_it_is_now(
    kind: str, build: Build
) -> None:
    path = build(kind, ENTRIES)
    table = open_table(f"{kind}:{path}", TableContext())
    assert table.lookup("user1@example.com") == "login1"
    build(kind, {"user1@example.com": "changed"}, path=path)
    assert table.lookup("user1@example.com") == "changed"
    assert table.lookup("user2@example.com") is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("options", [(), ("-N",), ("-n",)], ids=str)
def test_a_table_that_is_kept_in_memory_answers_as_its_file_does(
    kind: str, options: tuple[str, ...], build: Build
) -> None:
    # Of hash pages with keys kept elsewhere only the search itself knows what it finds.
    entries = ENTRIES | BIG if kind == "hash" else _entries(kind)
    path = build(kind, entries, *options)
    table = open_table(f"{kind}:{path}", TableContext())
    time.sleep(0.2)  # a file that has just changed is not kept
    for _ in range(200):
        assert table.lookup("user1@example.com") == "login1"
    inside = table.table.table  # type: ignore[attr-defined]
    assert inside.kept[1]
    searched = inside._searched
    assert {key: table.lookup(key) for key in entries} == entries
    for key in ("nobody", "user1@example.com\0", "user1@example.com\0\0", "\0", "x" * 600):
        assert table.lookup(key) == searched(key)
    if kind == "lmdb":
        with pytest.raises(TableError):
            table.lookup("")
    else:
        assert table.lookup("") is None
    build(kind, {"user1@example.com": "changed"}, path=path)
    assert table.lookup("user1@example.com") == "changed"
    assert table.lookup("user2@example.com") is None
    os.truncate(_made(kind, path), 100)
    with pytest.raises(TableError):
        table.lookup("user1@example.com")


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_through_a_mapping_is_seen_within_two_seconds(
    kind: str, build: Build
) -> None:
    path = build(kind, {"user": "before"})
    table = open_table(f"{kind}:{path}", TableContext())
    assert {table.lookup("user") for _ in range(200)} == {"before"}
    time.sleep(0.02)  # a tick of the clock by which the kernel dates changes
    with _made(kind, path).open("r+b") as file, mmap.mmap(file.fileno(), 0) as mapped:
        place = mapped.rfind(b"before")
        mapped[place : place + 6] = b"AFTER!"
        mapped.flush()
    deadline = time.monotonic() + 2
    while table.lookup("user") == "before" and time.monotonic() < deadline:
        time.sleep(0.05)
    assert table.lookup("user") == "AFTER!"


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_that_changes_all_the_time_is_not_kept(kind: str, build: Build) -> None:
    path = build(kind, ENTRIES)
    table = open_table(f"{kind}:{path}", TableContext())
    for number in range(3):
        build(kind, {"a": str(number)}, path=path)
        assert {table.lookup("a") for _ in range(150)} == {str(number)}


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_file_can_be_open_twice(kind: str, build: Build) -> None:
    path = build(kind, {"a": "b"})
    tables = [open_table(f"{kind}:{path}", TableContext()) for _ in range(3)]
    assert [table.lookup("a") for table in tables] == ["b", "b", "b"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_writer_that_keeps_its_lock_is_a_passing_error(kind: str, build: Build) -> None:
    path = build(kind, {"a": "b"})
    table = open_table(f"{kind}:{path}", TableContext())
    with _locked_by_another_process(_made(kind, path), "lockf" if kind == "lmdb" else "flock"):
        with pytest.raises(TableError, match="locked by its writer") as error:
            table.lookup("a")
        assert error.value.kind == "retry"
    assert table.lookup("a") == "b"


@contextmanager
def _locked_by_another_process(path: Path, function: str) -> Iterator[None]:
    program = (
        "import fcntl, sys\nfile = open(sys.argv[1], 'r+b')\n"
        f"fcntl.{function}(file, fcntl.LOCK_EX)\nprint(flush=True)\nsys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout
        child.stdout.readline()
        yield
        child.communicate()


@pytest.mark.parametrize("kind", KINDS)
def test_lookups_from_several_threads(kind: str, build: Build) -> None:
    table = open_table(f"{kind}:{build(kind, ENTRIES)}", TableContext())
    wrong: list[str] = []

    def ask() -> None:
        wrong.extend(key for key, value in ENTRIES.items() if table.lookup(key) != value)

    threads = [Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize(
    ("made_as", "read_as"), [("hash", "btree"), ("btree", "hash"), ("hash", "lmdb")]
)
def test_a_file_of_another_kind_is_refused(made_as: str, read_as: str, build: Build) -> None:
    path = build(made_as, {"a": "b"})
    if read_as == "lmdb":
        _made(made_as, path).rename(_made("lmdb", path))
    with pytest.raises(TableError, match=r"unexpected file type|not an LMDB file"):
        open_table(f"{read_as}:{path}", TableContext()).lookup("a")


@pytest.mark.parametrize("kind", KINDS)
def test_a_source_that_changed_since_is_noticed(kind: str, build: Build) -> None:
    path = build(kind, {"a": "b"})
    path.write_text("a c\n")
    os.utime(path, (time.time() + 100, time.time() + 100))
    warnings: list[str] = []
    open_table(f"{kind}:{path}", TableContext(warn=warnings.append))
    assert warnings == [f"database {_made(kind, path)} is older than source file {path}"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_truncated_file_is_an_error_and_not_an_empty_table(kind: str, build: Build) -> None:
    path = build(kind, _entries(kind))
    made = _made(kind, path)
    content = made.read_bytes()
    for size in (0, 10, 151, 511, 512, 4096, 8192, len(content) - 4096):
        made.write_bytes(content[:size])
        table = open_table(f"{kind}:{path}", TableContext())
        with pytest.raises(TableError):
            table.lookup("user7@example.com")


@pytest.fixture(scope="module")
def small(build: Build) -> dict[str, tuple[Path, bytes]]:
    """A file of each kind, with extra pages, and its content."""
    made = {}
    for kind in KINDS:
        path = build(kind, dict(list(_entries(kind).items())[:200]) | {"big": "v" * 9000})
        made[kind] = (path, _made(kind, path).read_bytes())
    return made


@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
@pytest.mark.parametrize("kind", KINDS)
def test_damaged_files_end_in_an_error_or_an_answer(
    kind: str, data: st.DataObject, small: dict[str, tuple[Path, bytes]]
) -> None:
    """Flipped bytes: no loop, no traceback, and nothing but TableError."""
    path, content = small[kind]
    damaged = bytearray(content)
    # Headers and item lists matter most: aim at the starts of pages half of the time.
    page = st.integers(0, len(content) // 4096 - 1).map(lambda number: number * 4096)
    near = st.tuples(page, st.integers(0, 160)).map(sum)
    place = st.one_of(near, st.integers(0, len(content) - 1))
    for offset, value in data.draw(
        st.lists(st.tuples(place, st.integers(0, 255)), min_size=1, max_size=12)
    ):
        damaged[offset] = value
    _made(kind, path).write_bytes(damaged)
    started = time.monotonic()
    table = open_table(f"{kind}:{path}", TableContext())
    for key in ("user7@example.com", "big", "nobody", "user199@example.com"):
        try:
            answer = table.lookup(key)
        except TableError:
            continue
        assert answer is None or len(answer) <= len(content)
    assert time.monotonic() - started < 2


def test_the_hash_function_is_the_one_whose_value_is_in_every_hash_file(build: Build) -> None:
    """Berkeley DB stores the hash of a fixed text, so that a reader can check its function."""
    content = _made("hash", build("hash", {"a": "b"})).read_bytes()
    assert hash_key(b"%$sniglet^&\0") == int.from_bytes(content[92:96], "little")


@pytest.mark.parametrize("seed", range(12))
def test_hash_pages_out_of_order_answer_as_postmap(seed: int, build: Build) -> None:
    """Found by random lookups: Berkeley DB loses entries beside very long keys; Postfix too."""
    random = Random(seed)
    keys = [
        "".join(random.choices("ab@", k=random.randint(1, 5)))
        + random.choice(("", "", "", "b", "@@", "a" * 900, "b" * 1200, "@" * 5000))
        for _ in range(60)
    ]
    entries = {key: f"value{number}" for number, key in enumerate(keys)}
    for options in (("-n",), ("-N",)):
        path = build("hash", entries, *options)
        done = subprocess.run(
            ["postmap", "-c", str(path.parent), "-q", "-", f"hash:{path}"],
            input="".join(f"{key}\n" for key in entries), capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        table = open_table(f"hash:{path}", TableContext())
        found = [(key, table.lookup(key)) for key in entries]
        assert done.stdout == "".join(f"{key}\t{answer}\n" for key, answer in found if answer)
