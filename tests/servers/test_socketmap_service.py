"""The directory as a socketmap server, asked by maysend's own client and with broken queries."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from maysend.directory import Directory
from maysend.servers.metrics import Metrics
from maysend.servers.questions import QuestionListener
from maysend.servers.socketmap import SocketmapService
from maysend.servers.threads import BoundedThreads
from maysend.tables import LookupTable, TableContext, TableError, open_table
from tests.servers.conftest import LoopThread
from tests.servers.test_deciding import SlowTable

CONTEXT = TableContext(parameters={"recipient_delimiter": "+"})


@contextmanager
def serving(
    thread: LoopThread, path: Path, maps: Mapping[str, LookupTable], log: list[str]
) -> Iterator[Path]:
    service = SocketmapService(
        "socketmap", maps, BoundedThreads(1, patience=0.2), Metrics(), log.append, 0.5
    )
    listener = QuestionListener(service, "socketmap", Metrics(), log.append)
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(str(path))
    sock.listen(100)
    thread.run(listener.start(sock))
    try:
        yield path
    finally:
        thread.run(listener.stop(1))
        sock.close()


def table(path: Path, name: str) -> LookupTable:
    return open_table(f"socketmap:unix:{path}:{name}", CONTEXT)


def test_the_directory_does_what_postfix_leaves_to_the_server(
    loop_thread: LoopThread, tmp_path: Path
) -> None:
    """S2.4, S2.5: aliases, extensions and catch-alls are found for a client that asks once."""
    with Directory.open(tmp_path / "d.db") as directory:
        directory.accounts.add("bob@example.com", "secret")
        directory.accounts.add("carol@example.com", "secret")
        directory.aliases.add("sales@example.com", ["bob@example.com"])
        directory.aliases.add("@example.org", ["carol@example.com"])
        directory.accounts.suspend("carol@example.com", "unpaid bill")
        opener = directory.table_types()["directory"]
        names = ("owners", "suspended", "accounts", "aliases", "domains")
        maps = {name: opener(name, CONTEXT) for name in names}
        asked = [
            ("owners", "bob+x@example.com", "bob@example.com"),
            ("owners", "SALES@example.com", "bob@example.com"),
            ("owners", "nobody@example.com", None),
            ("owners", "<>", None),
            ("suspended", "Carol@Example.com", "REJECT unpaid bill"),
            ("suspended", "bob@example.com", None),
            ("accounts", "bob+y@example.com", "bob@example.com"),
            ("aliases", "any@example.org", "carol@example.com"),
            ("aliases", "with space@example.org", "carol@example.com"),
        ]
        with serving(loop_thread, tmp_path / "s", maps, []) as path:
            for name, key, answer in asked:
                assert table(path, name).lookup(key) == answer, (name, key)
                assert maps[name].lookup(key) == answer


def test_a_map_that_fails_is_never_not_found(loop_thread: LoopThread, tmp_path: Path) -> None:
    log: list[str] = []
    maps = {
        "broken": open_table("fail:x", CONTEXT),
        "missing": open_table("texthash:/nonexistent", CONTEXT),
        "slow": SlowTable("slow:x", "never"),
    }
    with serving(loop_thread, tmp_path / "s", maps, log) as path:
        for name, kind in {"broken": "retry", "slow": "retry", "none": "config"}.items():
            with pytest.raises(TableError) as raised:
                table(path, name).lookup("bob@example.com")
            assert raised.value.kind == kind
        with pytest.raises(TableError, match="nonexistent"):
            table(path, "missing").lookup("bob@example.com")
        with pytest.raises(TableError, match=r"too many lookups|took more than"):
            table(path, "slow").lookup("bob@example.com")
        maps["slow"].go.set()  # type: ignore[union-attr]
    assert any("fail:x" in line for line in log)


@pytest.mark.parametrize("octets", [b"x", b"3:abc,", b"99999:", b"\0" * 100, b"GET / HTTP/1.0\r\n"])
def test_what_is_no_query_closes_the_connection(
    loop_thread: LoopThread, tmp_path: Path, octets: bytes
) -> None:
    log: list[str] = []
    maps = {"a": open_table("inline:{k=v}", CONTEXT)}
    with (
        serving(loop_thread, tmp_path / "s", maps, log) as path,
        socket.socket(socket.AF_UNIX) as client,
    ):
        client.settimeout(10)
        client.connect(str(path))
        client.sendall(b"3:a k,")
        assert client.recv(100) == b"4:OK v,"
        client.sendall(octets)
        assert client.recv(100) == b""
    assert log[-1].startswith("warning: socketmap: connection closed: ")
