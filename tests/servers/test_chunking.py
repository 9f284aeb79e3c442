"""BDAT (RFC 3030) to a next hop that takes DATA."""

from collections.abc import Iterator

import pytest

from tests.servers.conftest import LoopThread
from tests.servers.gateways import Client, Running, running

HELLO = b"Subject: hello\r\n\r\nHello\r\n"
CHUNKING = ("PIPELINING", "SIZE", "8BITMIME", "CHUNKING")


def chunked(client: Client, *chunks: bytes) -> list[str]:
    client.command("EHLO x")
    client.command("MAIL FROM:<carol@example.org>")
    client.command("RCPT TO:<x@example.net>")
    for number, chunk in enumerate(chunks, 1):
        last = b" LAST" if number == len(chunks) else b""
        client.send(b"BDAT %d%s\r\n" % (len(chunk), last) + chunk)
    return [client.reply() for _ in chunks]


@pytest.fixture
def chunking(loop_thread: LoopThread) -> Iterator[Running]:
    with running(loop_thread, keywords=CHUNKING) as started:
        yield started


def test_chunks(chunking: Running) -> None:
    """RFC 3030: pipelined, cut anywhere, dots as they are, and an empty last one."""
    message = b"Subject: x\r\n\r\n.one\r\n..\r\n.\r\nMAIL FROM:<x@y.z>\r\n"
    with chunking.connect() as client:
        for cuts in ((13, 14), (15, 16), (len(message), len(message)), (0, 3)):
            chunks = (message[: cuts[0]], message[cuts[0] : cuts[1]], message[cuts[1] :])
            replies = chunked(client, *chunks)
            assert replies[0] == f"250 2.0.0 Ok: {len(chunks[0])} bytes"
            assert replies[2] == "250 2.0.0 Ok: taken by the sink"
        assert len(chunking.sink.messages) == 4
        assert all(m.text.endswith(message) for m in chunking.sink.messages)
        assert client.command("NOOP") == "250 2.0.0 Ok"


def test_broken_chunks(chunking: Running) -> None:
    """Bare CR or LF, no line end at the end, a bad header: refused, and read to the end."""
    with chunking.connect() as client:
        assert chunked(client, HELLO, b"a\nb\r\n")[1].startswith("550 5.5.2 ")
        assert chunked(client, HELLO + b"a\r", b"b\r\n")[1].startswith("550 5.5.2 ")
        assert chunked(client, HELLO + b"a")[0].startswith("550 5.6.1 ")
        assert chunked(client, b"no header\r\n\r\n", b"x\r\n")[1].startswith("554 5.6.0 ")
        client.command("RSET")
        client.send(b"BDAT 6\r\nNOOP\r\nBDAT 6 LAST\r\nNOOP\r\nNOOP\r\n")
        assert [client.reply()[:3] for _ in range(3)] == ["503", "503", "250"]
        assert not chunking.sink.messages


def test_chunks_that_are_given_up(chunking: Running) -> None:
    with chunking.connect() as client:
        client.command("EHLO x")
        client.command("MAIL FROM:<carol@example.org>")
        client.command("RCPT TO:<x@example.net>")
        client.send(b"BDAT %d\r\n" % len(HELLO) + HELLO)
        assert client.reply().startswith("250 ")
        assert client.command("DATA").startswith("503 ")
        assert client.command("RCPT TO:<y@example.net>").startswith("503 ")
        assert client.command("RSET") == "250 2.0.0 Ok"
        assert chunked(client, HELLO) == ["250 2.0.0 Ok: taken by the sink"]
    assert len(chunking.sink.messages) == 1
