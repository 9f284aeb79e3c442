"""S3.5: memcache: against a private memcached, answered as the installed postmap answers."""

from pathlib import Path
from random import Random

import pytest

from maysend.tables import TableContext, TableError, open_table
from tests.differential.tables import words
from tests.differential.tables.against_postmap import LOOKUPS, SEED, Comparison
from tests.differential.tables.postmap import encoded
from tests.servers.memcached import Memcached
from tests.servers.socketmap_server import netstring, socketmap_server

pytestmark = [pytest.mark.needs_postfix, pytest.mark.needs_memcached]

TABLES = 16
FORMATS = ("%s", "x:%s", "%u@%d", "%S", "%%%s", "a %s", "%u", "%1-%2", "%d", "same")
INJECTIVE = FORMATS[:6]
"""With a backup, keys must not share what is stored: the second to ask would see more."""


def keys(random: Random, known: list[str]) -> list[str]:
    return [words.key(random, known)[0] for _ in range(LOOKUPS // TABLES)]


def text(random: Random, server: Memcached, backup: str) -> str:
    lines = [f"memcache = unix:{server.path}", "max_try = 1", "timeout = 20",
             f"key_format = {random.choice(INJECTIVE if backup else FORMATS)}"]  # fmt: skip
    if backup:
        lines.append(f"backup = {backup}")
    for line in (
        "domain = example.com, com",
        "data_size_limit = 100",
        "line_size_limit = 40",
        "ttl = 3600",  # nothing may expire between our question and postmap's
    ):
        if random.random() < 0.15:
            lines.append(line)
    return "\n".join(lines) + "\n"


def test_s3_5_memcache_equals_postmap(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    random = Random(SEED)
    comparison = Comparison(tmp_path)
    for number in range(TABLES):
        with Memcached() as server:
            known = [words.address(random).lower() for _ in range(30)]
            for key in known:
                server.store(encoded(random.choice(("", "x:")) + key), encoded(words.text(random)))
            server.store(b"same", b"same value")
            backup = random.choice(("", "", "static:{from the backup}", f"inline:{{{known[0]}=b}}",
                                    "fail:always"))  # fmt: skip
            table = tmp_path / f"table{number}.cf"
            table.write_text(text(random, server, backup))
            comparison.ask(f"memcache:{table}", keys(random, known))
    with capsys.disabled():
        print("\nmemcache", comparison.report())
    assert not comparison.differences, "\n".join(comparison.differences)
    assert comparison.outcomes["found"]


def table_of(tmp_path: Path, server: Memcached, *more: str) -> str:
    path = tmp_path / "table.cf"
    lines = [f"memcache = unix:{server.path}", "retry_pause = 1", "timeout = 1", *more]
    path.write_text("\n".join(lines) + "\n")
    return f"memcache:{path}"


def test_a_backup_is_asked_once_and_remembered(tmp_path: Path) -> None:
    with Memcached() as server, socketmap_server(lambda _: netstring(b"OK found")) as backup:
        spec = table_of(
            tmp_path, server, f"backup = socketmap:inet:127.0.0.1:{backup.port}:x",
            "key_format = k:%s", "flags = 3", "ttl = 60",
        )  # fmt: skip
        table = open_table(spec, TableContext())
        assert [table.lookup("Alice"), table.lookup("alice")] == ["found", "found"]
        assert backup.requests == [b"x alice"]
        assert server.command(b"get k:alice\r\n").startswith(b"VALUE k:alice 3 5\r\nfound")


def test_a_dead_server_is_an_error_until_it_is_back(tmp_path: Path) -> None:
    with Memcached() as server:
        table = open_table(table_of(tmp_path, server), TableContext())
        server.store(b"a", b"1")
        assert table.lookup("a") == "1"
        server.stop()
        with pytest.raises(TableError) as caught:
            table.lookup("a")
        assert caught.value.kind == "retry"
        server.start()
        server.store(b"a", b"2")
        assert table.lookup("a") == "2"


@pytest.mark.parametrize("backup", ["", "static:found", "inline:{x=y}", "fail:x"])
def test_s3_5_a_dead_server_as_in_postmap(tmp_path: Path, backup: str) -> None:
    with Memcached() as server:
        spec = table_of(tmp_path, server, *([f"backup = {backup}"] if backup else []))
    comparison = Comparison(tmp_path)
    comparison.ask(spec, ["key"])
    assert not comparison.differences, "\n".join(comparison.differences)


def test_s5_2_the_request_as_sent(tmp_path: Path) -> None:
    with Memcached() as server:
        steps: list[tuple[str, str]] = []
        context = TableContext(trace=lambda step: steps.append((step.what, step.text)))
        table = open_table(table_of(tmp_path, server, "backup = inline:{a=b}"), context)
        assert table.lookup("A") == "b"
        assert [text for what, text in steps if what == "request"] == ["get a"]
        assert ("reply", "nothing") in steps
        assert ("table", "inline:{a=b}") in steps
        table.lookup("a")
        assert ("reply", "b") in steps
