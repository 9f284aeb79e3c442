"""LOGIN (draft-murchison-sasl-login): asks for the login, then the password.

Obsolete, and still the only one that some clients know. An initial response is the login.
"""

from maysend.sasl.exchange import Challenge, Claim, Step, decode_word


class Login:
    """One LOGIN exchange."""

    def __init__(self) -> None:
        self._login: str | None = None

    def start(self, initial: bytes | None) -> Step:
        """Ask for the login, or take it from the AUTH command."""
        return Challenge(b"Username:") if initial is None else self.respond(initial)

    def respond(self, response: bytes) -> Step:
        """Take the login first, then the password. Raises SaslError."""
        if self._login is None:
            self._login = decode_word(response, "login")
            return Challenge(b"Password:")
        return Claim(self._login, decode_word(response, "password"))
