"""Lists in parameter values: separated by comma or whitespace, `{ }` keeps a group together.

Source: mystrtokq() with CHARS_COMMA_SP and CHARS_BRACE, as postconf(5) describes under
"smtpd_recipient_restrictions" and "check_policy_service { … }".
"""

import re
from functools import lru_cache

import msgspec

COMMA_SPACE = ", \t\r\n"
"""What separates the items of most lists."""

BLANKS = " \t\r\n"
"""What separates the fields of master.cf."""


class Token(msgspec.Struct, frozen=True, gc=False):
    """One item of a list, its braces included: `text` is value[start:end]."""

    text: str
    start: int
    end: int


def split(text: str, separators: str = COMMA_SPACE) -> list[Token]:
    """The items of `text`. A group that is never closed reaches to the end, as in Postfix."""
    found: list[Token] = []
    position = 0
    marks = _marks(separators)
    while (first := _not_in(separators).search(text, position)) is not None:
        position = _end_of_item(text, first.start(), marks)
        found.append(Token(text[first.start() : position], first.start(), position))
    return found


def _end_of_item(text: str, position: int, marks: re.Pattern[str]) -> int:
    level = 0
    for mark in marks.finditer(text, position):
        if mark[0] == "{":
            level += 1
        elif mark[0] == "}":
            level = max(0, level - 1)
        elif level == 0:
            return mark.start()
    return len(text)


def closing_brace(text: str, opening: int, end: int | None = None) -> int | None:
    """The offset of the brace that closes the one at `opening`, None where it stays open."""
    level = 0
    for mark in _BRACES.finditer(text, opening, len(text) if end is None else end):
        level += 1 if mark[0] == "{" else -1
        if level == 0:
            return mark.start()
    return None


_BRACES = re.compile(r"[{}]")


@lru_cache(maxsize=8)
def _not_in(separators: str) -> re.Pattern[str]:
    return re.compile(f"[^{re.escape(separators)}]")


@lru_cache(maxsize=8)
def _marks(separators: str) -> re.Pattern[str]:
    return re.compile(f"[{{}}{re.escape(separators)}]")
