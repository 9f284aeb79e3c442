"""Where accepted messages go, and how the connection there is protected."""

import ssl
from ipaddress import ip_address
from typing import Literal

import msgspec


class NextHopTls(msgspec.Struct, frozen=True):
    """TLS to the next hop. `wrapper`: from the first octet on (port 465); else STARTTLS.

    `required`: without TLS nothing is sent. What `context` checks of the certificate is checked
    before a password or a message is sent; see `client_context`.
    """

    context: ssl.SSLContext
    wrapper: bool = False
    required: bool = True
    server_name: str = ""
    """The name that the certificate has to be for, where that is not the host's."""


class NextHop(msgspec.Struct, frozen=True):
    """A server that takes what was accepted.

    `login` and `password` are ours there. `tell`: how it is told whose message it gets, where its
    EHLO offers that (XCLIENT_README, XFORWARD_README).
    """

    host: str
    port: int = 25
    tls: NextHopTls | None = None
    login: str = ""
    password: str = ""
    tell: Literal["", "xclient", "xforward"] = ""

    def __str__(self) -> str:
        return f"{self.host}[{self.port}]" if ":" in self.host else f"{self.host}:{self.port}"

    def __repr__(self) -> str:
        return f"NextHop({self.host!r}, {self.port})"

    @property
    def server_name(self) -> str:
        """The name that its certificate is checked against."""
        return (self.tls.server_name if self.tls else "") or self.host

    @property
    def is_this_host(self) -> bool:
        """Whether what is sent there leaves the machine: a password may go in the clear if not."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False


def client_context(
    level: Literal["may", "encrypt", "verify"], ca_file: str | None = None
) -> ssl.SSLContext:
    """A context as of Postfix's smtp_tls_security_level: only `verify` looks at the certificate.

    `ca_file` names the authorities that are trusted, the system's where there is none. Raises
    OSError for a file that can't be read.
    """
    context = ssl.create_default_context(cafile=ca_file)
    if level != "verify":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
