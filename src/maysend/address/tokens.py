"""Addresses as tokens, the way Postfix reads them (RFC 822 3.3, with its own `%`, `!` and `|`).

`scan` cuts text into tokens, `external_form` and `internal_form` put them together again, with or
without quotes. Nothing that was not understood is thrown away, so that text survives the way there
and back. What is an address among the tokens is the business of `maysend.address.groups`.
"""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from maysend.address.quoting import quote_local

ATOM = "atom"
QUOTED: Final = "quoted string"
COMMENT = "comment"
LITERAL: Final = "domain literal"
ADDRESS = "address"
GROUP_START = "start of a group"

_WORDS = frozenset((ATOM, QUOTED, COMMENT, LITERAL, ADDRESS))


class Token(msgspec.Struct, frozen=True, gc=False):
    """One token: `kind` is a constant of this module, or the operator itself ("@", "<").

    `text` is without quotes, brackets and backslashes, except in a comment, which stays as written.
    """

    kind: str
    text: str = ""


_OPERATORS = {operator: Token(operator) for operator in "|%!()<>@,;:\\.[]"}

# No alternative can fail once it has begun: text of any length is read once, without backtracking.
_TOKEN = re.compile(
    r"""
      [ \t\r\n]++
    | (?P<operator> [|%!)<>@,;:.\]] )
    | (?P<atom> (?: [^ \t\r\n|%!()<>@,;:\\".\[\]]++ | \\(?:.|\Z) )+ )
    | " (?P<quoted> (?: [^\\"]++ | \\(?:.|\Z) )* ) "?
    | \[ (?P<literal> (?: [^\\\]]++ | \\(?:.|\Z) )* ) \]?
    | (?P<comment> \( )
    """,
    re.VERBOSE | re.DOTALL,
)
_BACKSLASHED_OR_SPACE = re.compile(r"\\(.?)|[\t\r\n]", re.DOTALL)
_COMMENT_PART = re.compile(r"[()]|\\.?", re.DOTALL)
_NEEDS_QUOTES = re.compile(r"[\x00-\x20\x7f|%!()<>@,;:\\\".\[\]]")


def scan(text: str) -> list[Token]:
    """Cut external text into tokens. Never fails: what is not closed reaches to the end."""
    tokens: list[Token] = []
    position = 0
    while found := _TOKEN.match(text, position):
        position = found.end()
        kind = found.lastgroup
        if kind is None:
            continue
        if kind == "operator":
            tokens.append(_OPERATORS[found[kind]])
        elif kind == "comment":
            position = _end_of_comment(text, position)
            tokens.append(Token(COMMENT, text[found.start() : position]))
        elif kind == "atom":
            tokens.append(_atom(_plain(found[kind])))
        else:
            tokens.append(Token(QUOTED if kind == "quoted" else LITERAL, _plain(found[kind])))
    return tokens


def _plain(text: str) -> str:
    """Take the backslashes out; white space of any kind becomes a space."""
    return _BACKSLASHED_OR_SPACE.sub(_plain_character, text)


def _plain_character(found: re.Match[str]) -> str:
    character = found[1] if found[1] is not None else " "
    return " " if character in ("\t", "\r", "\n") else character


def _atom(text: str) -> Token:
    """An atom, or a quoted string where backslashes hid what can't be written without quotes."""
    return Token(QUOTED if _NEEDS_QUOTES.search(text) else ATOM, text)


def _end_of_comment(text: str, position: int) -> int:
    """Return where the comment ends whose `(` is before `position`; comments nest."""
    depth = 1
    for found in _COMMENT_PART.finditer(text, position):
        if found[0] == "(":
            depth += 1
        elif found[0] == ")":
            depth -= 1
            if depth == 0:
                return found.end()
    return len(text)


def external_form(tokens: Sequence[Token], *, spaced: bool = True) -> str:
    """Write the tokens of one address as they travel: its local part quoted where it must be.

    Quotes are set anew around the whole local part: `"a b".c@d` becomes `"a b.c"@d`.
    """
    return quote_local(internal_form(tokens, spaced=spaced))


def internal_form(tokens: Sequence[Token], *, spaced: bool = True) -> str:
    """Write the tokens of one address as Postfix keeps it: without quotes and backslashes.

    `spaced` keeps words apart that were written apart (`a b`); inside an address that the parser
    built they are written without.
    """
    parts: list[str] = []
    for token, following in zip(tokens, [*tokens[1:], None], strict=False):
        parts.append(_internal(token))
        if spaced and _need_space(token, following):
            parts.append(" ")
    return "".join(parts)


def _internal(token: Token) -> str:
    if token.kind == LITERAL:
        return f"[{token.text}]"
    if token.kind == GROUP_START:
        return ":"
    return token.text if token.kind in _WORDS else token.kind


def _need_space(token: Token, following: Token | None) -> bool:
    if following is None:
        return False
    if token.kind in (",", GROUP_START) or following.kind == "<":
        return True
    return token.kind in _WORDS and following.kind in _WORDS
