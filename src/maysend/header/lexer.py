"""The words of a structured header field (RFC 5322 3.2, RFC 6532 3.2): iterative, no recursion."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from maysend.header.defects import DEEPEST_COMMENT, HeaderDefect
from maysend.header.parts import Token

_ATEXT: Final = r"A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\u0080-\U0010ffff"
_TOKEN: Final = re.compile(
    rf"""(?P<blank>[ \t]+)
    |(?P<text>[{_ATEXT}.]+)
    |(?P<quoted>"(?:[\t !\#-\[\]-~\u0080-\U0010ffff]|\\[\t -~\u0080-\U0010ffff])*")
    |(?P<literal>\[[!-Z^-~]*\])
    |(?P<special>[<>@,;:])""",
    re.VERBOSE,
)
_COMMENT_PART: Final = re.compile(
    r"(?:[\t !-'*-\[\]-~\u0080-\U0010ffff]|\\[\t -~\u0080-\U0010ffff])*"
)
_QUOTED_PAIR: Final = re.compile(r"\\(.)", re.DOTALL)
_WRONG: Final = {
    '"': "a quoted string that does not end, or has a control character",
    "[": "an address literal that does not end, or has a blank",
    "]": 'a "]" without "["',
    ")": 'a ")" without "("',
    "\\": "a backslash outside of quotes",
}
_REORDERING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def tokens(value: str) -> tuple[list[Token], list[str]]:
    """The tokens of a value, an "end" last, and the texts of its comments. Raises HeaderDefect.

    A "text" is a run of atoms and dots; a "quoted" is given without quotes and backslashes.
    """
    if not value.isascii():
        check_characters(value)
    found: list[Token] = []
    comments: list[str] = []
    position, apart = 0, False
    while position < len(value):
        if value[position] == "(":
            end = _end_of_comment(value, position)
            comments.append(_QUOTED_PAIR.sub(r"\1", value[position + 1 : end - 1]))
            position, apart = end, True
            continue
        match = _TOKEN.match(value, position)
        if match is None:
            raise HeaderDefect(_what_is_wrong(value, position))
        kind, text = match.lastgroup, match[0]
        if kind == "blank":
            apart = True
        else:
            found.append(_token(kind, text, apart, position + 1))
            apart = False
        position = match.end()
    found.append(Token("end", "", apart, len(value) + 1))
    return found, comments


def check_characters(text: str) -> None:
    """Refuse control characters, and what shows text in another order than it is read.

    That is the bidirectional embeddings, overrides and isolates of Unicode (UAX #9 2).
    """
    for character in text:
        is_control = character != "\t" and unicodedata.category(character) == "Cc"
        if is_control or character in _REORDERING:
            raise HeaderDefect(f"it has the character U+{ord(character):04X}")


def _token(kind: str | None, text: str, apart: bool, at: int) -> Token:
    match kind:
        case "quoted":
            return Token("quoted", _QUOTED_PAIR.sub(r"\1", text[1:-1]), apart, at)
        case "literal":
            return Token("literal", text, apart, at)
        case "special":
            return Token("special", text, apart, at)
    return Token("text", text, apart, at)


def _end_of_comment(value: str, start: int) -> int:
    """Where the comment that begins at `start` ends."""
    depth = 0
    for position in _parentheses(value, start):
        depth += 1 if value[position] == "(" else -1
        if depth > DEEPEST_COMMENT:
            raise HeaderDefect(f"it has comments nested more than {DEEPEST_COMMENT} deep")
        if not depth:
            return position + 1
    raise HeaderDefect(f"at character {start + 1}: a comment that does not end")


def _parentheses(value: str, position: int) -> Iterator[int]:
    while position < len(value) and value[position] in "()":
        yield position
        match = _COMMENT_PART.match(value, position + 1)
        position = match.end() if match else position + 1


def _what_is_wrong(value: str, position: int) -> str:
    character = value[position]
    wrong = _WRONG.get(character, f"the character U+{ord(character):04X}")
    return f"at character {position + 1}: {wrong}"
