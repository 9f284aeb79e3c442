"""Stored passwords: made with argon2id, checked in any of Dovecot's common schemes.

A stored password is `{SCHEME}value` as doveadm-pw(1) prints it. Nothing here puts a password or
its hash into an error, a log or a repr.
"""

from maysend.directory.errors import DirectoryError
from maysend.directory.password_schemes import SCHEMES, TEXT_SCHEMES, TooCostly, find_checker

LONGEST_PASSWORD = 1024
"""Octets of a password; more would let a stranger buy work with bytes."""

_NOBODYS = (
    "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=4"
    "$bm9ib2R5IGhhcyB0aGlzIQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)
"""A hash with the parameters of `hash_password` that no password has."""


def hash_password(password: str) -> str:
    """`password` as argon2id with RFC 9106's parameters for little memory (64 MiB).

    DirectoryError for one that is empty, too long, or has a NUL.
    """
    import argon2

    reason = _unusable(password)
    if reason is not None:
        raise DirectoryError(f"the password {reason}")
    return "{ARGON2ID}" + argon2.PasswordHasher().hash(password.encode("utf-8", "surrogateescape"))


def check_hash(stored: str) -> None:
    """DirectoryError where `stored` is not a `{SCHEME}value` that `verify_password` can check."""
    scheme, value = check_scheme(stored)
    try:
        checker, octets = find_checker(scheme, value)
        if not octets or (b"\0" in octets and _is_text(scheme)):
            raise ValueError("nothing usable follows")
        checker(b"any password", octets)
    except TooCostly as problem:
        raise DirectoryError(f"a check of this hash would take too long: {problem}") from None
    except ValueError:
        raise DirectoryError(
            f"what follows {{{scheme}}} is not a password hash of that scheme"
        ) from None


def check_scheme(stored: str) -> tuple[str, str]:
    """Scheme and value; DirectoryError where `stored` does not begin with a scheme known here."""
    parts = _scheme_and_value(stored)
    if parts is None:
        hint = ": for one from crypt(3) write {CRYPT} before it" if stored.startswith("$") else ""
        raise DirectoryError(f"a password hash begins with its {{SCHEME}}{hint}")
    scheme, value = parts
    if scheme.upper().partition(".")[0] not in SCHEMES:
        raise DirectoryError(
            f"the password scheme {scheme[:40]!a} is not known, expected one of "
            + ", ".join(SCHEMES)
        )
    return scheme, value


def verify_password(password: str, stored: str) -> bool:
    """Whether `password` is the one that `stored` was made from; what can't be checked is not."""
    parts = _scheme_and_value(stored)
    if parts is None or _unusable(password) is not None:
        return False
    try:
        checker, octets = find_checker(*parts)
        return checker(password.encode("utf-8", "surrogateescape"), octets)
    except ValueError:
        return False


def verify_nobody(password: str, like: str | None = None) -> None:
    """Take as long as a check against the stored `like` would, where there is no account.

    Schemes differ in what a check costs; without `like` it is that of `hash_password`.
    """
    verify_password(password, like or _NOBODYS)


def _scheme_and_value(stored: str) -> tuple[str, str] | None:
    scheme, brace, value = stored.partition("}")
    if not brace or not scheme.startswith("{") or len(scheme) < 2:
        return None
    return scheme[1:], value


def _is_text(scheme: str) -> bool:
    return scheme.upper().partition(".")[0] in TEXT_SCHEMES


def _unusable(password: str) -> str | None:
    if not password:
        return "is empty"
    if "\0" in password:
        return "has a NUL character"
    if len(password.encode("utf-8", "surrogateescape")) > LONGEST_PASSWORD:
        return f"is over {LONGEST_PASSWORD} octets"
    return None
