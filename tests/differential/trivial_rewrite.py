"""Speaks to trivial-rewrite(8) on the private/rewrite socket of a private Postfix."""

import socket
from types import TracebackType

from maysend.address import Resolved
from tests.differential.live_postfix import LivePostfix

ROUTED, ERROR, FAIL, CLASS_LOCAL = 1 << 1, 1 << 2, 1 << 3, 1 << 8
"""Bits of a resolve reply's flags (resolve_clnt.h)."""


class TrivialRewrite:
    """One connection. Attributes travel as "name NUL value NUL … NUL" (attr_print0(3))."""

    def __init__(self, postfix: LivePostfix) -> None:
        self._connection = socket.socket(socket.AF_UNIX)
        self._connection.settimeout(10)
        self._connection.connect(str(postfix.queue / "private/rewrite"))
        self._buffer = b""
        self._read(attributes=1)  # it says which protocol it speaks

    def __enter__(self) -> "TrivialRewrite":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._connection.close()

    def rewrite(self, external: str) -> str:
        """Rewrite an address in external form; the answer is external too."""
        self._write("request", "rewrite", "rule", "local", "address", external)
        return self._read(attributes=2)[3]

    def resolve(self, internal: str) -> tuple[Resolved, str]:
        """Resolve an address in internal form; also returns the flags as text, for a message."""
        self._write("request", "resolve", "sender", "", "address", internal)
        values = self._read(attributes=5)[1::2]
        recipient, flags = values[3], int(values[4])
        resolved = Resolved(
            recipient,
            recipient[recipient.rfind("@") + 1 :],
            routed=bool(flags & ROUTED),
            local=bool(flags & CLASS_LOCAL),
            error=bool(flags & ERROR),
            failed=bool(flags & FAIL),
        )
        return resolved, " ".join(values)

    def _write(self, *words: str) -> None:
        octets = "\0".join(words).encode("utf-8", "surrogateescape")
        self._connection.sendall(octets + b"\0\0")

    def _read(self, *, attributes: int) -> list[str]:
        words = 2 * attributes + 1
        while self._buffer.count(b"\0") < words:
            octets = self._connection.recv(65536)
            if not octets:
                raise EOFError("trivial-rewrite closed the connection")
            self._buffer += octets
        *answer, self._buffer = self._buffer.split(b"\0", words)
        return [word.decode("utf-8", "surrogateescape") for word in answer]
