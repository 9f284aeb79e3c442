"""The server's end of socketmap: netstrings of "NAME KEY" in, netstrings of answers out.

    queries = SocketmapQueries()
    queries.feed(octets)
    while (query := queries.next()) is not None:
        transport.write(found(maps[query.name][query.key]))

Text is UTF-8 with surrogateescape. Source: socketmap_table(5), and
https://cr.yp.to/proto/netstrings.txt: no leading zeros, so that each length has one spelling.
"""

import re

import msgspec

LONGEST_QUERY = 10_000
"""Octets of a name and a key: no address, login or host name comes near it."""

LONGEST_ANSWER = 100_000
"""Octets of an answer that Postfix takes."""

_LENGTH = re.compile(rb"(0|[1-9][0-9]{0,8}):")
_BEGINNING_OF_A_LENGTH = re.compile(rb"(0|[1-9][0-9]{0,8})?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class SocketmapError(ValueError):
    """What the client sent is no query; the text says why."""


class Query(msgspec.Struct, frozen=True, gc=False):
    """One question to the map `name`."""

    name: str
    key: str


class SocketmapQueries:
    """The queries of one client; of one that is not there as a whole `longest` octets are kept."""

    def __init__(self, longest: int = LONGEST_QUERY) -> None:
        self._longest = longest
        self._octets = b""
        self._begin = 0

    def feed(self, octets: bytes) -> None:
        """Take what arrived."""
        if self._begin == len(self._octets):
            self._octets = octets
        else:
            self._octets = self._octets[self._begin :] + octets
        self._begin = 0

    @property
    def pending(self) -> int:
        """Octets that were fed and not given out yet."""
        return len(self._octets) - self._begin

    def next(self) -> Query | None:
        """The next query that is there as a whole, else None.

        Raises SocketmapError; nothing more can be read then.
        """
        octets, begin = self._octets, self._begin
        head = _LENGTH.match(octets, begin)
        if head is None:
            if _BEGINNING_OF_A_LENGTH.fullmatch(octets, begin) is None:
                raise SocketmapError("expected a netstring")
            return None
        length = int(head[1])
        if length > self._longest:
            raise SocketmapError(f"a query of more than {self._longest} octets")
        start = head.end()
        end = start + length
        if end >= len(octets):
            return None
        if octets[end] != 44:
            raise SocketmapError("a netstring without a comma at its end")
        self._begin = end + 1
        name, space, key = octets[start:end].decode("utf-8", "surrogateescape").partition(" ")
        if not space or not name:
            raise SocketmapError("expected the name of a map, a space, and a key")
        return Query(name, key)


def found(value: str) -> bytes:
    """The key was found. A value that Postfix would not take is a permanent error."""
    octets = value.encode("utf-8", "surrogateescape")
    if len(octets) + 3 > LONGEST_ANSWER:
        return permanent(f"an answer of more than {LONGEST_ANSWER} octets")
    if b"\0" in octets:
        return permanent("an answer with a NUL")
    return b"%d:OK %b," % (len(octets) + 3, octets)


NOT_FOUND = b"9:NOTFOUND ,"
"""The key was not found."""


def temporary(reason: str) -> bytes:
    """The map has no answer now."""
    return _failure("TEMP", reason)


def timeout(reason: str) -> bytes:
    """The map had no answer in time."""
    return _failure("TIMEOUT", reason)


def permanent(reason: str) -> bytes:
    """Somebody has to mend the map."""
    return _failure("PERM", reason)


def _failure(status: str, reason: str) -> bytes:
    text = f"{status} {_CONTROL.sub(' ', reason)[:500]}"
    octets = text.encode("utf-8", "backslashreplace")
    return b"%d:%b," % (len(octets), octets)
