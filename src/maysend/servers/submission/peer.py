"""What is known about the client of one dialogue."""

import re
from ipaddress import ip_address
from typing import Final

from maysend.protocols.smtp.commands import CommandError
from maysend.protocols.smtp.xclient import XclientFacts
from maysend.reply import Reply

UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class Peer:
    """Filled in as the dialogue goes on; STARTTLS empties what was said before it."""

    def __init__(
        self, address: str, *, port: str = "", server_address: str = "", server_port: str = ""
    ) -> None:
        self.address = address
        self.name = "unknown"
        self.reverse_name = "unknown"
        self.port = port
        self.server_address = server_address
        self.server_port = server_port
        self.helo_name = ""
        self.esmtp = False
        self.tls = ""
        """Protocol and cipher, as Postfix words it."""
        self.cipher_suite = ""
        """As the tls clause of a Received: line names it (RFC 8314 4.3)."""
        self.login = ""
        self.method = ""

    def __str__(self) -> str:
        """As Postfix writes it in its log: name[address]."""
        return f"{self.name}[{self.address}]"

    def log_fields(self) -> str:
        """The login, where there is one, as Postfix logs it."""
        if not self.login:
            return ""
        return f", sasl_method={self.method}, sasl_username={printable(self.login)}"


def become(peer: Peer, facts: XclientFacts) -> None:
    """Make `peer` the client that an XCLIENT command names. Raises CommandError, then unchanged."""
    written = facts.get("ADDR", peer.address)
    address = written.removeprefix("IPV6:").removeprefix("ipv6:") if written else "unknown"
    if address != "unknown" and not _is_address(address):
        raise CommandError(Reply(501, "5.5.4", "Error: bad ADDR value"))
    peer.address = address
    peer.name = facts.get("NAME", peer.name) or "unknown"
    peer.reverse_name = facts.get("REVERSE_NAME", peer.name) or "unknown"
    peer.port = facts.get("PORT", peer.port)
    peer.server_address = facts.get("DESTADDR", peer.server_address)
    peer.server_port = facts.get("DESTPORT", peer.server_port)
    peer.helo_name = facts.get("HELO", "")
    peer.esmtp = facts.get("PROTO", "ESMTP").upper() == "ESMTP"
    peer.login = facts.get("LOGIN", "")
    peer.method = "XCLIENT" if peer.login else ""


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def printable(text: str) -> str:
    """`text` for one line of a log: control characters become question marks."""
    return text if text.isprintable() else UNPRINTABLE.sub("?", text)
