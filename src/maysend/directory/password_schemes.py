"""How a password is checked against each of Dovecot's schemes (doveadm-pw(1), "Password Schemes").

A checker is given the password and the stored value without its `{SCHEME}`, both as octets, and
raises ValueError where the stored value is none of its scheme.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable
from typing import TypeAlias

ROUNDS = re.compile(rb"\$[56]\$rounds=(\d{1,20})\$")

Checker: TypeAlias = Callable[[bytes, bytes], bool]

DEAREST_BCRYPT = 15
"""The cost of a check doubles with each step; this one takes about 3 s."""

MOST_ROUNDS = 1_000_000
"""Of crypt(3)'s $5$ and $6$, which allow a thousand times as many."""

MOST_ARGON2_MEMORY = 1 << 20
"""KiB. Each login that is being checked takes as much."""

MOST_ARGON2_WORK = 4 << 20
"""KiB of memory times passes: 4 passes over 1 GiB take about 3 s."""

MOST_ITERATIONS = 5_000_000
"""Of PBKDF2 and SCRAM: about 3 s."""

LONGEST_BCRYPT_PASSWORD = 72
"""Octets of a password that bcrypt takes note of; crypt(3) ignores the rest without a word."""


class TooCostly(ValueError):
    """A hash made to be checked so slowly that a login would stop everything else."""


def _argon2(password: bytes, stored: bytes) -> bool:
    import argon2

    try:
        cost = argon2.extract_parameters(stored.decode("ascii"))
    except (argon2.exceptions.InvalidHashError, UnicodeDecodeError) as error:
        raise ValueError("not an argon2 hash") from error
    if cost.memory_cost > MOST_ARGON2_MEMORY:
        raise TooCostly(f"more than {MOST_ARGON2_MEMORY} KiB of memory")
    if cost.memory_cost * cost.time_cost > MOST_ARGON2_WORK:
        raise TooCostly(f"more than {MOST_ARGON2_WORK} KiB of work")
    try:
        return argon2.PasswordHasher().verify(stored, password)
    except argon2.exceptions.VerifyMismatchError:
        return False
    except (argon2.exceptions.InvalidHashError, argon2.exceptions.VerificationError) as error:
        raise ValueError("not an argon2 hash") from error


def _bcrypt(password: bytes, stored: bytes) -> bool:
    import bcrypt

    if stored[:4] not in (b"$2a$", b"$2b$", b"$2y$") or len(stored) != 60:
        raise ValueError("not a bcrypt hash")
    if not stored[4:6].isdigit() or int(stored[4:6]) > DEAREST_BCRYPT:
        raise TooCostly(f"a cost over {DEAREST_BCRYPT}")
    return bcrypt.checkpw(password[:LONGEST_BCRYPT_PASSWORD], stored)


def _unix_crypt(name: str) -> Checker:
    """One of the crypt(3) schemes that libpass knows by `name`."""

    def check(password: bytes, stored: bytes) -> bool:
        from passlib import hash as schemes  # type: ignore[import-untyped]

        rounds = ROUNDS.match(stored)
        if rounds is not None and int(rounds[1]) > MOST_ROUNDS:
            raise TooCostly(f"more than {MOST_ROUNDS} rounds")
        return bool(getattr(schemes, name).verify(password, stored.decode("ascii")))

    return check


_sha512_crypt = _unix_crypt("sha512_crypt")
_sha256_crypt = _unix_crypt("sha256_crypt")
_md5_crypt = _unix_crypt("md5_crypt")

_CRYPT_PREFIXES: dict[bytes, Checker] = {
    b"$1$": _md5_crypt,
    b"$2": _bcrypt,
    b"$5$": _sha256_crypt,
    b"$6$": _sha512_crypt,
}


def _crypt(password: bytes, stored: bytes) -> bool:
    for prefix, check in _CRYPT_PREFIXES.items():
        if stored.startswith(prefix):
            return check(password, stored)
    raise ValueError("of crypt(3) only $1$, $2y$, $5$ and $6$ are known here")


def _plain(password: bytes, stored: bytes) -> bool:
    return hmac.compare_digest(password, stored)


def _digest(name: str) -> Checker:
    """The digest of the password alone."""

    def check(password: bytes, stored: bytes) -> bool:
        expected = hashlib.new(name, password, usedforsecurity=False).digest()
        if len(stored) != len(expected):
            raise ValueError(f"not a digest of {len(expected)} octets")
        return hmac.compare_digest(expected, stored)

    return check


def _salted_digest(name: str) -> Checker:
    """The digest of the password and a salt, with the salt after it."""

    def check(password: bytes, stored: bytes) -> bool:
        size = hashlib.new(name, usedforsecurity=False).digest_size
        if len(stored) <= size:
            raise ValueError("there is no salt after the digest")
        digest, salt = stored[:size], stored[size:]
        expected = hashlib.new(name, password + salt, usedforsecurity=False).digest()
        return hmac.compare_digest(expected, digest)

    return check


def _pbkdf2(password: bytes, stored: bytes) -> bool:
    """Dovecot's own `$1$salt$rounds$hex`: HMAC-SHA1, 20 octets."""
    fields = stored.split(b"$")
    if len(fields) != 5 or fields[0] or fields[1] != b"1" or not fields[3].isdigit():
        raise ValueError("expected $1$salt$rounds$hash")
    rounds, digest = int(fields[3][:20]), binascii.unhexlify(fields[4])
    _check_iterations(rounds)
    expected = hashlib.pbkdf2_hmac("sha1", password, fields[2], rounds, 20)
    return hmac.compare_digest(expected, digest)


def _check_iterations(number: int) -> None:
    if number < 1:
        raise ValueError("the number of iterations is out of range")
    if number > MOST_ITERATIONS:
        raise TooCostly(f"more than {MOST_ITERATIONS} iterations")


def _scram_sha256(password: bytes, stored: bytes) -> bool:
    """Dovecot's `iterations,salt,stored key,server key` (RFC 5802 3)."""
    fields = stored.split(b",")
    if len(fields) != 4 or not fields[0].isdigit():
        raise ValueError("expected iterations,salt,stored key,server key")
    iterations = int(fields[0][:20])
    _check_iterations(iterations)
    salt, stored_key = _decoded(fields[1], ""), _decoded(fields[2], "")
    salted = hashlib.pbkdf2_hmac("sha256", password, salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    return hmac.compare_digest(hashlib.sha256(client_key).digest(), stored_key)


BASE64_SCHEMES: dict[str, tuple[Checker, int]] = {
    "SHA": (_digest("sha1"), 20),
    "SHA1": (_digest("sha1"), 20),
    "SHA256": (_digest("sha256"), 32),
    "SHA512": (_digest("sha512"), 64),
    "LDAP-MD5": (_digest("md5"), 16),
    "SSHA": (_salted_digest("sha1"), 0),
    "SSHA256": (_salted_digest("sha256"), 0),
    "SSHA512": (_salted_digest("sha512"), 0),
    "SMD5": (_salted_digest("md5"), 0),
}
"""Schemes stored in base64, or in hex where that is told by the length (octets, 0 if any)."""

HEX_SCHEMES: dict[str, tuple[Checker, int]] = {"PLAIN-MD5": (_digest("md5"), 16)}
"""Schemes stored in hex; base64 is told by the length."""

TEXT_SCHEMES: dict[str, Checker] = {
    "ARGON2ID": _argon2,
    "ARGON2I": _argon2,
    "BLF-CRYPT": _bcrypt,
    "SHA512-CRYPT": _sha512_crypt,
    "SHA256-CRYPT": _sha256_crypt,
    "MD5-CRYPT": _md5_crypt,
    "CRYPT": _crypt,
    "PBKDF2": _pbkdf2,
    "SCRAM-SHA-256": _scram_sha256,
    "PLAIN": _plain,
    "CLEARTEXT": _plain,
}
"""Schemes stored as the text itself."""

SCHEMES = (*TEXT_SCHEMES, *BASE64_SCHEMES, *HEX_SCHEMES)


def find_checker(scheme: str, value: str) -> tuple[Checker, bytes]:
    """The checker of `scheme` ("SSHA", "SSHA.hex") and `value` decoded for it.

    ValueError where there is no such scheme or the value is not in its encoding.
    """
    name, _, encoding = scheme.upper().partition(".")
    if encoding not in ("", "B64", "BASE64", "HEX"):
        raise ValueError("the encoding after the dot is .b64 or .hex")
    octets = value.encode("utf-8")
    if name in TEXT_SCHEMES:
        return TEXT_SCHEMES[name], _decoded(octets, encoding) if encoding else octets
    if name in BASE64_SCHEMES:
        checker, size = BASE64_SCHEMES[name]
        is_hex = bool(size) and len(octets) == 2 * size
        return checker, _decoded(octets, encoding or ("HEX" if is_hex else "B64"))
    if name in HEX_SCHEMES:
        checker, size = HEX_SCHEMES[name]
        return checker, _decoded(octets, encoding or ("HEX" if len(octets) == 2 * size else "B64"))
    raise ValueError("no such scheme")


def _decoded(octets: bytes, encoding: str) -> bytes:
    if encoding == "HEX":
        return binascii.unhexlify(octets)
    # Some programs leave the padding away.
    return base64.b64decode(octets + b"=" * (-len(octets) % 4), validate=True)
