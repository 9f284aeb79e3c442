"""Groups in braces, as table names hold them: `{ a, {b c} }` (DATABASE_README, postconf(5))."""

SEPARATORS = ", \t\r\n"
"""What separates the members of a list."""

WHITESPACE = " \t\n\v\f\r"
"""isspace(3) in the C locale, which is what every Postfix parser skips."""


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
    end = _closing_brace(text)
    if end is None:
        raise BraceError(f"missing '}}' in \"{text}\"")
    if end != len(text) - 1:
        raise BraceError(f"syntax error after '}}' in \"{text}\"")
    return text[1:end]


def members(text: str) -> list[str]:
    """The list members in `text`; a separator within braces separates nothing."""
    found: list[str] = []
    level = 0
    start: int | None = None
    for offset, character in enumerate(text):
        if level == 0 and character in SEPARATORS:
            if start is not None:
                found.append(text[start:offset])
            start = None
            continue
        if start is None:
            start = offset
        if character == "{":
            level += 1
        elif character == "}" and level > 0:
            level -= 1
    if start is not None:
        found.append(text[start:])
    return found


def _closing_brace(text: str) -> int | None:
    """The offset of the brace that closes the one at the start of `text`."""
    level = 0
    for offset, character in enumerate(text):
        if character == "{":
            level += 1
        elif character == "}":
            level -= 1
            if level == 0:
                return offset
    return None
