"""SASLprep (RFC 4013): logins and passwords in one form, so that both ends hash the same octets."""

import stringprep
import unicodedata
from collections.abc import Callable

PROHIBITED: tuple[Callable[[str], bool], ...] = (
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)


class Prohibited(Exception):
    """The text has a character that RFC 4013 2.3 does not allow, or mixes directions."""


def saslprep(text: str) -> str:
    """`text` mapped, normalised and checked. Raises Prohibited."""
    if text.isascii() and text.isprintable():
        return text
    mapped = "".join(
        " " if stringprep.in_table_c12(c) else c for c in text if not stringprep.in_table_b1(c)
    )
    prepared = unicodedata.ucd_3_2_0.normalize("NFKC", mapped)
    if any(prohibits(c) for c in prepared for prohibits in PROHIBITED):
        raise Prohibited
    if any(map(stringprep.in_table_d1, prepared)):
        _check_direction(prepared)
    return prepared


def _check_direction(text: str) -> None:
    """RFC 3454 6: text of right-to-left letters begins and ends with one and has no other kind."""
    ends = stringprep.in_table_d1(text[0]) and stringprep.in_table_d1(text[-1])
    if not ends or any(map(stringprep.in_table_d2, text)):
        raise Prohibited
