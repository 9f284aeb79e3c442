"""`kind = "submission"` in maysend.toml: the gateway as one of the listeners of `maysend serve`."""

import socket
import ssl
from ipaddress import ip_network
from typing import Literal

import msgspec

from maysend.servers.configuration import ConfigurationError, PolicySettings
from maysend.servers.listener import Listener
from maysend.servers.salt_key import check_mechanisms, read_salt_key
from maysend.servers.submission.certificates import ServerTls
from maysend.servers.submission.dovecot_logins import DovecotLogins
from maysend.servers.submission.guessing import GuessLimits
from maysend.servers.submission.listener import Gateway
from maysend.servers.submission.logins import USUAL_MECHANISMS, Logins, directory_logins
from maysend.servers.submission.main_cf_settings import with_parameters
from maysend.servers.submission.next_hop import NextHop, NextHopTls, client_context
from maysend.servers.submission.settings import GatewaySettings, Limits, Networks, Timeouts
from maysend.servers.worker_site import WorkerSite

LIMITS = (
    "connections_per_address",
    "failures_per_address",
    "failures_per_login",
    "failures_window",
)


class NextHopSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A `[[listener.next_hop]]`. The password is in a file of its own, `password_file`."""

    host: str
    port: int = 25
    tls: Literal["none", "may", "encrypt", "verify"] = "may"
    wrapper: bool = False
    ca_file: str = ""
    server_name: str = ""
    login: str = ""
    password_file: str = ""
    tell: Literal["", "xclient", "xforward"] = ""


class SubmissionListenerSettings(PolicySettings, frozen=True, kw_only=True):
    """The gateway's own keys; they are described in configuration/maysend.toml."""

    hostname: str = ""
    tls: Literal["starttls", "wrapper", "optional", "none"] = "starttls"
    tls_certificate: str = ""
    tls_key: str = ""
    tls_auth_only: bool = True
    mechanisms: tuple[str, ...] = USUAL_MECHANISMS
    salt_key: str = ""
    dovecot_auth: str = ""
    message_size_limit: int = 0
    proxy_from: tuple[str, ...] = ()
    xclient_from: tuple[str, ...] = ()
    connections: int = 10000
    connections_per_address: int = Limits().smtpd_client_connection_count_limit
    failures_per_address: int = GuessLimits().per_address
    failures_per_login: int = GuessLimits().per_login
    failures_window: float = GuessLimits().window
    next_hop: tuple[NextHopSettings, ...] = ()

    def check(self) -> None:
        """Raise ValueError with what can't be meant; its text begins with the key."""
        super().check()
        check_mechanisms(self.mechanisms, self.salt_key)
        if not self.next_hop:
            raise ValueError('next_hop: add [[listener.next_hop]] with host = "…" below')
        if self.tls == "none" and self.tls_certificate:
            raise ValueError('tls: "none" has no use for tls_certificate')
        if self.tls != "none" and not self.tls_certificate:
            raise ValueError('tls_certificate: needed for TLS; tls = "none" does without')
        for key in LIMITS:
            if getattr(self, key) < 0:
                raise ValueError(f"{key}: expected 0 or more")
        for key in ("proxy_from", "xclient_from"):
            try:
                _networks(getattr(self, key))
            except ValueError as problem:
                raise ValueError(f"{key}: {problem}") from None


class ServedGateway:
    """A gateway that accepts from the socket it is handed."""

    def __init__(self, gateway: Gateway, logins: Logins) -> None:
        self._gateway = gateway
        self._logins = logins

    async def start(self, sock: socket.socket) -> None:
        """Accept connections from `sock`. Raises OSError."""
        await self._gateway.start(sock)

    async def stop(self, grace: float) -> None:
        """Accept nothing more; messages that are under way may end (shutdown_grace)."""
        await self._gateway.stop()
        self._logins.close()


def open_submission_listener(settings: SubmissionListenerSettings, site: WorkerSite) -> Listener:
    """The listener that `settings` describe.

    Raises ConfigurationError, MainCfError, PolicyError, and OSError for files of TLS.
    """
    policy = site.policy(settings)
    gateway_settings = GatewaySettings(
        hostname=settings.hostname or socket.getfqdn(),
        next_hops=tuple(_next_hop(hop, settings, site) for hop in settings.next_hop),
        tls=_tls(settings, site),
        tls_required=settings.tls in ("starttls", "wrapper"),
        tls_auth_only=settings.tls_auth_only and settings.tls != "none",
        tls_wrapper=settings.tls == "wrapper",
        proxy_from=_networks(settings.proxy_from),
        xclient_from=_networks(settings.xclient_from),
        limits=Limits(
            message_size_limit=settings.message_size_limit,
            connections=settings.connections,
            smtpd_client_connection_count_limit=settings.connections_per_address,
            guesses=GuessLimits(
                per_address=settings.failures_per_address,
                per_login=settings.failures_per_login,
                window=settings.failures_window,
            ),
        ),
        timeouts=Timeouts(shutdown_grace=site.configuration.grace),
    )
    if settings.postfix:
        gateway_settings = with_parameters(gateway_settings, policy.policy.parameters)
    realm = policy.policy.parameters["smtpd_sasl_local_domain"]
    logins = _logins(settings, gateway_settings.hostname, realm, site)
    return ServedGateway(Gateway(gateway_settings, policy, logins, site.log, site.traffic), logins)


def _logins(
    settings: SubmissionListenerSettings, hostname: str, realm: str, site: WorkerSite
) -> Logins:
    if settings.dovecot_auth:
        return DovecotLogins(settings.dovecot_auth, site.log)
    if site.directory is None:
        raise ConfigurationError(
            str(site.configuration.file),
            None,
            f"the listener {settings.name} does not know who may log in: "
            'add directory = "sqlite:///maysend.db", or dovecot_auth to the listener',
        )
    return directory_logins(
        site.directory,
        realm=realm,
        mechanisms=settings.mechanisms,
        hostname=hostname,
        salt_key=read_salt_key(settings.salt_key, site.configuration),
        log=site.log,
    )


def _tls(settings: SubmissionListenerSettings, site: WorkerSite) -> ssl.SSLContext | None:
    if settings.tls == "none":
        return None
    path = site.configuration.path
    key = path(settings.tls_key) if settings.tls_key else None
    return ServerTls(path(settings.tls_certificate), key).context


def _next_hop(
    hop: NextHopSettings, settings: SubmissionListenerSettings, site: WorkerSite
) -> NextHop:
    path = site.configuration.path
    tls = None
    if hop.tls != "none":
        ca_file = str(path(hop.ca_file)) if hop.ca_file else None
        context = client_context(hop.tls, ca_file)
        tls = NextHopTls(context, hop.wrapper, hop.tls != "may", hop.server_name)
    password = path(hop.password_file).read_text().strip() if hop.password_file else ""
    return NextHop(hop.host, hop.port, tls, hop.login, password, hop.tell)


def _networks(written: tuple[str, ...]) -> Networks:
    return tuple(ip_network(text) for text in written)
