"""What smtpd takes for a host name or an address (reject_invalid_helo_hostname and its like).

Syntax only, no DNS: valid_hostname(3) and valid_mailhost_addr(3) of Postfix.
"""

import re
from typing import Final

_LONGEST_NAME: Final = 255
_LONGEST_LITERAL: Final = 64
"""Postfix copies what is in the brackets into a buffer of this size, its final NUL included."""

_LABEL: Final = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOSTNAME: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_NUMERIC: Final = re.compile(r"[0-9.]*")
_OCTET: Final = re.compile(r"[0-9]+")
_HEXADECIMAL: Final = re.compile(r"[0-9A-Fa-f]{1,4}")
_IPV6_PREFIX: Final = "ipv6:"


def is_valid_hostname(name: str) -> bool:
    """Whether `name` can be a host name: labels of letters, digits, `-` and `_`, not all numeric.

    A final dot is not allowed. ASCII only; `maysend.address.idn` judges internationalised names.
    """
    return (
        len(name) <= _LONGEST_NAME
        and _HOSTNAME.fullmatch(name) is not None
        and _NUMERIC.fullmatch(name) is None
    )


def is_valid_address(text: str) -> bool:
    """Whether `text` is a bare IPv4 or IPv6 address."""
    return is_valid_ipv6(text) if ":" in text else is_valid_ipv4(text)


def is_valid_ipv4(text: str) -> bool:
    """Whether `text` is an IPv4 address: four numbers up to 255; 0.x.y.z only as 0.0.0.0."""
    octets = text.split(".")
    if len(octets) != 4 or not all(_OCTET.fullmatch(octet) for octet in octets):
        return False
    if any(len(octet.lstrip("0")) > 3 or int(octet) > 255 for octet in octets):
        return False
    return int(octets[0]) > 0 or not text.strip("0.")


def is_valid_ipv6(text: str) -> bool:
    """Whether `text` is an IPv6 address, `::` and a final IPv4 address allowed (RFC 4291 2.2)."""
    fields = text.split(":")
    colons = len(fields) - 1
    if "." in fields[-1]:
        if not 2 <= colons <= 6 or not is_valid_ipv4(fields.pop()):
            return False
    elif not 2 <= colons <= 7:
        return False
    if text.count("::") > 1 or ":::" in text:
        return False
    if fields[0] == "" and not text.startswith("::"):
        return False
    if text.endswith(":") and not text.endswith("::"):
        return False
    return all(_HEXADECIMAL.fullmatch(field) for field in fields if field)


def is_valid_mailhost_address(text: str) -> bool:
    """Whether `text` may stand in brackets: an IPv4 address, or `IPv6:` and an IPv6 address."""
    if text[: len(_IPV6_PREFIX)].lower() == _IPV6_PREFIX:
        return is_valid_ipv6(text[len(_IPV6_PREFIX) :])
    return is_valid_ipv4(text)


def is_valid_address_literal(text: str) -> bool:
    """Whether `text` is an address literal with its brackets (RFC 5321 4.1.3): `[192.0.2.1]`."""
    if not (text.startswith("[") and text.endswith("]")):
        return False
    return len(text) - 2 < _LONGEST_LITERAL and is_valid_mailhost_address(text[1:-1])
