"""# ldap: an LDAP directory

## What it does
Puts the key into a search filter, searches the directory, and answers the attributes of the entries
found. Keys are folded to lower case first; it is not a pattern table, so access(5) asks it partial
keys too. A key that is not UTF-8 is not found.

It needs python-ldap: `pip install 'maysend[ldap]'`, after the Debian packages libldap-dev,
libsasl2-dev, python3-dev and gcc. Like Postfix it obeys ldap.conf(5).

## Arguments
`ldap:/FILE` names a file with lines `parameter = value`, in the format of main.cf but without
`$name`. `ldap:NAME`, without a slash or dot at the start, takes main.cf's `NAME_parameter`.

The server; several are tried in order:
- `server_host` (localhost): host names, `host:port`, or URLs `ldap://`, `ldaps://`, `ldapi://`.
- `server_port` (389): for hosts without a port of their own; ignored, with a note, beside URLs.
- `version` (3): 2 or 3. `timeout` (10): seconds to connect, to bind, and for each search.
- `bind` (yes): `yes` or `simple`, `no` or `none`, `sasl`; with `bind_dn` and `bind_pw`, both empty
  for an anonymous bind; `sasl_mechs`, `sasl_realm`, `sasl_authz_id`, `sasl_minssf` (0).
- `start_tls` (no), for ldap:// only: others then fail. `tls_require_cert` (no), `tls_ca_cert_file`,
  `tls_ca_cert_dir`, `tls_cert`, `tls_key`, `tls_cipher_suite`, `tls_random_file`.
- `dereference` (0, never; 1 searching, 2 finding, 3 always), `chase_referrals` (no).

The search:
- `search_base`: where to search. `query_filter` (`mailacceptinggeneralid=%s`): what for. `%s` is
  the key, `%u` its local part (the whole key where there is no domain), `%d` its domain, `%1` …
  `%9` the labels of the domain from the top, `%%` a percent sign; `%S %U %D` are the same. What the
  key brings is quoted, so that it can't change the filter (RFC 2254) or the base (RFC 2253).
- `scope` (sub): `sub`, `one` or `base`.
- `domain`: names, `/file` or `type:table`; other domains, and keys without user or domain, are
  not asked.

The answer:
- `result_attribute` (maildrop): attributes whose values are answered.
- `special_result_attribute`: attributes with distinguished names or LDAP URLs, which are followed,
  `recursion_limit` (1000) searches deep.
- `terminal_result_attribute`: where an entry has one, nothing else of it counts.
- `leaf_result_attribute`: counts where an entry has no special attribute.
- `result_format` (`%s`): `%s %u %d` of each value, `%S %U %D %1-%9` of the key. Before Postfix 2.2
  this was `result_filter`, which still works, with a note, where `result_format` is not set.
- `expansion_limit` (0, none): how many values an answer may have. `size_limit`
  (`expansion_limit`): how many entries each search may find.

## Replies
The values, formatted, joined with ",", in the order of the directory. Empty values are skipped. A
key that lacks what a `%` letter needs is not found, without a search; so is every key where
search_base has such a letter and is not in the directory.

## Errors
- No file, a wrong parameter, an unknown `%` letter, no python-ldap: the table is unavailable
  (retry).
- No server answers in time, a bind or TLS that fails, a filter that is none, a search_base without
  `%` that is not in the directory, a limit that is exceeded: the lookup fails (retry).
- A timeout of 0 or less is refused; in Postfix it means that everything fails, or waits for ever.
- A key that the server is not asked for is not found even where no server answers; in Postfix it
  fails then, until there is a connection.
- A connection that was lost is opened again once. Threads that ask at the same time have a
  connection each; where 32 are in use, the lookup fails (retry) at once.

## Example
    # /etc/postfix/suspended.cf
    server_host = ldap://ldap.example.com
    search_base = ou=People,dc=example,dc=com
    query_filter = (&(suspended=true)(mail=%s))
    result_attribute = uid
    result_format = REJECT This account is not allowed to send emails

## Source
ldap_table(5); Postfix 2.1.
"""

from collections.abc import Sequence

from maysend.tables.client_file import ClientParameters
from maysend.tables.client_limits import limit_of
from maysend.tables.connections import Connections
from maysend.tables.key_template import KeyFilter, Template
from maysend.tables.ldap_connection import (
    Entry,
    LdapConnection,
    LdapDriver,
    NoSuchEntryError,
    shown,
)
from maysend.tables.ldap_expansion import Expansion
from maysend.tables.ldap_parameters import (
    Scope,
    attributes_of,
    filter_of,
    result_format_of,
    scope_of,
    server_of,
)
from maysend.tables.ldap_quoting import quote_for_filter, quote_for_name
from maysend.tables.result_format import ResultFormat
from maysend.tables.table import TableContext, TableError
from maysend.tables.text import is_utf8


class LdapTable:
    """A search in a directory, and the connections for it. Raises TableError (config)."""

    pattern = False
    blocking = True

    def __init__(self, parameters: ClientParameters, context: TableContext) -> None:
        self.spec = spec = parameters.spec
        self._scope: Scope = scope_of(parameters, context.warn)
        self._base = Template.parse(parameters.text("search_base"), "search_base", spec)
        self._filter = Template.parse(filter_of(parameters, context.warn), "query_filter", spec)
        result = Template.parse(result_format_of(parameters, context.warn), "result_format", spec)
        self._keys = KeyFilter(
            parameters, context, of_key=(self._base, self._filter), of_value=(result,)
        )
        limit = limit_of(parameters, "expansion_limit", 0)
        self._format = ResultFormat(result, limit, spec, context)
        self._size_limit = limit_of(parameters, "size_limit", limit)
        depth = limit_of(parameters, "recursion_limit", 1000, least=1)
        self._expansion = Expansion(spec, attributes_of(parameters), depth, context.warn)
        server = server_of(parameters, context.warn)
        driver = LdapDriver(spec)
        self._servers = server.urls
        self._tell = context.tell
        self._connections: Connections[LdapConnection] = Connections(
            spec, lambda: driver.connect(server)
        )

    def lookup(self, key: str, /) -> str | None:
        """The values that are found for `key`, which is folded already. Raises TableError."""
        if not is_utf8(key) or not self._keys.takes(key):
            return None
        base = self._base.filled(key, quote_for_name)
        filter_text = self._filter.filled(key, quote_for_filter)
        return self._connections.ask(
            lambda connection: self._answer(connection, base, filter_text, key)
        )

    def _answer(
        self, connection: LdapConnection, base: str, filter_text: str, key: str
    ) -> str | None:
        def search(
            base: str, scope: Scope, filter_text: str, attributes: Sequence[str]
        ) -> list[Entry]:
            entries = connection.search(base, scope, filter_text, attributes, self._size_limit)
            if self._tell is not None:
                asked = " ".join(attributes)
                self._tell("server", self._servers)
                self._tell("search", f'base "{base}", scope {scope}, attributes {asked}')
                self._tell("filter", filter_text)
                for entry in entries:
                    self._tell("entry", shown(entry))
            return entries

        try:
            entries = search(base, self._scope, filter_text, self._expansion.names)
        except NoSuchEntryError as error:
            if self._base.letters:
                return None
            raise TableError(self.spec, f"search base '{base}' not found", "retry") from error
        return self._format.answer(self._expansion.values(entries, search), key)


def open_ldap(name: str, context: TableContext) -> LdapTable:
    """Open `ldap:name`. Raises TableError (config)."""
    return LdapTable(ClientParameters.load(f"ldap:{name}", context), context)
