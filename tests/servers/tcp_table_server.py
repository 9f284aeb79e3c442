"""A tcp_table(5) server that tests start; `answer` gets the line "get KEY" and gives the reply."""

from typing import BinaryIO

from tests.servers.stream_server import Answer, StreamServer


def tcp_table_server(answer: Answer) -> StreamServer:
    """Start one. What `answer` gives is sent as it is, its newline included."""
    return StreamServer(_read, answer)


def _read(stream: BinaryIO) -> bytes:
    return stream.readline().removesuffix(b"\n")
