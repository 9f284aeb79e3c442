"""How a key is put into a search filter and into a search base, so that it stays a plain value."""

import re

_SPECIAL_IN_FILTER = re.compile(r"[*()\\\0]")
_SPECIAL_IN_NAME = re.compile(r'[ \t"#+,;<>\\\0]')


def quote_for_filter(value: str) -> str:
    """`value` as it stands in a filter (RFC 2254, section 4): `*` becomes `\\2A`."""
    return _SPECIAL_IN_FILTER.sub(_hexadecimal, value)


def quote_for_name(value: str) -> str:
    """`value` as it stands in a distinguished name (RFC 2253, section 2.4)."""
    return _SPECIAL_IN_NAME.sub(_hexadecimal, value)


def _hexadecimal(match: re.Match[str]) -> str:
    return f"\\{ord(match[0]):02X}"
