"""S3.5: socketmap: and tcp: against servers of the test's own, answered as postmap answers."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from zlib import crc32

import pytest

from tests.differential.tables import words
from tests.differential.tables.against_postmap import LOOKUPS, SEED, Comparison
from tests.servers.socketmap_server import netstring, socketmap_server
from tests.servers.stream_server import StreamServer
from tests.servers.tcp_table_server import tcp_table_server

pytestmark = pytest.mark.needs_postfix

VALUES = (
    b"OK", b"REJECT not here", b"a, b,c", b"x" * 3000, "é".encode(), b"  spaces  ", b"", b"%41",
    b"\t", b"REJECT 100% sure", b'"quoted" \\ text',
)  # fmt: skip


def chosen(request: bytes, replies: tuple[bytes, ...]) -> bytes:
    """A reply that depends on the request alone, so that both sides get the same."""
    return replies[crc32(request) % len(replies)]


def keys(count: int) -> list[str]:
    random = Random(SEED)
    return [words.key(random, ())[0] for _ in range(count)]


def test_s3_5_socketmap_equals_postmap(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    replies = (*(b"OK " + value for value in VALUES), b"NOTFOUND ", b"NOTFOUND", b"NOTFOUND x",
               b"OK", b"OK a\0b", b"OK " + b"y" * 99_997)  # fmt: skip
    comparison = Comparison(tmp_path)
    for path in (None, tmp_path / "socket"):
        with socketmap_server(lambda request: netstring(chosen(request, replies)), path) as server:
            where = f"unix:{path}" if path else f"inet:127.0.0.1:{server.port}"
            comparison.ask(f"socketmap:{where}:owners", keys(LOOKUPS // 2))
            half = len(server.requests) // 2
            assert server.requests[:half] == server.requests[half:]
    with capsys.disabled():
        print("\nsocketmap", comparison.report())
    assert not comparison.differences, "\n".join(comparison.differences)
    assert comparison.outcomes["found"]


def test_s3_5_tcp_equals_postmap(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    replies = (
        *(b"200 " + value.replace(b"%", b"%25") + b"\n" for value in VALUES),
        b"200 a%20b%0ac%00d%e9%C3%A9\n", b"200\tx\n", b"299 y\n", b"500 \n", b"500 no\n",
        b"555 %25\n", b"200 " + b"z" * 4091 + b"\n",
    )  # fmt: skip
    comparison = Comparison(tmp_path, {"smtputf8_enable": "no"})
    with tcp_table_server(lambda request: chosen(request, replies)) as server:
        comparison.ask(f"tcp:127.0.0.1:{server.port}", keys(LOOKUPS))
        half = len(server.requests) // 2
        assert server.requests[:half] == server.requests[half:]
    with capsys.disabled():
        print("\ntcp", comparison.report())
    assert not comparison.differences, "\n".join(comparison.differences)
    assert comparison.outcomes["found"]


SOCKETMAP_FAILURES = (
    b"TEMP later", b"TIMEOUT slow", b"PERM never", b"TEMP", b"ok x", b"", b"OK\tx", b"FOO bar",
    b"OK " + b"y" * 99_998, b"OK \xff",
)  # fmt: skip
TCP_FAILURES = (
    b"400 later\n", b"600 x\n", b"200\n", b"200 %4\n", b"200 %zz\n", b"OK x\n", b"\n", b"500\n",
    b"20 x\n", b"200:x\n", b"100 x\n", b"400 %\n",
)  # fmt: skip
BROKEN_NETSTRINGS = (b"x", b"5:OK aaX", b"04:OK a,", b":,", b"-1:,", b" 4:OK a,")


def outcomes(tmp_path: Path, prefix: str, server: StreamServer, keys: range) -> list[str]:
    """What each key gave, the same here and in postmap, which is slow to say that it failed."""

    def outcome(key: int) -> str:
        comparison = Comparison(tmp_path / str(key))
        comparison.ask(f"{prefix}:127.0.0.1:{server.port}{':x' * (prefix != 'tcp')}", [str(key)])
        assert not comparison.differences, "\n".join(comparison.differences)
        return next(iter(comparison.outcomes))

    for key in keys:
        (tmp_path / str(key)).mkdir()
    with server, ThreadPoolExecutor(len(keys)) as pool:
        return list(pool.map(outcome, keys))


def test_s3_5_socketmap_fails_where_postmap_fails(tmp_path: Path) -> None:
    replies = [netstring(reply) for reply in SOCKETMAP_FAILURES] + list(BROKEN_NETSTRINGS)
    server = socketmap_server(lambda request: replies[int(request[2:])])
    found = outcomes(tmp_path, "socketmap:inet", server, range(len(replies)))
    assert found[: len(SOCKETMAP_FAILURES)] == ["error"] * len(SOCKETMAP_FAILURES)
    assert found[-len(BROKEN_NETSTRINGS) :].count("found") == 1  # a length may begin with zeros


def test_s3_5_tcp_fails_where_postmap_fails(tmp_path: Path) -> None:
    server = tcp_table_server(lambda request: TCP_FAILURES[int(request[4:])])
    found = outcomes(tmp_path, "tcp", server, range(len(TCP_FAILURES)))
    assert found == ["error"] * len(TCP_FAILURES)
