"""# mysql: a MySQL or MariaDB database

## What it does
Puts the key into an SQL query and answers what it selects. Keys are folded to lower case first;
it is not a pattern table, so access(5) asks it partial keys too. A key is escaped by the open
connection itself, as its character set and sql_mode need it.

It uses MariaDB's client library, as Postfix does: `libmariadb3` on Debian.

## Arguments
`mysql:/FILE` names a file with lines `parameter = value`, in the format of main.cf but without
`$name`. `mysql:NAME`, without a slash or dot at the start, takes main.cf's `NAME_parameter`.

- `hosts` (localhost): `unix:/socket`, `inet:host:port`, `host` or `host:port`; `localhost` means
  the library's own socket. Sockets come first, chance decides between equals, and the server that
  answers is kept.
- `user`, `password`, `dbname`: the account, and the database, which is required.
- `query`: the query. `%s` is the key, `%u` its local part (the whole key where there is no
  domain), `%d` its domain, `%1` … `%9` the labels of the domain from the top, `%%` a percent sign;
  `%S %U %D` are the same. `CALL procedure('%s')` is allowed.
- `result_format` (`%s`): `%s %u %d` of each value, `%S %U %D %1-%9` of the key.
- `domain`: names, `/file` or `type:table`; other domains, and keys without user or domain, are
  not asked.
- `expansion_limit` (0, none): how many values an answer may have.
- `require_result_set` (yes): whether a query without a result set is an error, or not found.
- `charset`: the character set of the connection; the library's own, utf8mb4, unless said.
- `option_file`, `option_group` (client): the library's own options; an empty group reads none.
- `tls_cert_file`, `tls_key_file`, `tls_CAfile`, `tls_CApath`, `tls_ciphers`, `tls_verify_cert`.
- `select_field`, `table`, `where_field`, `additional_conditions`: instead of `query`, as before
  Postfix 2.2.
- `timeout` (10 s): for a server to let us in, and to answer. Only here, as in ldap_table(5);
  Postfix waits without end.
- `retry_interval` (60 s): how long a failed server is left alone while another answers; where none
  does, one lookup a second tries again. `idle_interval` (60 s): how long an unused connection is
  kept.

## Replies
Every column of every row, formatted, joined with ",". NULL and empty values are skipped, a value
ends at its first NUL. A key that lacks what a `%` letter needs is not found, without a query.

## Errors
- A parameter that is missing or wrong, an unknown `%` letter, no client library: the table is
  unavailable (retry).
- No server, a wrong password, an SQL error, no answer in time, more values than expansion_limit:
  the lookup fails (retry). The next server is tried first.
- At most 8 connections to each server: where all are in use, the lookup fails at once (retry).
- A connection that breaks after it was used is made anew once.
- With sql_mode NO_BACKSLASH_ESCAPES, a key with a double quote in a query with double quotes: the
  lookup fails (retry), because the library leaves it as it is. Postfix lets such a key change the
  query.

## Example
    # /etc/postfix/sender_logins.cf
    hosts = 127.0.0.1
    user = postfix
    password = secret
    dbname = mail
    query = SELECT email FROM users WHERE email='%s'

## Source
mysql_table(5); Postfix 1.0, stored procedures 3.2, charset and intervals 3.9.
"""

import re
import socket
from functools import partial

from maysend.maincf.conversion import boolean
from maysend.tables.client_file import ClientParameters
from maysend.tables.drivers import missing_driver
from maysend.tables.libmariadb import Account, MariadbConnection, MariadbLibrary
from maysend.tables.sql import SqlQuery, decoded, encoded, texts
from maysend.tables.sql_servers import Host, QueryRefusedError, SqlServers, Waiting
from maysend.tables.table import TableContext, TableError

_HARMLESS = re.compile(r"[\w.@+-]*", re.ASCII)
"""Neither a quote, nor an escape, nor part of a longer character in any character set."""

_TLS = ("tls_key_file", "tls_cert_file", "tls_CAfile", "tls_CApath", "tls_ciphers")


class MysqlTable:
    """The servers, and the query for them."""

    pattern = False
    blocking = True

    def __init__(
        self,
        query: SqlQuery,
        servers: SqlServers[MariadbConnection],
        *,
        require_result_set: bool,
        double_quotes: bool,
    ) -> None:
        self.spec = query.spec
        self._query = query
        self._servers = servers
        self._require_result_set = require_result_set
        self._double_quotes = double_quotes

    def lookup(self, key: str, /) -> str | None:
        """The selected values for `key`, which is folded already. Raises TableError."""
        if not self._query.asks(key):
            return None
        values = self._servers.ask(lambda connection: self._values(connection, key))
        return self._query.joined(texts(values), key)

    def _values(self, connection: MariadbConnection, key: str) -> list[bytes | None]:
        if self._double_quotes and '"' in key and connection.escaped(b'"') == b'"':
            # With NO_BACKSLASH_ESCAPES the library doubles single quotes, and no others.
            raise QueryRefusedError("a double quote in the key would end a string in the query")
        query = self._query.text(key, partial(_escaped, connection))
        values = connection.values(encoded(query))
        if values is not None:
            return values
        if self._require_result_set:
            raise QueryRefusedError("the query returned no result set (require_result_set = yes)")
        return []


def open_mysql(name: str, context: TableContext) -> MysqlTable:
    """Open `mysql:name`. Raises TableError (config)."""
    parameters = ClientParameters.load(f"mysql:{name}", context)
    account = _account(parameters)
    waiting = Waiting.of(parameters)
    library = _library(parameters.spec)

    def connect(host: Host) -> MariadbConnection:
        return MariadbConnection(library, host, account, waiting.timeout)

    return MysqlTable(
        SqlQuery(parameters, context),
        SqlServers(parameters.spec, _hosts(parameters), connect, waiting, context.tell),
        require_result_set=_boolean(parameters, "require_result_set", "yes"),
        double_quotes='"' in parameters.text("query") + parameters.text("additional_conditions"),
    )


def _escaped(connection: MariadbConnection, value: str) -> str:
    """`value` as it may stand between quotes; most of them need not be changed for that."""
    if _HARMLESS.fullmatch(value):
        return value
    return decoded(connection.escaped(encoded(value)))


def _library(spec: str) -> MariadbLibrary:
    try:
        return MariadbLibrary()
    except OSError as error:
        raise missing_driver("mysql", spec, error) from error


def _account(parameters: ClientParameters) -> Account:
    verify = parameters.text("tls_verify_cert")
    return Account(
        user=encoded(parameters.text("user")),
        password=encoded(parameters.text("password")),
        database=encoded(parameters.required("dbname")),
        option_file=encoded(parameters.text("option_file")),
        option_group=encoded(parameters.text("option_group", "client")),
        charset=encoded(parameters.text("charset")),
        tls=(
            encoded(parameters.text(_TLS[0])),
            encoded(parameters.text(_TLS[1])),
            encoded(parameters.text(_TLS[2])),
            encoded(parameters.text(_TLS[3])),
            encoded(parameters.text(_TLS[4])),
        ),
        verify=_boolean(parameters, "tls_verify_cert", "no") if verify else None,
    )


def _hosts(parameters: ClientParameters) -> list[Host]:
    words = parameters.text("hosts").replace(",", " ").split()
    return [_host(word, parameters.spec) for word in words or ["localhost"]]


def _host(word: str, spec: str) -> Host:
    name, colon, port = word.removeprefix("unix:").removeprefix("inet:").rpartition(":")
    if colon:
        port = _port(port, spec)
    else:
        name, port = port, ""
    if word.startswith("unix:"):
        return Host(name, "", True, word)
    if name.lower() == "localhost":
        return Host("", "", True, word)
    return Host(name, port, False, word)


def _port(text: str, spec: str) -> str:
    if text.isascii() and text.isdigit() and 0 < int(text) < 65536:
        return text
    try:
        return str(socket.getservbyname(text, "tcp"))
    except (OSError, ValueError) as error:
        raise TableError(spec, f"hosts: bad port: {text}", "config") from error


def _boolean(parameters: ClientParameters, name: str, default: str) -> bool:
    try:
        return boolean(parameters.text(name, default))
    except ValueError as error:
        raise TableError(parameters.spec, f"{name}: {error}", "config") from error
