"""getifaddrs(3), which Python's library lacks: the addresses of the network interfaces."""

import ctypes
import socket
import sys
from collections.abc import Iterator
from typing import Any

from maysend.maincf.host import Interface

_IS_UP = 0x1
_FAMILY_IS_SECOND_OCTET = sys.platform == "darwin" or "bsd" in sys.platform
_ADDRESSES = {socket.AF_INET: (4, 4), socket.AF_INET6: (8, 16)}
"""Offset and length of the address in a sockaddr of each family."""


class _IfAddrs(ctypes.Structure):
    """struct ifaddrs."""


_IfAddrs._fields_ = [
    ("next", ctypes.POINTER(_IfAddrs)),
    ("name", ctypes.c_char_p),
    ("flags", ctypes.c_uint),
    ("address", ctypes.c_void_p),
    ("netmask", ctypes.c_void_p),
]


def active_interfaces() -> tuple[Interface, ...]:
    """The addresses of all interfaces that are up, IPv4 first, as Postfix lists them.

    Raises OSError where the system has no getifaddrs(3) or refuses.
    """
    library = ctypes.CDLL(None, use_errno=True)
    first = ctypes.POINTER(_IfAddrs)()
    if library.getifaddrs(ctypes.byref(first)) != 0:
        raise OSError(ctypes.get_errno(), "getifaddrs")
    try:
        found = list(_entries(first))
    finally:
        library.freeifaddrs(first)
    return tuple(item for family in _ADDRESSES for item in found if _is_of(item, family))


def _entries(entry: Any) -> Iterator[Interface]:
    while entry:
        fields = entry.contents
        family = _family(fields.address)
        if fields.flags & _IS_UP and family in _ADDRESSES:
            address = _octets(fields.address, family)
            mask = _octets(fields.netmask, family) if fields.netmask else b"\xff" * len(address)
            prefix = sum(octet.bit_count() for octet in mask)
            yield Interface(socket.inet_ntop(family, address), prefix)
        entry = fields.next


def _family(address: int | None) -> int:
    if not address:
        return -1
    head = ctypes.string_at(address, 2)
    return head[1] if _FAMILY_IS_SECOND_OCTET else int.from_bytes(head, sys.byteorder)


def _octets(address: int, family: int) -> bytes:
    offset, length = _ADDRESSES[socket.AddressFamily(family)]
    return ctypes.string_at(address + offset, length)


def _is_of(interface: Interface, family: int) -> bool:
    return (":" in interface.address) == (family == socket.AF_INET6)
