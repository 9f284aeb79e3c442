"""Domains in header addresses: RFC 5321 names and literals, and IDNA 2008 (RFC 5891)."""

import unicodedata
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

from maysend.header.defects import LONGEST_DOMAIN, HeaderDefect

_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
_LONGEST_LABEL: Final = 63


def parse_domain(text: str) -> str:
    """The domain as it is looked up: in form NFC. Raises HeaderDefect for what no domain can be.

    An underscore is allowed, as Postfix allows it. What is not ASCII, and A-labels, must be valid
    by RFC 5891 5.3 and 5.4: nothing is mapped from one character to another but upper to lower
    case, so that a full-width letter or a ligature is a defect and no spelling of another name.
    """
    if text.startswith("["):
        return _literal(text)
    if text.isascii() and "xn--" not in text.lower():
        _check_labels(text)
        return text
    if len(text) > LONGEST_DOMAIN:
        raise HeaderDefect(f"a domain has more than {LONGEST_DOMAIN} octets")
    name = unicodedata.normalize("NFC", text.lower())
    _check_labels(to_ascii(name))
    return name


def spellings(domain: str) -> tuple[str, ...]:
    """The domain as given, then with A-labels, then with U-labels: one name, three keys.

    One that is not valid has only itself.
    """
    if domain.startswith("[") or (domain.isascii() and "xn--" not in domain):
        return (domain,)
    try:
        return tuple(dict.fromkeys((domain, to_ascii(domain), _to_unicode(domain))))
    except HeaderDefect:
        return (domain,)


def to_ascii(domain: str) -> str:
    """The domain with A-labels. Raises HeaderDefect where it has none."""
    import idna  # its tables of Unicode are only for who needs them

    try:
        return idna.encode(domain, strict=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        raise HeaderDefect("a domain is not valid in IDNA 2008") from None


def _to_unicode(domain: str) -> str:
    import idna

    try:
        return idna.decode(domain, strict=True)
    except (idna.IDNAError, UnicodeError):
        raise HeaderDefect("a domain is not valid in IDNA 2008") from None


def _check_labels(name: str) -> None:
    if len(name) > LONGEST_DOMAIN:
        raise HeaderDefect(f"a domain has more than {LONGEST_DOMAIN} octets")
    for label in name.split("."):
        if not label:
            raise HeaderDefect("a domain has an empty label")
        if len(label) > _LONGEST_LABEL:
            raise HeaderDefect(f"a domain has a label of more than {_LONGEST_LABEL} octets")
        if not _LETTERS.issuperset(label) or label[0] == "-" or label[-1] == "-":
            raise HeaderDefect("a domain has a label that can be in no domain name")


def _literal(text: str) -> str:
    """An address literal (RFC 5321 4.1.3)."""
    inside = text[1:-1]
    try:
        if inside[:5].lower() == "ipv6:":
            IPv6Address(inside[5:])
        else:
            IPv4Address(inside)
    except AddressValueError:
        raise HeaderDefect("an address literal that is no IP address") from None
    return text
