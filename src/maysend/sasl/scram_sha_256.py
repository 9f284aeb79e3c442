"""SCRAM-SHA-256 (RFC 7677, RFC 5802): both ends prove that they know the password.

Works with `{PLAIN}` and `{SCRAM-SHA-256}`. A login without an account, or with a password stored
otherwise, is given a made-up salt and fails at the end, after the same work. There is no channel
binding: the PLUS form is not offered.
"""

import base64
import binascii
import hashlib
import hmac
import re

from maysend.sasl.exchange import (
    FAILURE,
    Challenge,
    Circumstances,
    Proved,
    Question,
    SaslError,
    Step,
)
from maysend.sasl.stored import ITERATIONS, ScramKeys, Secret, made_salt, make_keys

LONGEST_NONCE = 256
CLIENT_FIRST = re.compile(
    r"(?P<header>[ny],(?:a=(?P<authzid>[^,\0]+))?,)"
    r"(?P<bare>n=(?P<name>[^,\0]+),r=(?P<nonce>[!-+\--~]+)(?:,[a-zA-Z]=[^,\0]*)*)"
)
CLIENT_FINAL = re.compile(
    r"(?P<unproved>c=(?P<binding>[A-Za-z0-9+/=]+),r=(?P<nonce>[!-+\--~]+)(?:,[a-zA-Z]=[^,\0]*)*)"
    r",p=(?P<proof>[A-Za-z0-9+/=]+)"
)
MALFORMED = "malformed SCRAM message"


class ScramSha256:
    """One SCRAM-SHA-256 exchange."""

    def __init__(self, circumstances: Circumstances) -> None:
        self._circumstances = circumstances
        self._header = ""
        self._client_first = ""
        self._server_first = ""
        self._nonce = ""
        self._claimed = ""
        self._login = ""
        self._keys: ScramKeys | None = None
        self._known = False
        self._proved = False

    def start(self, initial: bytes | None) -> Step:
        """Ask for the client's first message where the AUTH command had none."""
        return Challenge() if initial is None else self.respond(initial)

    def respond(self, response: bytes) -> Step:
        """Take the first message, the final message, then the empty answer to ours."""
        if self._proved:
            if response:
                raise SaslError(MALFORMED)
            return Proved(self._login)
        try:
            text = response.decode("utf-8")
        except UnicodeDecodeError:
            raise SaslError(MALFORMED) from None
        return self._final(text) if self._server_first else self._first(text)

    def informed(self, login: str, secret: Secret | None) -> Step:
        """Answer the first message with nonce, salt and iteration count."""
        self._login = login
        # By the name that was claimed: the canonical one would be seen to stand behind an alias.
        salt = made_salt(self._circumstances.salt_key, self._claimed.casefold())
        # Made even where they are stored: every login costs the same.
        made = make_keys((secret.password if secret else None) or "", salt, ITERATIONS)
        self._keys = secret.keys if secret and secret.keys else made
        self._known = secret is not None
        encoded = base64.b64encode(self._keys.salt).decode("ascii")
        self._server_first = f"r={self._nonce},s={encoded},i={self._keys.iterations}"
        return Challenge(self._server_first.encode())

    def _first(self, text: str) -> Step:
        found = CLIENT_FIRST.fullmatch(text)
        if found is None or len(found["nonce"]) > LONGEST_NONCE:
            raise SaslError(MALFORMED)
        login = _name(found["name"])
        if found["authzid"] is not None and _name(found["authzid"]) != login:
            raise SaslError("authorization identity differs from the login")
        self._header, self._client_first = found["header"], found["bare"]
        self._nonce = found["nonce"] + self._circumstances.nonce
        self._claimed = login
        return Question(login)

    def _final(self, text: str) -> Step:
        found = CLIENT_FINAL.fullmatch(text)
        if found is None or self._keys is None:
            raise SaslError(MALFORMED)
        binding, proof = _decoded(found["binding"]), _decoded(found["proof"])
        if binding != self._header.encode() or found["nonce"] != self._nonce:
            raise SaslError(MALFORMED)
        message = ",".join((self._client_first, self._server_first, found["unproved"])).encode()
        signature = hmac.digest(self._keys.stored_key, message, "sha256")
        if len(proof) != len(signature):
            raise SaslError(MALFORMED)
        client_key = bytes(a ^ b for a, b in zip(proof, signature, strict=True))
        stored = hashlib.sha256(client_key).digest()
        if not (hmac.compare_digest(stored, self._keys.stored_key) and self._known):
            raise SaslError(FAILURE)
        self._proved = True
        ours = hmac.digest(self._keys.server_key, message, "sha256")
        return Challenge(b"v=" + base64.b64encode(ours))


def _name(text: str) -> str:
    """A name with `=2C` and `=3D` undone; no other `=` may stand in it (RFC 5802 5.1)."""
    if re.search("=(?!2C|3D)", text):
        raise SaslError(MALFORMED)
    return text.replace("=2C", ",").replace("=3D", "=")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise SaslError(MALFORMED) from None
