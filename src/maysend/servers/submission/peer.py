"""What is known about the client of one dialogue."""

import re

import msgspec

UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class Peer(msgspec.Struct):
    """Filled in as the dialogue goes on; STARTTLS empties what was said before it."""

    address: str
    name: str = "unknown"
    server_address: str = ""
    helo_name: str = ""
    esmtp: bool = False
    tls: str = ""
    login: str = ""
    method: str = ""

    def __str__(self) -> str:
        """As Postfix writes it in its log: name[address]."""
        return f"{self.name}[{self.address}]"

    def log_fields(self) -> str:
        """The login, where there is one, as Postfix logs it."""
        if not self.login:
            return ""
        return f", sasl_method={self.method}, sasl_username={printable(self.login)}"


def printable(text: str) -> str:
    """`text` for one line of a log: control characters become question marks."""
    return UNPRINTABLE.sub("?", text)
