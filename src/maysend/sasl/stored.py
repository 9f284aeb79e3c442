"""What a stored password is good for besides a comparison: CRAM-MD5 and SCRAM need more than that.

They work with `{PLAIN}` and `{CLEARTEXT}`, SCRAM-SHA-256 also with Dovecot's `{SCRAM-SHA-256}`. Of
any other hash neither the password nor SCRAM's keys can be had back.
"""

import base64
import binascii
import hashlib
import hmac

import msgspec

from maysend.sasl.saslprep import Prohibited, saslprep

ITERATIONS = 4096
"""Of keys that are made here (RFC 7677 4 asks for at least so many)."""

MOST_ITERATIONS = 10_000_000
SALT_LENGTH = 16


class ScramKeys(msgspec.Struct, frozen=True):
    """What RFC 5802 3 lets a server store. Never printed."""

    salt: bytes
    iterations: int
    stored_key: bytes
    server_key: bytes

    def __repr__(self) -> str:
        return "ScramKeys()"


class Secret(msgspec.Struct, frozen=True):
    """The password itself, or SCRAM's keys of it. Never printed."""

    password: str | None = None
    keys: ScramKeys | None = None

    def __repr__(self) -> str:
        return "Secret()"


def secret_of(stored: str | None) -> Secret | None:
    """What can be had from a stored `{SCHEME}value`; None where that is nothing."""
    scheme, brace, value = (stored or "").partition("}")
    if not brace or not value:
        return None
    if scheme.upper() in ("{PLAIN", "{CLEARTEXT"):
        return Secret(password=value)
    if scheme.upper() == "{SCRAM-SHA-256":
        keys = _parse_keys(value)
        return None if keys is None else Secret(keys=keys)
    return None


def make_keys(password: str, salt: bytes, iterations: int = ITERATIONS) -> ScramKeys:
    """SCRAM-SHA-256's keys of a password (RFC 5802 3)."""
    try:
        prepared = saslprep(password)
    except Prohibited:
        prepared = password
    octets = prepared.encode("utf-8", "surrogateescape")
    salted = hashlib.pbkdf2_hmac("sha256", octets, salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    return ScramKeys(salt, iterations, hashlib.sha256(client_key).digest(), server_key)


def made_salt(salt_key: bytes, login: str) -> bytes:
    """A salt for `login`, always the same, that tells nobody whether there is such an account."""
    octets = login.encode("utf-8", "surrogateescape")
    return hmac.digest(salt_key, octets, "sha256")[:SALT_LENGTH]


def _parse_keys(value: str) -> ScramKeys | None:
    """Dovecot's `iterations,salt,stored key,server key`, the last three in base64."""
    fields = value.split(",")
    if len(fields) != 4 or not (fields[0].isascii() and fields[0].isdigit()):
        return None
    iterations = int(fields[0][:10])
    try:
        salt, stored_key, server_key = (base64.b64decode(f, validate=True) for f in fields[1:])
    except (binascii.Error, ValueError):
        return None
    if not 1 <= iterations <= MOST_ITERATIONS or len(stored_key) != 32 or len(server_key) != 32:
        return None
    return ScramKeys(salt, iterations, stored_key, server_key)
