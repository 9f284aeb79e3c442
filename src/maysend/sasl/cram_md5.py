"""CRAM-MD5 (RFC 2195): a keyed digest of a challenge proves the password without sending it.

Needs the password itself in the store (`{PLAIN}`). Without TLS whoever listens can try passwords
at home; `noactive` and `nodictionary` of smtpd_sasl_security_options leave it out.
"""

import hmac

from maysend.sasl.exchange import (
    FAILURE,
    Challenge,
    Circumstances,
    Proved,
    Question,
    SaslError,
    Step,
    decode_word,
)
from maysend.sasl.stored import Secret

DIGEST_LENGTH = 32
"""Hex digits."""


class CramMd5:
    """One CRAM-MD5 exchange."""

    def __init__(self, circumstances: Circumstances) -> None:
        self._challenge = f"<{circumstances.nonce}@{circumstances.hostname}>".encode()
        self._digest = b""

    def start(self, initial: bytes | None) -> Step:
        """Give the challenge; the client has nothing to say before it. Raises SaslError."""
        if initial is not None:
            raise SaslError("CRAM-MD5 takes no initial response")
        return Challenge(self._challenge)

    def respond(self, response: bytes) -> Step:
        """Take `login digest`. Raises SaslError."""
        login, _, self._digest = response.rpartition(b" ")
        if len(self._digest) != DIGEST_LENGTH:
            raise SaslError("malformed CRAM-MD5 response")
        return Question(decode_word(login, "login"))

    def informed(self, login: str, secret: Secret | None) -> Step:
        """Compare the digests. Raises SaslError."""
        known = secret is not None and secret.password is not None
        # The digest is made of something in any case: how long it takes must tell nothing.
        key = (secret.password or "") if secret is not None else ""
        expected = hmac.new(key.encode("utf-8", "surrogateescape"), self._challenge, "md5")
        right = hmac.compare_digest(expected.hexdigest().encode(), self._digest.lower())
        if not (known and right):
            raise SaslError(FAILURE)
        return Proved(login)
