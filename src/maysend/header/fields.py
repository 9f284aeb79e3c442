"""The fields of a header that say who a message is from (RFC 5322 3.6.2 and 3.6.6)."""

import re
from collections.abc import Iterable
from typing import Final

from maysend.header.defects import LONGEST_FIELD, LONGEST_LINE, HeaderDefect
from maysend.header.parts import ORIGINATORS, Field

_LOOKED_AT: Final = frozenset(name.lower().encode() for name in ORIGINATORS)
_FOLD: Final = re.compile(r"\r?\n(?=[ \t]+[^ \t\r\n])")


def originator_fields(octets: bytes) -> tuple[Field, ...]:
    """Those of a header block's fields that say who the message is from, in order."""
    fields: list[Field] = []
    lines = octets.split(b"\n")
    at = 0
    while at < len(lines):
        name, colon, value = lines[at].partition(b":")
        at += 1
        if not colon or name.rstrip(b" \t").lower() not in _LOOKED_AT:
            continue
        folded = [value]
        while at < len(lines) and lines[at].startswith((b" ", b"\t")):
            folded.append(lines[at])
            at += 1
        value = b"\n".join(folded).removesuffix(b"\r")
        fields.append(Field(name.decode("ascii"), _text(value)))
    return tuple(fields)


def fields_of(names_and_values: Iterable[tuple[bytes, bytes]]) -> tuple[Field, ...]:
    """The same, of fields that come one by one, as a milter is told of them."""
    fields = [Field(_text(name), _text(value)) for name, value in names_and_values]
    return tuple([field for field in fields if field.canonical_name in ORIGINATORS])


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "surrogateescape")


def unfolded(field: Field, *, utf8: bool) -> str:
    """The field's value on one line (RFC 5322 2.2.3). `utf8`: the message came with SMTPUTF8.

    Raises HeaderDefect for a blank before the colon, a continuation of blanks only, bare CR or LF,
    a line or field that is too long, octets that are no UTF-8, UTF-8 without SMTPUTF8.
    """
    if field.name != field.name.strip():
        raise HeaderDefect("it has a blank before its colon")
    value = field.value
    if len(value) > LONGEST_FIELD:
        raise HeaderDefect(f"it has more than {LONGEST_FIELD} characters")
    if not value.isascii():
        _check_utf8(value, allowed=utf8)
    first = len(field.name) + 1
    for line in value.split("\n"):
        if first + len(line.removesuffix("\r").encode("utf-8", "surrogateescape")) > LONGEST_LINE:
            raise HeaderDefect(f"it has a line of more than {LONGEST_LINE} octets")
        first = 0
    text = _FOLD.sub("", value)
    if "\n" in text or "\r" in text:
        raise HeaderDefect("it has a line break that is no folding")
    return text


def _check_utf8(value: str, *, allowed: bool) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise HeaderDefect("it has octets that are no UTF-8") from None
    if not allowed:
        raise HeaderDefect("it has characters that are not ASCII, which needs SMTPUTF8")
