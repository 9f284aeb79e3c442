"""MariaDB's client library, the one that Postfix uses, by its C interface.

Calls that may wait let other threads run; calls that only work in memory keep the interpreter's
lock, which is quicker.
"""

import time
from ctypes import (
    CDLL,
    POINTER,
    PyDLL,
    byref,
    c_char,
    c_char_p,
    c_int,
    c_uint,
    c_ulong,
    c_void_p,
    create_string_buffer,
)

import msgspec

from maysend.tables.drivers import LIBMARIADB
from maysend.tables.sql_servers import (
    Host,
    QueryRefusedError,
    UnreachableError,
    connection_error,
)

# enum mysql_option of <mysql.h>
_CONNECT_TIMEOUT = 0
_DEFAULT_FILE = 4
_DEFAULT_GROUP = 5
_CHARSET_NAME = 7
_LOCAL_INFILE = 8
_READ_TIMEOUT = 11
_WRITE_TIMEOUT = 12
_VERIFY_SERVER_CERT = 21

_MULTI_RESULTS = 1 << 17  # CLIENT_MULTI_RESULTS: stored procedures may return rows

_CLIENT_ERRORS = range(2000, 3000)
_SERVER_GONE = frozenset({1053, 1077, 1079, 1152, 1927, 4031})  # shut down, killed, aborted, idle


class Account(msgspec.Struct, frozen=True):
    """Who logs in, where, and how the connection is protected; empty means not said."""

    user: bytes
    password: bytes
    database: bytes
    option_file: bytes = b""
    option_group: bytes = b""
    charset: bytes = b""
    tls: tuple[bytes, bytes, bytes, bytes, bytes] = (b"", b"", b"", b"", b"")
    verify: bool | None = None

    def __repr__(self) -> str:
        return "Account(…)"  # it holds a password


class MariadbLibrary:
    """The functions of the library. Raises OSError where it is not installed."""

    def __init__(self) -> None:
        waiting = CDLL(LIBMARIADB)
        quick = PyDLL(LIBMARIADB)
        self.connect = waiting.mysql_real_connect
        self.connect.argtypes = [
            c_void_p, c_char_p, c_char_p, c_char_p, c_char_p, c_uint, c_char_p, c_ulong,
        ]  # fmt: skip
        self.connect.restype = c_void_p
        self.query = waiting.mysql_real_query
        self.query.argtypes = [c_void_p, c_char_p, c_ulong]
        self.store_result = waiting.mysql_store_result
        self.store_result.argtypes = [c_void_p]
        self.store_result.restype = c_void_p
        self.next_result = waiting.mysql_next_result
        self.next_result.argtypes = [c_void_p]
        self.close = waiting.mysql_close
        self.close.argtypes = [c_void_p]
        self.close.restype = None
        self.new = quick.mysql_init
        self.new.argtypes = [c_void_p]
        self.new.restype = c_void_p
        self.option = quick.mysql_options
        self.option.argtypes = [c_void_p, c_int, c_void_p]
        self.tls = quick.mysql_ssl_set
        self.tls.argtypes = [c_void_p, c_char_p, c_char_p, c_char_p, c_char_p, c_char_p]
        self.escape = quick.mysql_real_escape_string
        self.escape.argtypes = [c_void_p, c_char_p, c_char_p, c_ulong]
        self.escape.restype = c_ulong
        self.error_number = quick.mysql_errno
        self.error_number.argtypes = [c_void_p]
        self.error = quick.mysql_error
        self.error.argtypes = [c_void_p]
        self.error.restype = c_char_p
        self.more_results = quick.mysql_more_results
        self.more_results.argtypes = [c_void_p]
        self.more_results.restype = c_char
        self.field_count = quick.mysql_field_count
        self.field_count.argtypes = [c_void_p]
        self.num_fields = quick.mysql_num_fields
        self.num_fields.argtypes = [c_void_p]
        self.fetch_row = quick.mysql_fetch_row
        self.fetch_row.argtypes = [c_void_p]
        self.fetch_row.restype = POINTER(c_char_p)
        self.free_result = quick.mysql_free_result
        self.free_result.argtypes = [c_void_p]
        self.free_result.restype = None
        quick.mysql_server_init(0, None, None)  # not safe to leave to the first two threads


class MariadbConnection:
    """A connection to one server. `timeout` is in seconds.

    Raises UnreachableError where it can't be made.
    """

    def __init__(self, library: MariadbLibrary, host: Host, account: Account, timeout: int) -> None:
        self._library = library
        self._timeout = timeout
        self._used = False
        self._handle: c_void_p | None = c_void_p(library.new(None))
        try:
            self._prepare(account)
            self._connect(host, account)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection."""
        handle, self._handle = self._handle, None
        if handle is not None:
            self._library.close(handle)

    def __del__(self) -> None:
        if getattr(self, "_handle", None) is not None:
            self.close()

    def escaped(self, octets: bytes) -> bytes:
        """`octets` as they may stand between the quotes of a query on this connection."""
        buffer = create_string_buffer(2 * len(octets) + 1)
        length = self._library.escape(self._handle, buffer, octets, len(octets))
        if length > 2 * len(octets):
            raise QueryRefusedError("the key can't be escaped")
        return buffer.raw[:length]

    def values(self, query: bytes) -> list[bytes | None] | None:
        """All columns of all rows, each up to its first NUL; None where there is no result set.

        Raises QueryRefusedError, UnreachableError; LostConnectionError where a new connection may
        do better.
        """
        library, handle = self._library, self._handle
        start = time.monotonic()
        found: list[bytes | None] | None = None
        if library.query(handle, query, len(query)):
            raise self._failure(start)
        while True:
            rows = library.store_result(handle)
            if rows:
                values = self._taken(rows)
                if found is not None:
                    raise QueryRefusedError("more than one result set: not supported")
                found = values
            elif library.field_count(handle):
                raise self._failure(start)
            if library.more_results(handle) == b"\0":
                break
            if library.next_result(handle) > 0:
                raise self._failure(start)
        self._used = True
        return found

    def _taken(self, rows: int) -> list[bytes | None]:
        library = self._library
        columns = library.num_fields(rows)
        values: list[bytes | None] = []
        while row := library.fetch_row(rows):
            values += row[:columns]
        library.free_result(rows)
        return values

    def _failure(self, start: float) -> Exception:
        number = self._library.error_number(self._handle)
        reason = self._error()
        if number in _CLIENT_ERRORS or number in _SERVER_GONE:
            waited = time.monotonic() - start >= self._timeout
            return connection_error(reason, used=self._used, waited=waited)
        return QueryRefusedError(reason)

    def _error(self) -> str:
        text: bytes = self._library.error(self._handle)
        return text.decode("utf-8", "replace")

    def _prepare(self, account: Account) -> None:
        for option in (_CONNECT_TIMEOUT, _READ_TIMEOUT, _WRITE_TIMEOUT):
            self._set(option, byref(c_uint(self._timeout)))
        # A server must not be able to ask for files of this host.
        self._set(_LOCAL_INFILE, byref(c_uint(0)))
        if account.option_file:
            self._set(_DEFAULT_FILE, account.option_file)
        if account.option_group:
            self._set(_DEFAULT_GROUP, account.option_group)
        if account.charset:
            self._set(_CHARSET_NAME, account.charset)
        if any(account.tls):
            self._library.tls(self._handle, *(item or None for item in account.tls))
        if account.verify is not None:
            self._set(_VERIFY_SERVER_CERT, byref(c_char(account.verify)))

    def _set(self, option: int, value: object) -> None:
        if self._library.option(self._handle, option, value):
            raise UnreachableError(self._error())

    def _connect(self, host: Host, account: Account) -> None:
        name = host.name.encode("utf-8", "surrogateescape") or None
        connected = self._library.connect(
            self._handle, None if host.local else name, account.user, account.password,
            account.database, int(host.port or 0), name if host.local else None, _MULTI_RESULTS,
        )  # fmt: skip
        if not connected:
            raise UnreachableError(f"connect: {self._error()}")
