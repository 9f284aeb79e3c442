"""# pgsql: a PostgreSQL database

## What it does
Puts the key into an SQL query and answers what it selects. Keys are folded to lower case first;
it is not a pattern table, so access(5) asks it partial keys too. A key is escaped by the open
connection itself, as its encoding and standard_conforming_strings need it. Where what the key fills
in stands between quotes, the query is prepared once a connection, with the same answers.

It needs psycopg: `pip install 'maysend[pgsql]'`.

## Arguments
`pgsql:/FILE` names a file with lines `parameter = value`, in the format of main.cf but without
`$name`. `pgsql:NAME`, without a slash or dot at the start, takes main.cf's `NAME_parameter`.

- `hosts` (localhost): `postgresql://user@host/database?sslmode=require`, `inet:host:port`, `host`,
  `host:port`, or `unix:/directory` of the socket. Sockets come first, chance decides between
  equals, and the server that answers is kept.
- `user`, `password`, `dbname`: the account, and the database, which is required. A connection URI
  has its own, and these are not added to it.
- `query`: the query. `%s` is the key, `%u` its local part (the whole key where there is no
  domain), `%d` its domain, `%1` … `%9` the labels of the domain from the top, `%%` a percent sign;
  `%S %U %D` are the same.
- `result_format` (`%s`): `%s %u %d` of each value, `%S %U %D %1-%9` of the key.
- `domain`: names, `/file` or `type:table`; other domains, and keys without user or domain, are
  not asked.
- `expansion_limit` (0, none): how many values an answer may have.
- `encoding` (UTF8): the encoding of the connection. Where Postfix is older than 3.8 it is LATIN1
  whatever this says, so octets pass as they are, and a value that LATIN1 lacks is an error.
- `select_function`: `SELECT function('%s')`, where there is no `query`.
- `select_field`, `table`, `where_field`, `additional_conditions`: where there is neither, as before
  Postfix 2.2.
- `timeout` (10 s): for a server to let us in, and to answer. Only here, as in ldap_table(5);
  Postfix waits without end.
- `retry_interval` (60 s): how long a failed server is left alone while another answers; where none
  does, one lookup a second tries again. `idle_interval` (60 s): how long an unused connection is
  kept.

## Replies
Every column of every row, formatted, joined with ",". NULL and empty values are skipped. Of
several statements the last one counts. A key that lacks what a `%` letter needs is not found,
without a query.

## Errors
- A parameter that is missing or wrong, an unknown `%` letter, no psycopg: the table is
  unavailable (retry).
- No server, a wrong password, an SQL error, no answer in time, more values than expansion_limit:
  the lookup fails (retry). The next server is tried first.
- At most 8 connections to each server: where all are in use, the lookup fails at once (retry).
- A connection that breaks after it was used is made anew once.

## Example
    # /etc/postfix/sender_logins.cf
    hosts = 127.0.0.1
    user = postfix
    password = secret
    dbname = mail
    query = SELECT email FROM users WHERE email='%s'

## Source
pgsql_table(5); Postfix 2.1, connection URIs 3.1, encoding 3.8.
"""

import re
from typing import TYPE_CHECKING

from maysend.tables.client_file import ClientParameters
from maysend.tables.drivers import missing_driver
from maysend.tables.pgsql_statement import statement_of
from maysend.tables.sql import SqlQuery, decoded, encoded, texts
from maysend.tables.sql_servers import Host, SqlServers, Waiting
from maysend.tables.table import TableContext, TableError

if TYPE_CHECKING:
    from maysend.tables.libpq import PgsqlConnection

_URI = "postgresql:"  # "postgres:" is no URI to Postfix 3.7
_LATIN1_BEFORE = (3, 8)


class PgsqlTable:
    """The servers, and the query for them."""

    pattern = False
    blocking = True

    def __init__(self, query: SqlQuery, servers: "SqlServers[PgsqlConnection]") -> None:
        self.spec = query.spec
        self._query = query
        self._servers = servers
        self._statement = None if query.is_traced else statement_of(query.template)

    def lookup(self, key: str, /) -> str | None:
        """The selected values for `key`, which is folded already. Raises TableError."""
        if not self._query.asks(key):
            return None
        values = self._servers.ask(lambda connection: self._values(connection, key))
        return self._query.joined(texts(values), key)

    def _values(self, connection: "PgsqlConnection", key: str) -> list[bytes | None]:
        if self._statement is not None:
            values = connection.prepared_values(self._statement, key)
            if values is not None:
                return values
        query = self._query.text(key, lambda value: decoded(connection.escaped(encoded(value))))
        return connection.values(encoded(query))


class PgsqlParameters(ClientParameters):
    """The parameters of a pgsql: table, where `select_function` stands for a query too."""

    def text(self, name: str, default: str = "") -> str:
        """The value, or `default` where it is not set."""
        value = super().text(name, default)
        function = super().text("select_function") if name == "query" and not value else ""
        return f"SELECT {function}('%s')" if function else value


def open_pgsql(name: str, context: TableContext) -> PgsqlTable:
    """Open `pgsql:name`. Raises TableError (config)."""
    parameters = PgsqlParameters.load(f"pgsql:{name}", context)
    spec = parameters.spec
    query = SqlQuery(parameters, context)
    waiting = Waiting.of(parameters)
    try:
        from maysend.tables.libpq import PgsqlConnection
    except ImportError as error:
        raise missing_driver("pgsql", spec, error) from error
    conninfos = _conninfos(parameters, _encoding(parameters, context))

    def connect(host: Host) -> PgsqlConnection:
        return PgsqlConnection(conninfos[host], waiting.timeout)

    return PgsqlTable(query, SqlServers(spec, list(conninfos), connect, waiting, context.tell))


def _conninfos(parameters: ClientParameters, encoding: str) -> dict[Host, bytes]:
    """The servers in the order of `hosts`, and how to connect to each."""
    from maysend.tables.libpq import connection_string

    database = parameters.required("dbname")
    account = {"user": parameters.text("user"), "password": parameters.text("password")}
    conninfos: dict[Host, bytes] = {}
    for word in parameters.text("hosts").replace(",", " ").split() or ["localhost"]:
        host = _host(word)
        try:
            if word.startswith(_URI):
                conninfos[host] = connection_string(word, {"client_encoding": encoding})
                continue
            # As PQsetdbLogin(3) has it, dbname may be a whole connection string.
            whole = "=" in database or database.startswith(_URI)
            server = {"host": host.name, "port": host.port, "client_encoding": encoding}
            named = {} if whole else {"dbname": database}
            conninfos[host] = connection_string(
                database if whole else "", {**named, **account, **server}
            )
        except ValueError as error:
            raise TableError(parameters.spec, f"{host.shown}: {error}", "config") from error
    return conninfos


def _host(word: str) -> Host:
    if word.startswith(_URI):
        # Only the host may be shown: the rest may hold a password.
        found = re.match(r"postgresql://[^/?@]*@(\[[\da-fA-F:.]+\]|[\w.-]+)(?=[:/?]|\Z)", word)
        return Host(word, "", False, f"postgresql://{found[1] if found else ''}…")
    name = word.removeprefix("unix:").removeprefix("inet:")
    if not name or name.startswith("/"):
        return Host(name, "", True, word)
    host, colon, port = name.rpartition(":")
    return Host(host, port, False, word) if colon else Host(name, "", False, word)


def _encoding(parameters: ClientParameters, context: TableContext) -> str:
    encoding = parameters.required("encoding", "UTF8")
    version = re.match(r"(\d+)\.(\d+)", context.parameters.get("mail_version", ""))
    if version is None or (int(version[1]), int(version[2])) >= _LATIN1_BEFORE:
        return encoding
    if parameters.text("encoding") not in ("", "LATIN1"):
        context.warn(f"{parameters.spec}: encoding is new in Postfix 3.8: using LATIN1")
    return "LATIN1"
