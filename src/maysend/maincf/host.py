"""What Postfix takes from the machine that it runs on; asked only when a parameter needs it."""

from collections.abc import Callable
from functools import cached_property

import msgspec

VERSION_WITHOUT_POSTFIX = "3.7.11"
"""$mail_version where no Postfix is installed: the one whose rules the tests compare with."""


class Interface(msgspec.Struct, frozen=True):
    """An address of a network interface, and the length of its network's prefix."""

    address: str
    prefix: int


class Host:
    """The machine's name, its interfaces' addresses and the version of its Postfix.

    What is given stands instead of what the machine says, so that a test, or a configuration read
    elsewhere, gets the same answer everywhere.
    """

    def __init__(
        self,
        name: str | None = None,
        interfaces: tuple[Interface, ...] | None = None,
        mail_version: str | None = None,
        resolve: Callable[[str], list[str]] | None = None,
    ) -> None:
        self.resolve = resolve or addresses_of
        if name is not None:
            self.name = name
        if interfaces is not None:
            self.interfaces = interfaces
        if mail_version is not None:
            self.mail_version = mail_version

    @cached_property
    def name(self) -> str:
        """gethostname(2)."""
        import socket  # what reads main.cf only for its tables never needs it

        return socket.gethostname()

    @cached_property
    def interfaces(self) -> tuple[Interface, ...]:
        """The addresses of all interfaces that are up, IPv4 first."""
        from maysend.maincf.ifaddrs import active_interfaces  # loads ctypes, seldom needed

        return active_interfaces()

    @cached_property
    def mail_version(self) -> str:
        """The version of the installed Postfix, VERSION_WITHOUT_POSTFIX where there is none."""
        import subprocess  # seldom needed

        try:
            asked = subprocess.run(
                ["postconf", "-dh", "mail_version"],
                capture_output=True, text=True, timeout=5, check=True,
            )  # fmt: skip
        except (OSError, subprocess.SubprocessError):
            return VERSION_WITHOUT_POSTFIX
        return asked.stdout.strip() or VERSION_WITHOUT_POSTFIX


def addresses_of(name: str) -> list[str]:
    """The addresses of a host name, through the system's resolver; empty where it has none."""
    import socket

    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return list(dict.fromkeys(str(sockaddr[0]).partition("%")[0] for *_, sockaddr in found))
