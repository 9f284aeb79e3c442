"""Parameter values as Postfix converts them: yes or no, numbers, times (postconf(5))."""

import re

YES_OR_NO = {"yes": True, "no": False}

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
"""Seconds in each time unit."""

_LARGEST = 2**31 - 1
_INTEGER = re.compile(r"[ \t\n\v\f\r]*([+-]?)([0-9]+)")


def boolean(text: str) -> bool:
    """`yes` or `no`, in either case; raises ValueError for anything else."""
    value = YES_OR_NO.get(text.lower()) if text.isascii() else None
    if value is None:
        raise ValueError(f'expected "yes" or "no", found "{text[:40]}"')
    return value


def integer(text: str) -> int:
    """A decimal number of 32 bits; raises ValueError."""
    found = _INTEGER.fullmatch(text)
    value = _number(found) if found else None
    if value is None:
        raise ValueError(f'expected a whole number, found "{text[:40]}"')
    return value


def seconds(text: str, unit: str) -> int:
    """A time as `3600`, `60m` or `1h` in seconds; `unit` holds where none is written."""
    found = _INTEGER.match(text)
    value = _number(found) if found else None
    written = text[found.end() : found.end() + 1] if found else ""  # Postfix ignores the rest
    factor = UNITS.get(written or unit)
    if text[:1] in UNITS:
        return 0  # strtol(3) takes a unit without a number for nothing
    if value is None or factor is None or value < 0 or value > _longest(factor):
        wanted = "a time (a number, and optionally one of s m h d w)"
        raise ValueError(f'expected {wanted}, found "{text[:40]}"')
    return value * factor


def unit_of(default: str) -> str:
    """The unit of a time parameter: the one that its default is written with."""
    return next((letter for letter in default if letter.isalpha()), "s")


def _longest(factor: int) -> int:
    """The largest number before a unit of `factor` seconds, as conv_time() bounds it."""
    return _LARGEST if factor == 1 else _LARGEST // factor - 1


def _number(found: re.Match[str]) -> int | None:
    digits = found[2].lstrip("0") or "0"
    if len(digits) > 10:
        return None
    value = -int(digits) if found[1] == "-" else int(digits)
    return value if -_LARGEST - 1 <= value <= _LARGEST else None
