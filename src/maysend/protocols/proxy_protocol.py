"""HAProxy's PROXY protocol, versions 1 and 2: whose connection a proxy brings.

The header comes before everything else, TLS included, and what follows it belongs to the next
layer: so `wanted` says how many octets may be read, and never is that more than the header has.
(HAProxy's proxy-protocol.txt, sections 2.1 and 2.2.)
"""

import ipaddress
import re
from struct import unpack_from

import msgspec

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
"""Of version 2."""

BEGINNING = 8
"""Octets that tell the versions apart; the shortest header has more."""

LONGEST_LINE = 107
FIXED_PART = 16
LONGEST_ADDRESSES = 2048
"""Octets of addresses and extensions in version 2; the format would allow 65535."""

LINE = re.compile(
    rb"PROXY (TCP4|TCP6) ([0-9a-fA-F.:]{2,45}) ([0-9a-fA-F.:]{2,45}) (\d{1,5}) (\d{1,5})\r\n"
)
FAMILIES = {0x11: (4, 12), 0x21: (16, 36)}
"""TCP over IPv4 and IPv6: octets of an address, and of both with their ports."""


class ProxyError(Exception):
    """What came is no PROXY header."""


class Proxied(msgspec.Struct, frozen=True):
    """Whose connection it is; empty where it is the proxy's own (UNKNOWN, LOCAL)."""

    client_address: str = ""
    client_port: int = 0
    server_address: str = ""
    server_port: int = 0


class ProxyReader:
    """Reads one header. `result` is there when it is complete; `wanted` is then 0."""

    def __init__(self) -> None:
        self.wanted = BEGINNING
        self.result: Proxied | None = None
        self._input = b""

    def receive(self, octets: bytes) -> None:
        """Take at most `wanted` octets. Raises ProxyError, after which nothing can be read."""
        if len(octets) > self.wanted:
            raise ValueError("more octets than were wanted")
        self._input += octets
        self.wanted -= len(octets)
        if self.wanted == 0:
            self._go_on()

    def _go_on(self) -> None:
        if self._input.startswith(SIGNATURE[:BEGINNING]):
            self._second_version()
        elif self._input.startswith(b"PROXY "):
            self._first_version()
        else:
            raise ProxyError("no PROXY header")

    def _first_version(self) -> None:
        """One line, read octet by octet: its length is not known before its end."""
        if not self._input.endswith(b"\n"):
            if len(self._input) >= LONGEST_LINE:
                raise ProxyError("a PROXY line that is too long")
            self.wanted = 1
            return
        if self._input.startswith(b"PROXY UNKNOWN") and self._input.endswith(b"\r\n"):
            self.result = Proxied()
            return
        found = LINE.fullmatch(self._input)
        if found is None:
            raise ProxyError("a malformed PROXY line")
        addresses = [_address(found[n].decode("ascii"), found[1]) for n in (2, 3)]
        ports = [int(found[4]), int(found[5])]
        if max(ports) > 65535:
            raise ProxyError("a port that is none")
        self.result = Proxied(addresses[0], ports[0], addresses[1], ports[1])

    def _second_version(self) -> None:
        if len(self._input) < FIXED_PART:
            self.wanted = FIXED_PART - len(self._input)
            return
        if not self._input.startswith(SIGNATURE) or self._input[12] >> 4 != 2:
            raise ProxyError("no PROXY header")
        (length,) = unpack_from("!H", self._input, 14)
        if length > LONGEST_ADDRESSES:
            raise ProxyError("a PROXY header that is too long")
        self.wanted = FIXED_PART + length - len(self._input)
        if self.wanted == 0:
            self.result = self._addresses()

    def _addresses(self) -> Proxied:
        command, family = self._input[12] & 15, self._input[13]
        if command == 0:
            return Proxied()
        size, total = FAMILIES.get(family, (0, 0))
        if command != 1 or not size or len(self._input) < FIXED_PART + total:
            raise ProxyError("a PROXY header without a TCP address")
        start = FIXED_PART
        client = str(ipaddress.ip_address(self._input[start : start + size]))
        server = str(ipaddress.ip_address(self._input[start + size : start + 2 * size]))
        client_port, server_port = unpack_from("!HH", self._input, start + 2 * size)
        return Proxied(client, client_port, server, server_port)


def _address(text: str, family: bytes) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise ProxyError("an address that is none") from None
    if address.version != int(family[3:]):
        raise ProxyError("an address of another family")
    return str(address)
