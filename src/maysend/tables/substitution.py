"""The text that a pattern rule answers, with `$1`, `${1}` and `$(1)` in it (pcre_table(5))."""

from collections.abc import Sequence
from typing import Final

_ALPHANUMERIC: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_DIGITS: Final = frozenset("0123456789")
_CLOSING: Final = {"{": "}", "(": ")"}


class SubstitutionError(ValueError):
    """A replacement text that Postfix does not accept; the text says what is wrong."""


class Replacement:
    """A replacement text in `pieces`: text as it is, and numbers of groups.

    `highest`: the highest group number, 0 where there is none.
    """

    def __init__(self, pieces: Sequence[str | int]) -> None:
        self.pieces = tuple(pieces)
        numbers = [piece for piece in pieces if isinstance(piece, int)]
        self.highest = max(numbers, default=0)
        self._raw = [
            piece if isinstance(piece, int) else piece.encode("utf-8", "surrogateescape")
            for piece in pieces
        ]

    def filled(self, groups: Sequence[bytes]) -> str:
        """The text with the matched groups in it; `groups[0]` is group 1."""
        filled: list[bytes] = []
        for piece in self._raw:
            filled.append(groups[piece - 1] if isinstance(piece, int) else piece)
        return b"".join(filled).decode("utf-8", "surrogateescape")


def parse_replacement(text: str) -> Replacement:
    """Read a replacement text. `$$` is a dollar. Raises SubstitutionError."""
    pieces: list[str | int] = []
    literal: list[str] = []
    offset = 0
    while offset < len(text):
        dollar = text.find("$", offset)
        if dollar < 0:
            literal.append(text[offset:])
            break
        literal.append(text[offset:dollar])
        if text[dollar + 1 : dollar + 2] == "$":
            literal.append("$")
            offset = dollar + 2
            continue
        name, offset = _reference(text, dollar + 1)
        pieces += ["".join(literal), _number(name, text)]
        literal = []
    pieces.append("".join(literal))
    return Replacement([piece for piece in pieces if piece != ""])


def _reference(text: str, start: int) -> tuple[str, int]:
    """The name after a dollar at `start`, and the offset behind it."""
    opening = text[start : start + 1]
    if opening not in _CLOSING:
        end = start
        while end < len(text) and text[end] in _ALPHANUMERIC:
            end += 1
        return text[start:end], end
    level = 0
    for offset in range(start, len(text)):
        if text[offset] == opening:
            level += 1
        elif text[offset] == _CLOSING[opening]:
            level -= 1
            if level == 0:
                return text[start + 1 : offset], offset + 1
    raise SubstitutionError(f'truncated macro reference: "{text}"')


def _number(name: str, text: str) -> int:
    if not name:
        raise SubstitutionError(f'empty macro name: "{text}"')
    if not _DIGITS.issuperset(name):
        raise SubstitutionError(f'non-numeric replacement index "{name}"')
    number = int(name.lstrip("0")[:9] or "0")
    if number < 1:
        raise SubstitutionError(f'out of range replacement index "{name}"')
    return number
