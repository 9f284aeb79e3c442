"""A socketmap server that tests start; `answer` gets "NAME KEY" and gives the reply's octets."""

from pathlib import Path
from typing import BinaryIO

from tests.servers.stream_server import Answer, StreamServer


def socketmap_server(answer: Answer, path: Path | None = None) -> StreamServer:
    """Start one. What `answer` gives is sent as it is: see `netstring`."""
    return StreamServer(_read, answer, path)


def netstring(octets: bytes) -> bytes:
    return str(len(octets)).encode() + b":" + octets + b","


def _read(stream: BinaryIO) -> bytes:
    length = b""
    while (octet := stream.read(1)).isdigit():
        length += octet
    if octet != b":":
        return b""
    request = stream.read(int(length))
    return request if stream.read(1) == b"," else b""
