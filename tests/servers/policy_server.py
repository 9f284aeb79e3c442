"""A policy server that tests start; `answer` gets a request's attributes as sent, and gives the
octets of the reply (SMTPD_POLICY_README)."""

from pathlib import Path
from typing import BinaryIO

from tests.servers.stream_server import Answer, StreamServer


def policy_server(answer: Answer, path: Path | None = None) -> StreamServer:
    """Start one. What `answer` gives is sent as it is: `b"action=DUNNO\\n\\n"`."""
    return StreamServer(_read, answer, path)


def attributes(request: bytes) -> dict[str, str]:
    """The attributes of a request in their order."""
    lines = request.decode("utf-8", "surrogateescape").splitlines()
    return dict(line.partition("=")[::2] for line in lines if line)


def _read(stream: BinaryIO) -> bytes:
    """The lines up to an empty one."""
    request = b""
    while (line := stream.readline()) not in (b"", b"\n"):
        request += line
    return request
