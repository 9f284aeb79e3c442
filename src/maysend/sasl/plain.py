r"""PLAIN (RFC 4616): `[authorization identity] NUL login NUL password` in one response.

The authorization identity must be empty or the login itself: nobody acts as somebody else by
means of SASL; `grant` says who may send as whom.
"""

from maysend.sasl.exchange import Challenge, Claim, SaslError, Step, decode_word


class Plain:
    """One PLAIN exchange."""

    def start(self, initial: bytes | None) -> Step:
        """Ask for the response where the AUTH command had none."""
        return Challenge() if initial is None else self.respond(initial)

    def respond(self, response: bytes) -> Step:
        """Read the one response. Raises SaslError."""
        parts = response.split(b"\0")
        if len(parts) != 3:
            raise SaslError("malformed PLAIN response")
        authorization, login, password = parts
        if authorization not in (b"", login):
            raise SaslError("authorization identity differs from the login")
        return Claim(decode_word(login, "login"), decode_word(password, "password"))
