"""The parameters of an ldap: table (ldap_table(5)), as its file has them."""

import re
from collections.abc import Callable
from typing import Literal, TypeAlias

import msgspec

from maysend.tables.client_file import ClientParameters
from maysend.tables.client_limits import limit_of
from maysend.tables.table import TableError

Scope: TypeAlias = Literal["base", "one", "sub"]
Bind: TypeAlias = Literal["none", "simple", "sasl"]

_SCOPES: dict[str, Scope] = {"base": "base", "one": "one", "sub": "sub"}
_BINDS: dict[str, Bind] = {
    "no": "none", "none": "none", "yes": "simple", "simple": "simple", "sasl": "sasl",
}  # fmt: skip
_BOOLEANS = {"yes": True, "no": False}
_IGNORED = ("cache", "cache_expiry", "cache_size")
_UNDERSCORED = re.compile(r"(?:^|[(&|!])([\w-]*_[\w-]*)[~<>:]?=")
_SCHEMES = ("ldap://", "ldaps://", "ldapi://", "cldap://")


class LdapServer(msgspec.Struct, frozen=True, kw_only=True):
    """How to get a connection; times are in seconds. Its text shows no password."""

    urls: str
    version: int
    timeout: int
    bind: Bind
    bind_dn: str
    bind_pw: str
    sasl_mechs: str
    sasl_realm: str
    sasl_authz_id: str
    sasl_minssf: int
    dereference: int
    chase_referrals: bool
    start_tls: bool
    tls_require_cert: bool
    tls_ca_cert_file: str
    tls_ca_cert_dir: str
    tls_cert: str
    tls_key: str
    tls_random_file: str
    tls_cipher_suite: str
    debuglevel: int

    def __repr__(self) -> str:
        return f"LdapServer({self.urls})"

    @property
    def uses_tls(self) -> bool:
        """Whether a connection may need TLS."""
        return self.start_tls or "ldaps://" in self.urls.lower()


class ResultAttributes(msgspec.Struct, frozen=True):
    """The attributes that are read, in the order in which an attribute is looked for in them."""

    terminal: tuple[str, ...]
    leaf: tuple[str, ...]
    ordinary: tuple[str, ...]
    special: tuple[str, ...]

    @property
    def all(self) -> list[str]:
        """All of them."""
        return [*self.terminal, *self.leaf, *self.ordinary, *self.special]


def server_of(parameters: ClientParameters, warn: Callable[[str], None]) -> LdapServer:
    """Read how to connect. Raises TableError (config)."""
    for name in _IGNORED:
        if parameters.text(name):
            warn(f"{parameters.spec}: {name} is no longer supported, and ignored")
    urls = _urls(parameters, warn)
    start_tls = _boolean(parameters, "start_tls")
    version = _version(parameters, warn)
    if version < 3 and (start_tls or any(url.lower().startswith("ldaps:") for url in urls)):
        warn(f"{parameters.spec}: start_tls and ldaps:// need version 3; using 3")
        version = 3
    return LdapServer(
        urls=" ".join(urls),
        version=version,
        timeout=limit_of(parameters, "timeout", 10, least=1),
        bind=_bind(parameters),
        bind_dn=parameters.text("bind_dn"),
        bind_pw=parameters.text("bind_pw"),
        sasl_mechs=parameters.text("sasl_mechs"),
        sasl_realm=parameters.text("sasl_realm"),
        sasl_authz_id=parameters.text("sasl_authz_id"),
        sasl_minssf=_number(parameters, "sasl_minssf", 0),
        dereference=_dereference(parameters, warn),
        chase_referrals=_boolean(parameters, "chase_referrals"),
        start_tls=start_tls,
        tls_require_cert=_boolean(parameters, "tls_require_cert"),
        tls_ca_cert_file=parameters.text("tls_ca_cert_file"),
        tls_ca_cert_dir=parameters.text("tls_ca_cert_dir"),
        tls_cert=parameters.text("tls_cert"),
        tls_key=parameters.text("tls_key"),
        tls_random_file=parameters.text("tls_random_file"),
        tls_cipher_suite=parameters.text("tls_cipher_suite"),
        debuglevel=_number(parameters, "debuglevel", 0),
    )


def scope_of(parameters: ClientParameters, warn: Callable[[str], None]) -> Scope:
    """Read `scope`; as in Postfix, what is none counts as "sub"."""
    text = parameters.required("scope", "sub")
    if text.lower() not in _SCOPES:
        warn(f"{parameters.spec}: unrecognized scope {text}: expected base, one or sub; using sub")
    return _SCOPES.get(text.lower(), "sub")


def attributes_of(parameters: ClientParameters) -> ResultAttributes:
    """Read the four lists of attributes."""

    def names(parameter: str, default: str = "") -> tuple[str, ...]:
        return tuple(parameters.text(parameter, default).replace(",", " ").split())

    return ResultAttributes(
        terminal=names("terminal_result_attribute"),
        leaf=names("leaf_result_attribute"),
        ordinary=names("result_attribute", "maildrop"),
        special=names("special_result_attribute"),
    )


def result_format_of(parameters: ClientParameters, warn: Callable[[str], None]) -> str:
    """Read `result_format`, or `result_filter`, its name before Postfix 2.2."""
    older, newer = parameters.text("result_filter"), parameters.text("result_format")
    if older and newer:
        warn(f"{parameters.spec}: result_filter is ignored, as result_format is set")
    elif older:
        warn(f"{parameters.spec}: result_filter is the name of result_format before Postfix 2.2")
    return newer or parameters.required("result_filter", "%s")


def filter_of(parameters: ClientParameters, warn: Callable[[str], None]) -> str:
    """Read `query_filter`."""
    text = parameters.text("query_filter", "(mailacceptinggeneralid=%s)")
    for name in _UNDERSCORED.findall(text):
        warn(
            f"{parameters.spec}: query_filter: {name}: an attribute's name has no underscore "
            "(RFC 4512, section 1.4): libldap will refuse the filter, here and in Postfix"
        )
    return text


def _urls(parameters: ClientParameters, warn: Callable[[str], None]) -> list[str]:
    port = parameters.number("server_port", 389)
    hosts = parameters.required("server_host", "localhost").replace(",", " ").split()
    urls: list[str] = []
    for host in hosts:
        if host.lower().startswith(_SCHEMES):
            urls.append(host)
        elif ":" in host:
            urls.append(f"ldap://{host}")
        else:
            urls.append(f"ldap://{host}:{port}")
    if parameters.text("server_port") and urls == hosts:
        warn(f"{parameters.spec}: server_port is ignored, as server_host is a URL")
    return urls


def _version(parameters: ClientParameters, warn: Callable[[str], None]) -> int:
    version = _number(parameters, "version", 3)
    if version not in (2, 3):
        warn(f"{parameters.spec}: unknown version {version}: expected 2 or 3; using 3")
        return 3
    return version


def _bind(parameters: ClientParameters) -> Bind:
    text = parameters.required("bind", "yes")
    bind = _BINDS.get(text.lower())
    if bind is None:
        raise TableError(
            parameters.spec, f"bind = {text}: expected one of {', '.join(_BINDS)}", "config"
        )
    return bind


def _dereference(parameters: ClientParameters, warn: Callable[[str], None]) -> int:
    dereference = _number(parameters, "dereference", 0)
    if dereference > 3:
        warn(f"{parameters.spec}: unrecognized dereference {dereference}: expected 0 to 3; using 0")
        return 0
    return dereference


def _number(parameters: ClientParameters, name: str, default: int) -> int:
    return limit_of(parameters, name, default)


def _boolean(parameters: ClientParameters, name: str) -> bool:
    text = parameters.text(name, "no")
    if text.lower() not in _BOOLEANS:
        raise TableError(parameters.spec, f"{name} = {text}: expected yes or no", "config")
    return _BOOLEANS[text.lower()]
