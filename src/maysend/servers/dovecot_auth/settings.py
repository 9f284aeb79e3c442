"""`kind = "dovecot_auth"` in maysend.toml."""

import time
from pathlib import Path

from maysend.sasl import MECHANISMS
from maysend.servers.configuration import ConfigurationError, ListenerSettings
from maysend.servers.dovecot_auth.listener import DovecotAuthListener
from maysend.servers.listener import Listener
from maysend.servers.submission.guessing import Guesses, GuessLimits
from maysend.servers.submission.logins import USUAL_MECHANISMS, directory_logins
from maysend.servers.worker_site import WorkerSite

SHORTEST_KEY = 16
"""Octets of `salt_key`."""


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
        for name in self.mechanisms:
            if name not in MECHANISMS:
                known = ", ".join(MECHANISMS)
                raise ValueError(f"mechanisms: no mechanism {name!r}, expected some of {known}")
        if not self.mechanisms:
            raise ValueError("mechanisms: expected at least one")
        if "SCRAM-SHA-256" in self.mechanisms and not self.salt_key:
            raise ValueError(
                "salt_key: SCRAM-SHA-256 needs a file of random octets: "
                "head -c 32 /dev/urandom > salt.key"
            )
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
        salt_key=_salt_key(settings, site),
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


def _salt_key(settings: DovecotAuthListenerSettings, site: WorkerSite) -> bytes | None:
    if not settings.salt_key:
        return None
    path = Path(site.configuration.path(settings.salt_key))
    key = path.read_bytes()
    if len(key) < SHORTEST_KEY:
        text = f"the salt_key {path} is too short: expected {SHORTEST_KEY} octets or more"
        raise ConfigurationError(str(site.configuration.file), None, text)
    return key
