"""Groups in braces, as table names hold them: `{ a, {b c} }` (DATABASE_README, postconf(5))."""

from maysend.maincf.lines import WHITESPACE
from maysend.maincf.tokens import closing_brace, split


class BraceError(ValueError):
    """Braces that are missing, unbalanced, or followed by more text."""


def inner(text: str) -> str:
    """What stands between the braces around `text`, whitespace at both ends dropped.

    Raises BraceError where `text` is not exactly one balanced group.
    """
    return enclosed(text).strip(WHITESPACE)


def enclosed(text: str) -> str:
    """What stands between the braces around `text`, as it is. Raises BraceError."""
    if not text.startswith("{"):
        raise BraceError(f"no '{{' at start of text in \"{text}\"")
    end = closing_brace(text, 0)
    if end is None:
        raise BraceError(f"missing '}}' in \"{text}\"")
    if end != len(text) - 1:
        raise BraceError(f"syntax error after '}}' in \"{text}\"")
    return text[1:end]


def members(text: str) -> list[str]:
    """The list members in `text`; a separator within braces separates nothing."""
    return [token.text for token in split(text)]
