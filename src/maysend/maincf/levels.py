"""Comparisons in `${{a} op {b} ? {x} : {y}}`, those of compatibility levels included.

Source: postconf(5) at the top; COMPATIBILITY_README, "compatibility_level".
"""

import operator
import re
from collections.abc import Callable
from typing import Any, TypeAlias

Relation: TypeAlias = Callable[[Any, Any], bool]

RELATIONS: dict[str, Relation] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">=": operator.ge,
    ">": operator.gt,
}
"""The operators; each may have the suffix `level`, `<level`."""

_LARGEST = 2**63 - 1
_PART = r"[ \t\n\v\f\r]*\+?0*([0-9]{1,9})"  # as strtol(3) reads it
_LEVEL = re.compile(rf"{_PART}(?:\.{_PART}(?:\.{_PART})?)?")
_LIMITS = (2047, 1023, 1023)


def holds(relation: Relation, left: str, right: str) -> bool:
    """Compare as numbers where both are all digits, else as octets.

    Raises ValueError for a number that is beyond 63 bits.
    """
    if _is_all_digits(left) and _is_all_digits(right):
        return relation(_number(left), _number(right))
    return relation(_octets(left), _octets(right))


def level_holds(relation: Relation, left: str, right: str) -> bool:
    """Compare compatibility levels, "3.6" before "3.10"; raises ValueError where one is none."""
    return relation(_level(left), _level(right))


def _is_all_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _number(digits: str) -> int:
    significant = digits.lstrip("0")
    if len(significant) > 19 or int(significant or "0") > _LARGEST:
        raise ValueError(f"number out of range: {digits[:40]}")
    return int(significant or "0")


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _level(text: str) -> tuple[int, int, int]:
    found = _LEVEL.fullmatch(text)
    parts = tuple(int(part or "0") for part in found.groups()) if found else ()
    if not found or any(part > most for part, most in zip(parts, _LIMITS, strict=True)):
        raise ValueError(f'malformed compatibility level syntax: "{text[:40]}"')
    major, minor, patch = parts
    return major, minor, patch
