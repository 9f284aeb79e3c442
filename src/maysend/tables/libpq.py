"""PostgreSQL's client library by its C interface, as psycopg hands it out.

The text protocol of libpq gives every value as PostgreSQL itself writes it, which is what Postfix
answers. Waiting is done here, so that no server can keep a lookup longer than it may.
"""

import select
import time
from collections.abc import Callable

from psycopg import OperationalError, ProgrammingError, pq
from psycopg.conninfo import make_conninfo

from maysend.tables.pgsql_statement import Statement
from maysend.tables.sql_servers import (
    QueryRefusedError,
    UnreachableError,
    connection_error,
)

_ANSWERED = frozenset({pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK})
_COPY = frozenset({pq.ExecStatus.COPY_IN, pq.ExecStatus.COPY_OUT, pq.ExecStatus.COPY_BOTH})


def connection_string(base: str, settings: dict[str, str]) -> bytes:
    """`base`, a connection URI or string, with the `settings` that are not empty.

    Raises ValueError, without a word of what may be a password, where `base` is none.
    """
    try:
        given = {name: value for name, value in settings.items() if value}
        return make_conninfo(base, **given).encode("utf-8", "surrogateescape")
    except ProgrammingError:
        raise ValueError("not a connection string or URI of PostgreSQL") from None


class PgsqlConnection:
    """A connection to one server. `timeout` is in seconds.

    Raises UnreachableError where it can't be made.
    """

    def __init__(self, conninfo: bytes, timeout: float) -> None:
        self._timeout = timeout
        self._used = False
        self._is_prepared: bool | None = None
        self._connection = pq.PGconn.connect_start(conninfo)
        try:
            self._finish_connecting(time.monotonic() + timeout)
        except BaseException:
            self.close()
            raise
        self._escaping = pq.Escaping(self._connection)
        self._readable = select.poll()
        self._readable.register(self._connection.socket, select.POLLIN)

    def close(self) -> None:
        """Close the connection."""
        self._connection.finish()

    def escaped(self, octets: bytes) -> bytes:
        """`octets` as they may stand between the quotes of a query on this connection.

        Raises QueryRefusedError where they are no text in the encoding of the connection.
        """
        if b"\0" in octets:  # would end the query
            raise QueryRefusedError("the key holds a NUL")
        try:
            return bytes(self._escaping.escape_string(octets))
        except OperationalError as error:
            raise QueryRefusedError(f"the key can't be escaped: {_line(str(error))}") from error

    def values(self, query: bytes) -> list[bytes | None]:
        """All columns of all rows of the last statement.

        Raises QueryRefusedError, UnreachableError; LostConnectionError where a new connection may
        do better.
        """
        result = self._answer(lambda connection: connection.send_query(query))
        if result is None or result.status not in _ANSWERED:
            raise self._failure(result)
        self._used = True
        return _values(result)

    def prepared_values(self, statement: Statement, key: str) -> list[bytes | None] | None:
        """The same by a prepared statement; None where the query has to be sent as it is.

        That is so for the first query of a connection, and for good once the server has refused
        one that was prepared (a pooler may have passed it to a server that does not know it).
        Raises UnreachableError, LostConnectionError.
        """
        if not self._used or "\0" in key:  # a NUL would end the parameter
            return None
        name, text = statement.name, statement.text
        if self._is_prepared is None:
            self._is_prepared = self._obeys(lambda connection: connection.send_prepare(name, text))
        if not self._is_prepared:
            return None
        arguments = statement.arguments(key)
        result = self._answer(lambda connection: connection.send_query_prepared(name, arguments))
        if result is not None and result.status in _ANSWERED:
            return _values(result)
        self._require_connection(result)
        self._is_prepared = False
        return None

    def _obeys(self, send: "Callable[[pq.abc.PGconn], None]") -> bool:
        result = self._answer(send)
        self._require_connection(result)
        return result is not None and result.status in _ANSWERED

    def _require_connection(self, result: "pq.abc.PGresult | None") -> None:
        """Raise where the connection is why there is no answer."""
        if self._connection.status != pq.ConnStatus.OK:
            raise self._failure(result)

    def _answer(self, send: "Callable[[pq.abc.PGconn], None]") -> "pq.abc.PGresult | None":
        deadline = time.monotonic() + self._timeout
        try:
            send(self._connection)
            return self._last_result(deadline)
        except OperationalError as error:
            reason = _line(str(error))
            raise connection_error(reason, used=self._used, waited=False) from error

    def _last_result(self, deadline: float) -> "pq.abc.PGresult | None":
        """The result of the last statement, as PQexec(3) gives it."""
        connection = self._connection
        last: pq.abc.PGresult | None = None
        while True:
            while connection.is_busy():
                self._wait(self._readable, deadline)
                connection.consume_input()
            result = connection.get_result()
            if result is None:
                return last
            if result.status in _COPY:
                raise QueryRefusedError("COPY is no query")
            last = result

    def _failure(self, result: "pq.abc.PGresult | None") -> Exception:
        message = b"no result" if result is None else result.error_message
        reason = _line(message.decode("utf-8", "replace")) or "neither rows nor success"
        if self._connection.status != pq.ConnStatus.OK:
            return connection_error(reason, used=self._used, waited=False)
        return QueryRefusedError(reason)

    def _finish_connecting(self, deadline: float) -> None:
        connection = self._connection
        wanted = pq.PollingStatus.WRITING
        while connection.status != pq.ConnStatus.BAD:
            if wanted == pq.PollingStatus.OK:
                return
            poll = select.poll()
            event = select.POLLOUT if wanted == pq.PollingStatus.WRITING else select.POLLIN
            poll.register(connection.socket, event)
            self._wait(poll, deadline)
            wanted = pq.PollingStatus(connection.connect_poll())
        message = connection.error_message.decode("utf-8", "replace")
        raise UnreachableError(f"connect: {_line(message)}")

    def _wait(self, poll: "select.poll", deadline: float) -> None:
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise UnreachableError(f"no answer within {self._timeout:g} s")


def _values(result: "pq.abc.PGresult") -> list[bytes | None]:
    columns = range(result.nfields)
    return [result.get_value(row, column) for row in range(result.ntuples) for column in columns]


def _line(text: str) -> str:
    """A message in one line."""
    return " ".join(text.split())
