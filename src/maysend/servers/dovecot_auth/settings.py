"""`kind = "dovecot_auth"` in maysend.toml."""

import time

from maysend.servers.configuration import ConfigurationError, ListenerSettings
from maysend.servers.dovecot_auth.listener import DovecotAuthListener
from maysend.servers.listener import Listener
from maysend.servers.salt_key import check_mechanisms, read_salt_key
from maysend.servers.submission.guessing import Guesses, GuessLimits
from maysend.servers.submission.logins import USUAL_MECHANISMS, directory_logins
from maysend.servers.worker_site import WorkerSite


class DovecotAuthListenerSettings(ListenerSettings, frozen=True, kw_only=True):
    """`realm` is the domain of logins without one; `hostname` is what CRAM-MD5 calls us.

    `salt_key` is a file of random octets, which SCRAM-SHA-256 needs: all workers have to make the
    same salts for logins without an account, or they would give them away. `failures_per_address`
    and `failures_per_login` are how many logins may fail within `failures_window` seconds before
    no more are checked; 0 is no limit.
    """

    mechanisms: tuple[str, ...] = USUAL_MECHANISMS
    realm: str = ""
    hostname: str = "localhost"
    salt_key: str = ""
    failures_per_address: int = GuessLimits().per_address
    failures_per_login: int = GuessLimits().per_login
    failures_window: float = GuessLimits().window

    def check(self) -> None:
        """Raise ValueError with what can't be meant; its text begins with the key."""
        super().check()
        check_mechanisms(self.mechanisms, self.salt_key)
        for key in ("failures_per_address", "failures_per_login", "failures_window"):
            if getattr(self, key) < 0:
                raise ValueError(f"{key}: expected 0 or more")


def open_dovecot_auth_listener(settings: DovecotAuthListenerSettings, site: WorkerSite) -> Listener:
    """The listener that `settings` describe. Raises ConfigurationError, OSError."""
    if site.directory is None:
        raise ConfigurationError(
            str(site.configuration.file),
            None,
            f"the listener {settings.name} checks passwords of the directory: "
            'add directory = "sqlite:///maysend.db"',
        )
    logins = directory_logins(
        site.directory,
        realm=settings.realm,
        mechanisms=settings.mechanisms,
        hostname=settings.hostname,
        salt_key=read_salt_key(settings.salt_key, site.configuration),
        log=site.log,
    )
    limits = GuessLimits(
        per_address=settings.failures_per_address,
        per_login=settings.failures_per_login,
        window=settings.failures_window,
    )
    return DovecotAuthListener(
        logins,
        settings.name,
        site.metrics,
        site.log,
        Guesses(limits, time.monotonic),
        connections=settings.connections,
    )
