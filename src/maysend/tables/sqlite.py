"""# sqlite: an SQLite database

## What it does
Puts the key into an SQL query and answers what it selects. Keys are folded to lower case first;
it is not a pattern table, so access(5) asks it partial keys too. The database is opened read-only.

## Arguments
`sqlite:/FILE` names a file with lines `parameter = value`, in the format of main.cf but without
`$name`. `sqlite:NAME`, without a slash or dot at the start, takes main.cf's `NAME_parameter`.

- `dbpath`: the database file.
- `query`: the query. `%s` is the key, `%u` its local part (the whole key where there is no
  domain), `%d` its domain, `%1` … `%9` the labels of the domain from the top, `%%` a percent sign;
  `%S %U %D` are the same. Quotes in the key are doubled.
- `result_format` (`%s`): `%s %u %d` of each value, `%S %U %D %1-%9` of the key.
- `domain`: names, `/file` or `type:table`; other domains, and keys without user or domain, are
  not asked.
- `expansion_limit` (0, none): how many values an answer may have.
- `select_field`, `table`, `where_field`, `additional_conditions`: instead of `query`, as before
  Postfix 2.2.

## Replies
The first column of every row, formatted, joined with ",". NULL and empty values are skipped. A key
that is not UTF-8, or that lacks what a `%` letter needs, is not found, without a query.

## Errors
- A parameter that is missing or wrong, an unknown `%` letter, no database file: the table is
  unavailable (retry).
- An SQL error: the lookup fails (config). A locked database, or more values than expansion_limit:
  the lookup fails (retry).
- A query that writes fails, where Postfix would let it write.

## Example
    # /etc/postfix/senders.cf
    dbpath = /etc/postfix/mail.db
    query = SELECT login FROM senders WHERE address = '%s'

## Source
sqlite_table(5); Postfix 2.8.
"""

import os
from collections.abc import Iterator
from threading import Lock
from typing import TYPE_CHECKING, Literal

from maysend.tables.client_file import ClientParameters
from maysend.tables.sql import SqlQuery
from maysend.tables.table import TableContext, TableError
from maysend.tables.text import is_utf8

if TYPE_CHECKING:
    import sqlite3

_PASSING = frozenset({5, 6, 7, 10})  # SQLITE_BUSY, LOCKED, NOMEM, IOERR: may work later


class SqliteTable:
    """An open database and the query for it."""

    pattern = False
    blocking = False

    def __init__(self, spec: str, connection: "sqlite3.Connection", query: SqlQuery) -> None:
        self.spec = spec
        self._connection = connection
        self._query = query
        self._one_at_a_time = Lock()

    def lookup(self, key: str, /) -> str | None:
        """The selected values for `key`, which is folded already. Raises TableError."""
        if not is_utf8(key):
            return None
        if not self._query.asks(key):
            return None
        text = self._query.text(key, lambda value: value.replace("'", "''"))
        import sqlite3

        try:
            with self._one_at_a_time:
                return self._query.joined(self._values(_first_statement(text)), key)
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            kind: Literal["retry", "config"] = "retry" if code in _PASSING else "config"
            raise TableError(self.spec, str(error), kind) from error
        except ValueError as error:  # bytes that are no UTF-8 in the query
            raise TableError(self.spec, str(error), "config") from error

    def _values(self, query: str) -> Iterator[str | None]:
        """Column 0 of every row as SQLite itself writes it."""
        for row in self._connection.execute(query):
            value = row[0]
            if isinstance(value, float):
                (value,) = self._connection.execute("SELECT CAST(? AS TEXT)", (value,)).fetchone()
            if isinstance(value, bytes):
                yield value.partition(b"\0")[0].decode("utf-8", "surrogateescape")
            else:
                yield None if value is None else str(value)


def open_sqlite(name: str, context: TableContext) -> SqliteTable:
    """Open `sqlite:name`. Raises TableError (config)."""
    spec = f"sqlite:{name}"
    parameters = ClientParameters.load(spec, context)
    query = SqlQuery(parameters, context)
    path = parameters.required("dbpath")
    context.sources.note(path, replaced_only=True)  # SQLite sees by itself what is written to it
    return SqliteTable(spec, _connected(spec, path), query)


def _connected(spec: str, path: str) -> "sqlite3.Connection":
    import sqlite3  # loaded only where such a table is used
    from urllib.parse import quote

    location = f"file:{quote(os.fsencode(path))}?mode=ro"
    try:
        connection = sqlite3.connect(
            location, uri=True, timeout=0, isolation_level=None, check_same_thread=False
        )
    except (sqlite3.Error, ValueError) as error:
        raise TableError(spec, f"open database {path}: {error}", "config") from error
    connection.text_factory = bytes
    return connection


def _first_statement(query: str) -> str:
    """What stands before the first semicolon that ends a statement; Postfix ignores the rest."""
    from sqlite3 import complete_statement

    semicolon = query.find(";")
    while semicolon >= 0:
        if complete_statement(query[: semicolon + 1]):
            return query[: semicolon + 1]
        semicolon = query.find(";", semicolon + 1)
    return query
