"""`salt_key` of a listener that speaks SCRAM-SHA-256: a file of random octets.

All workers have to make the same salts for logins without an account, and go on doing so after a
restart, or the salts would give those logins away.
"""

from collections.abc import Iterable

from maysend.sasl import MECHANISMS
from maysend.servers.configuration import Configuration, ConfigurationError

SHORTEST = 16
"""Octets."""


def check_mechanisms(mechanisms: Iterable[str], salt_key: str) -> None:
    """Raise ValueError for mechanisms that can't be spoken; its text begins with the key."""
    names = tuple(mechanisms)
    for name in names:
        if name not in MECHANISMS:
            known = ", ".join(MECHANISMS)
            raise ValueError(f"mechanisms: no mechanism {name!r}, expected some of {known}")
    if not names:
        raise ValueError("mechanisms: expected at least one")
    if "SCRAM-SHA-256" in names and not salt_key:
        raise ValueError(
            "salt_key: SCRAM-SHA-256 needs a file of random octets: "
            "head -c 32 /dev/urandom > salt.key"
        )


def read_salt_key(name: str, configuration: Configuration) -> bytes | None:
    """The octets of the file, None where none is named. Raises ConfigurationError, OSError."""
    if not name:
        return None
    path = configuration.path(name)
    key = path.read_bytes()
    if len(key) < SHORTEST:
        text = f"the salt_key {path} is too short: expected {SHORTEST} octets or more"
        raise ConfigurationError(str(configuration.file), None, text)
    return key
