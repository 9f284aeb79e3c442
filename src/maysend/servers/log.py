"""What a server says of itself: one line an event on stderr, as text or as JSON.

Text is for people and for what reads Postfix's log; JSON has the same fields by name. Nothing that
could be a password is ever handed in.
"""

import sys
import time
from collections.abc import Mapping
from typing import BinaryIO, Final, Literal, TypeAlias

import msgspec

Format: TypeAlias = Literal["text", "json"]

_LEVELS: Final = ("error", "warning")


class Timestamps:
    """Times as "2026-11-21T14:36:47.123Z"; each is made once, and its seconds once a second."""

    def __init__(self) -> None:
        self._second = self._millisecond = -1
        self._seconds = self._text = ""

    def text(self, when: float) -> str:
        """`when`, in seconds since 1970, in UTC (RFC 3339)."""
        millisecond = int(when * 1000)
        if millisecond != self._millisecond:
            self._millisecond = millisecond
            second = millisecond // 1000
            if second != self._second:
                self._second = second
                self._seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
            self._text = f"{self._seconds}.{millisecond % 1000:03d}Z"
        return self._text


class Log:
    """Writes lines to `stream`; `name` says which process this is.

    A line that begins with "error:" or "warning:" has that level. `stamped` is off where journald
    writes the time itself.
    """

    def __init__(
        self,
        name: str,
        format: Format = "text",
        *,
        stamped: bool = True,
        stream: BinaryIO | None = None,
    ) -> None:
        self._name = name
        self._format = format
        self._stamped = stamped
        self._stream = stream or sys.stderr.buffer
        self._timestamps = Timestamps()

    def __call__(self, line: str, fields: Mapping[str, object] | None = None) -> None:
        """Write one line; `fields` are those of JSON that the text has in its own way."""
        line = one_line(line)
        if self._format == "json":
            octets = self._json(line, fields or {})
        else:
            stamp = f"{self._timestamps.text(time.time())} " if self._stamped else ""
            octets = f"{stamp}{self._name}: {line}\n".encode("utf-8", "backslashreplace")
        self._stream.write(octets)
        self._stream.flush()

    def _json(self, line: str, fields: Mapping[str, object]) -> bytes:
        level, colon, rest = line.partition(": ")
        if not colon or level not in _LEVELS:
            level, rest = "info", line
        event = {"time": self._timestamps.text(time.time()), "level": level, "process": self._name}
        return encode_line({**event, "message": rest, **fields})


def one_line(text: str) -> str:
    """`text` without what would make another line of a part of it, or move a terminal's cursor."""
    if text.isprintable():
        return text
    return "".join(char if char >= " " and char != "\x7f" else "?" for char in text)


def encode_line(value: object) -> bytes:
    """`value` as one line of JSON; octets that are no UTF-8 are written as \\xff."""
    try:
        return msgspec.json.encode(value) + b"\n"
    except UnicodeEncodeError:
        return msgspec.json.encode(_readable(msgspec.to_builtins(value))) + b"\n"


def _readable(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    if isinstance(value, dict):
        return {name: _readable(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_readable(item) for item in value]
    return value
