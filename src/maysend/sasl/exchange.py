"""What a mechanism says and hears: challenges, responses, and in the end a login.

The texts are those that a Postfix smtpd puts after `535 5.7.8 Error: authentication failed:`.
"""

import base64
import binascii
from typing import Protocol

import msgspec

from maysend.sasl.stored import Secret

FAILURE = "authentication failure"
"""The reason for whatever the client may not learn more of."""


class SaslError(Exception):
    """The exchange failed; the text never holds what the client sent."""


class Cancelled(Exception):
    """The client sent `*` (RFC 4954 4)."""


class Challenge(msgspec.Struct, frozen=True):
    """Octets for the client to answer."""

    octets: bytes = b""

    def encode(self) -> str:
        """As it stands after `334 `."""
        return base64.b64encode(self.octets).decode("ascii")


class Claim(msgspec.Struct, frozen=True):
    """A login and the password that is to prove it. Its repr shows no password."""

    login: str
    password: str

    def __repr__(self) -> str:
        return f"Claim(login={self.login!r})"


class Question(msgspec.Struct, frozen=True):
    """What is stored for `login` has to be told to `informed` before the exchange goes on."""

    login: str


class Proved(msgspec.Struct, frozen=True):
    """The client has proved to be `login`, in its canonical form."""

    login: str


class Circumstances(msgspec.Struct, frozen=True):
    """What an exchange is given from outside: chance, and who we are.

    `nonce`: printable, never used before. `salt_key`: secret octets from which the salts of
    logins without an account are made; the same for all workers, or they would give them away.
    """

    hostname: str
    nonce: str
    salt_key: bytes

    def __repr__(self) -> str:
        return f"Circumstances(hostname={self.hostname!r})"


Step = Challenge | Claim | Question | Proved


class Mechanism(Protocol):
    """One exchange; an object serves one AUTH command."""

    def start(self, initial: bytes | None) -> Step:
        """Begin, with the initial response where there is one. Raises SaslError."""

    def respond(self, response: bytes) -> Step:
        """Go on with a response. Raises SaslError."""


class AskingMechanism(Mechanism, Protocol):
    """A mechanism that asks Questions: it checks by itself, with what is stored."""

    def informed(self, login: str, secret: Secret | None) -> Step:
        """Go on with the canonical login and what is stored for it; None: nothing usable.

        Raises SaslError. A login without an account is not told from one with another password.
        """


def decode_initial(text: str) -> bytes:
    """An initial response: base64, or `=` for one without octets (RFC 4954 4)."""
    return b"" if text == "=" else _decode(text, "initial")


def decode_response(text: str) -> bytes:
    """A response line. Raises Cancelled for `*`, SaslError for what is no base64."""
    if text == "*":
        raise Cancelled
    return _decode(text, "continued")


def _decode(text: str, which: str) -> bytes:
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError, ValueError):
        # Not chained: the cause's traceback would carry the client's secret.
        raise SaslError(f"Invalid base64 data in {which} response") from None


def decode_word(octets: bytes, what: str) -> str:
    """A login or password: UTF-8, not empty, no NUL. Raises SaslError."""
    if not octets:
        raise SaslError(f"empty {what}")
    if b"\0" in octets:
        raise SaslError(f"NUL in {what}")
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        raise SaslError(f"{what} is not UTF-8") from None
