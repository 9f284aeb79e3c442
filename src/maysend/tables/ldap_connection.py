"""Connections to an LDAP server through libldap, the library that Postfix uses."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, TypeAlias

from maysend.tables.abandoning import Abandoning, TooManyCallsError
from maysend.tables.connections import MOST_CONNECTIONS, LostConnectionError
from maysend.tables.drivers import missing_driver
from maysend.tables.ldap_parameters import LdapServer, Scope
from maysend.tables.table import TableError

Entry: TypeAlias = Mapping[str, Sequence[bytes]]
"""The attributes of an entry with their values, in the order in which the server has them."""

_SCOPES: Mapping[Scope, str] = {
    "base": "SCOPE_BASE", "one": "SCOPE_ONELEVEL", "sub": "SCOPE_SUBTREE",
}  # fmt: skip


class NoSuchEntryError(Exception):
    """The search base is not in the directory."""


class LdapDriver:
    """python-ldap, loaded where a table needs it. TableError (config) where it is missing."""

    def __init__(self, spec: str) -> None:
        self.spec = spec
        self._attempts: Abandoning[LdapConnection] = Abandoning(
            MOST_CONNECTIONS, LdapConnection.close
        )
        try:
            self.ldap: Any = import_module("ldap")
        except ImportError as error:
            raise missing_driver("ldap", spec, error) from error
        # An error's text names the server; what it was asked with stays out of it.
        self._lost = (self.ldap.SERVER_DOWN, self.ldap.UNAVAILABLE, self.ldap.CONNECT_ERROR)

    def connect(self, server: LdapServer) -> "LdapConnection":
        """Connect and bind, within the table's timeout for each server. Raises TableError (retry).

        libldap waits without end in a TLS handshake and in a SASL bind (ldap_table(5), LDAP SASL
        PARAMETERS); then the attempt is left to itself.
        """
        if not (server.uses_tls or server.bind == "sasl"):
            return self._connected(server)
        seconds = server.timeout * len(server.urls.split())
        try:
            return self._attempts.call(lambda: self._connected(server), seconds)
        except TimeoutError as error:
            raise TableError(self.spec, f"connect to {server.urls}: {error}", "retry") from error
        except TooManyCallsError as error:
            reason = f"connect to {server.urls}: {MOST_CONNECTIONS} earlier attempts still wait"
            raise TableError(self.spec, reason, "retry") from error

    def _connected(self, server: LdapServer) -> "LdapConnection":
        ldap = self.ldap
        try:
            connection = ldap.initialize(server.urls)
            self._configure(connection, server)
            if server.start_tls:
                connection.start_tls_s()
            self._bind(connection, server)
            if server.uses_tls and server.bind == "none":
                # Only a first question makes libldap connect.
                connection.search_ext_s("", ldap.SCOPE_BASE, attrlist=["1.1"])
        except (ldap.NO_SUCH_OBJECT, ldap.INSUFFICIENT_ACCESS):
            pass  # an answer, hence a connection
        except ldap.LDAPError as error:
            raise TableError(
                self.spec, f"connect to {server.urls} as '{server.bind_dn}': {describe(error)}"
            ) from error
        except (TypeError, ValueError) as error:
            # Postfix, too, takes a TLS file that can't be read for something that may pass.
            reason = f"connect to {server.urls}: {error}; are the files of tls_* readable?"
            raise TableError(self.spec, reason, "retry") from error
        return LdapConnection(self, connection, server)

    def failure(self, error: Exception) -> Exception:
        """What a search that fails with `error` raises."""
        ldap = self.ldap
        if isinstance(error, ldap.NO_SUCH_OBJECT):
            return NoSuchEntryError(describe(error))
        if isinstance(error, self._lost):
            return LostConnectionError(describe(error))
        return TableError(self.spec, f"search error: {describe(error)}", "retry")

    def _configure(self, connection: Any, server: LdapServer) -> None:
        ldap = self.ldap
        seconds = server.timeout
        options = {
            "OPT_PROTOCOL_VERSION": server.version,
            "OPT_NETWORK_TIMEOUT": seconds,
            "OPT_TIMEOUT": seconds,
            "OPT_DEREF": server.dereference,
            "OPT_REFERRALS": int(server.chase_referrals),
            "OPT_X_SASL_SSF_MIN": server.sasl_minssf,
        }
        for name, value in options.items():
            connection.set_option(getattr(ldap, name), value)
        if not server.uses_tls:
            return
        required = ldap.OPT_X_TLS_DEMAND if server.tls_require_cert else ldap.OPT_X_TLS_NEVER
        connection.set_option(ldap.OPT_X_TLS_REQUIRE_CERT, required)
        texts = {
            "OPT_X_TLS_CACERTFILE": server.tls_ca_cert_file,
            "OPT_X_TLS_CACERTDIR": server.tls_ca_cert_dir,
            "OPT_X_TLS_CERTFILE": server.tls_cert,
            "OPT_X_TLS_KEYFILE": server.tls_key,
            "OPT_X_TLS_RANDOM_FILE": server.tls_random_file,
            "OPT_X_TLS_CIPHER_SUITE": server.tls_cipher_suite,
        }
        for name, text in texts.items():
            if text:
                connection.set_option(getattr(ldap, name), text)
        connection.set_option(ldap.OPT_X_TLS_NEWCTX, 0)  # makes the ones before count

    def _bind(self, connection: Any, server: LdapServer) -> None:
        if server.bind == "simple":
            question = connection.simple_bind(server.bind_dn, server.bind_pw)
            connection.result(question, timeout=server.timeout)
        elif server.bind == "sasl":
            sasl = import_module("ldap.sasl")
            answers = {
                sasl.CB_USER: server.sasl_authz_id,
                sasl.CB_AUTHNAME: server.bind_dn,
                sasl.CB_PASS: server.bind_pw,
                sasl.CB_GETREALM: server.sasl_realm,
            }
            connection.sasl_interactive_bind_s("", sasl.sasl(answers, server.sasl_mechs))


class LdapConnection:
    """A connection that is bound; one thread at a time."""

    def __init__(self, driver: LdapDriver, connection: Any, server: LdapServer) -> None:
        self._driver = driver
        self._connection = connection
        self._timeout = server.timeout

    def search(
        self, base: str, scope: Scope, filter_text: str, attributes: Sequence[str], size_limit: int
    ) -> list[Entry]:
        """The entries found, without references to other servers.

        Raises NoSuchEntryError, LostConnectionError, TableError (retry): more than `size_limit`
        entries, no answer in time, a filter that is none.
        """
        ldap = self._driver.ldap
        try:
            question = self._connection.search_ext(
                base, getattr(ldap, _SCOPES[scope]), filter_text, list(attributes) or None,
                sizelimit=size_limit,
            )  # fmt: skip
            _, found = self._connection.result(question, timeout=self._timeout)
        except (ldap.LDAPError, TypeError, ValueError) as error:
            raise self._driver.failure(error) from error
        return [attributes for name, attributes in found if name is not None]

    def close(self) -> None:
        """Unbind."""
        try:
            self._connection.unbind_s()
        except (self._driver.ldap.LDAPError, AttributeError):
            return  # it is gone already


def shown(entry: Entry) -> str:
    """The attributes of an entry, in one line."""
    return "; ".join(
        f"{name}: {value.decode('utf-8', 'replace')}"
        for name, values in sorted(entry.items())
        for value in values
    )


def describe(error: Exception) -> str:
    """What libldap says, in one line."""
    details = error.args[0] if error.args else None
    if not isinstance(details, dict):
        return str(error) or type(error).__name__
    info = details.get("info")
    text = str(details.get("desc") or type(error).__name__)
    return f"{text} ({info})" if info else text
