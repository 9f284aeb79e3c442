"""The two commands of memcached that a table needs (memcached's doc/protocol.txt)."""

import msgspec

from maysend.tables.endpoint import Deadline, ReplyTooLongError, Stream

_WHITESPACE = frozenset(b" \t\n\v\f\r")


class UnexpectedReplyError(Exception):
    """The server says something that is no answer; the text shows the beginning."""


class Limits(msgspec.Struct, frozen=True):
    """The longest value and the longest line, in octets."""

    data: int
    line: int


def is_storable_key(name: bytes) -> bool:
    """Whether a command can name this key: it is not empty and has no whitespace in it."""
    return bool(name) and not _WHITESPACE.intersection(name)


def get(stream: Stream, name: bytes, limits: Limits, deadline: Deadline) -> bytes | None:
    """The value of the key `name` up to its first NUL, None where there is none.

    Raises UnexpectedReplyError, EOFError, OSError.
    """
    stream.send(b"get %s\r\n" % name, deadline)
    line = _line(stream, limits, deadline)
    if line == b"END":
        return None
    words = line.split()
    if len(words) < 4 or words[0] != b"VALUE" or not words[3].isdigit():
        raise UnexpectedReplyError(f"unexpected reply: {line[:30]!r}")
    size = int(words[3])
    if size > limits.data:
        raise UnexpectedReplyError(f"a value of {size} octets, more than {limits.data}")
    value = stream.exactly(size + 2, deadline)
    if value[size:] != b"\r\n" or _line(stream, limits, deadline) != b"END":
        raise UnexpectedReplyError("a value that does not end where it should")
    return value[:size].partition(b"\0")[0]


def store(
    stream: Stream,
    name: bytes,
    value: bytes,
    flags_and_ttl: tuple[int, int],
    limits: Limits,
    deadline: Deadline,
) -> None:
    """Store `value` as the key `name`. Raises UnexpectedReplyError, EOFError, OSError."""
    flags, ttl = flags_and_ttl
    head = b"set %s %d %d %d\r\n" % (name, flags, ttl, len(value))
    stream.send(head + value + b"\r\n", deadline)
    line = _line(stream, limits, deadline)
    if line != b"STORED":
        raise UnexpectedReplyError(f"unexpected reply: {line[:30]!r}")


def _line(stream: Stream, limits: Limits, deadline: Deadline) -> bytes:
    try:
        return stream.until(b"\n", limits.line, deadline).removesuffix(b"\r")
    except ReplyTooLongError as error:
        raise UnexpectedReplyError(str(error)) from error
