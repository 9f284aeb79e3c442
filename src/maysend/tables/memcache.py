"""# memcache: a memcached server, perhaps before another table

## What it does
Asks a memcached server for the key, and where it has none, the backup table; what that one answers
is stored in the server for the next time. Keys are folded to lower case first; it is not a pattern
table, so access(5) asks it partial keys too.

## Arguments
`memcache:/FILE` names a file with lines `parameter = value`, in the format of main.cf but without
`$name`. `memcache:NAME`, without a slash or dot at the start, takes main.cf's `NAME_parameter`.

- `memcache` (inet:localhost:11211): `inet:HOST:PORT` or `unix:PATH`, one server.
- `backup`: a `type:table`, asked with the key as it is.
- `key_format` (`%s`): what the server is asked. `%s` is the key, `%u` its local part (the whole key
  where there is no domain), `%d` its domain, `%1` … `%9` the labels of the domain from the top,
  `%%` a percent sign; `%S %U %D` are the same.
- `domain`: names, `/file` or `type:table`; other domains, and keys without user or domain, are not
  asked, nor is the backup.
- `flags` (0), `ttl` (3600): what is stored with an answer of the backup; `ttl` in seconds, from
  2592001 on a point in time.
- `timeout` (2): seconds to connect, and for each question. `max_try` (2): how often a question is
  asked where the answer is unusable, `retry_pause` (1) seconds apart.
- `data_size_limit` (10240), `line_size_limit` (1024): octets of a value, of a line of the protocol.

## Replies
The value as stored. A key that is empty, has whitespace in it, or lacks what a `%` letter needs is
not found, and the backup is not asked.

## Errors
- No file, a wrong parameter, an unknown `%` letter, a backup that can't be opened: the table is
  unavailable (retry).
- No connection, no usable answer: what the backup says; without one the lookup fails (retry).
- The backup fails: the lookup fails as it did.
- An answer that can't be stored: a warning.

## Example
    # /etc/postfix/cached.cf
    memcache = inet:127.0.0.1:11211
    key_format = senders:%s
    backup = pgsql:/etc/postfix/senders.cf

## Source
memcache_table(5); Postfix 2.9.
"""

import time
from collections.abc import Callable
from typing import TypeVar

from maysend.tables.client_file import ClientParameters
from maysend.tables.client_limits import limit_of
from maysend.tables.connections import Connections, LostConnectionError
from maysend.tables.endpoint import Deadline, Endpoint, Stream
from maysend.tables.index import open_table
from maysend.tables.key_template import KeyFilter, Template
from maysend.tables.memcache_protocol import (
    Limits,
    UnexpectedReplyError,
    get,
    is_storable_key,
    store,
)
from maysend.tables.table import TableContext, TableError

T = TypeVar("T")


class MemcacheTable:
    """A memcached server and its backup. Raises TableError (config)."""

    pattern = False
    blocking = True

    def __init__(self, parameters: ClientParameters, context: TableContext) -> None:
        self.spec = spec = parameters.spec
        self._warn = context.warn
        self._tell = context.tell
        self._endpoint = Endpoint.parse(
            parameters.required("memcache", "inet:localhost:11211"), spec
        )
        self._format = Template.parse(parameters.required("key_format", "%s"), "key_format", spec)
        self._keys = KeyFilter(parameters, context, of_key=(self._format,))
        self._flags = limit_of(parameters, "flags", 0)
        self._ttl = limit_of(parameters, "ttl", 3600)
        self._timeout = limit_of(parameters, "timeout", 2, least=1)
        self._tries = limit_of(parameters, "max_try", 2, least=1)
        self._pause = limit_of(parameters, "retry_pause", 1, least=1)
        self._limits = Limits(
            data=limit_of(parameters, "data_size_limit", 10240, least=1),
            line=limit_of(parameters, "line_size_limit", 1024, least=1),
        )
        backup = parameters.text("backup")
        self._backup = open_table(backup, context) if backup else None
        self._connections = Connections(spec, self._connected)

    def lookup(self, key: str, /) -> str | None:
        """What the server or the backup has for `key`, which is folded already.

        Raises TableError.
        """
        if not self._keys.takes(key):
            return None
        name = self._format.filled(key, str).encode("utf-8", "surrogateescape")
        if not is_storable_key(name):
            return None
        if self._tell is not None:
            self._tell("server", str(self._endpoint))
            self._tell("request", "get " + name.decode("utf-8", "surrogateescape"))
        try:
            value = self._asked(lambda stream: get(stream, name, self._limits, self._deadline()))
        except TableError as error:
            if self._backup is None:
                raise
            self._warn(str(error))
            value = None
        if self._tell is not None:
            found = "nothing" if value is None else value.decode("utf-8", "surrogateescape")
            self._tell("reply", found)
        if value is not None:
            return value.decode("utf-8", "surrogateescape")
        if self._backup is None:
            return None
        answer = self._backup.lookup(key)
        if answer is not None:
            self._remember(name, answer.encode("utf-8", "surrogateescape"))
        return answer

    def _remember(self, name: bytes, value: bytes) -> None:
        if len(value) > self._limits.data:
            self._warn(f"{self.spec}: the answer for {name!r} is too long to be stored")
            return
        try:
            self._asked(
                lambda stream: store(
                    stream, name, value, (self._flags, self._ttl), self._limits, self._deadline()
                )
            )
        except TableError as error:
            self._warn(f"the answer for {name!r} is not stored: {error}")

    def _asked(self, question: Callable[[Stream], T]) -> T:
        """The answer to `question`, asked again where it is unusable. Raises TableError (retry)."""
        problem = ""
        for number in range(self._tries):
            if number:
                time.sleep(self._pause)
            try:
                return self._connections.ask(lambda stream: self._once(stream, question))
            except UnexpectedReplyError as error:
                problem = str(error)
        raise TableError(self.spec, f"{self._endpoint}: {problem}", "retry")

    def _once(self, stream: Stream, question: Callable[[Stream], T]) -> T:
        try:
            return question(stream)
        except TimeoutError as error:
            raise UnexpectedReplyError(str(error)) from error
        except (OSError, EOFError) as error:
            raise LostConnectionError(f"{self._endpoint}: {error}") from error

    def _connected(self) -> Stream:
        try:
            return self._endpoint.connect(self._deadline())
        except OSError as error:
            raise TableError(self.spec, f"{self._endpoint}: {error}", "retry") from error

    def _deadline(self) -> Deadline:
        return Deadline(self._timeout)


def open_memcache(name: str, context: TableContext) -> MemcacheTable:
    """Open `memcache:name`. Raises TableError (config)."""
    return MemcacheTable(ClientParameters.load(f"memcache:{name}", context), context)
