"""A key and its value on one line, the key possibly with quoted parts (postmap(1))."""

import re

from maysend.maincf.lines import WHITESPACE


class EntryError(ValueError):
    """A line that is no key and value; the text says what was expected."""


_SPACED_KEY = re.compile(r'(?:\\.|"(?:\\.|[^"\\])*"|[^\\" \t\n\v\f\r])*', re.DOTALL)
_ASSIGNED_KEY = re.compile(r'(?:\\.|"(?:\\.|[^"\\])*"|[^\\"= \t\n\v\f\r])*', re.DOTALL)


def spaced(line: str) -> tuple[str, str]:
    """Split `key whitespace value`; whitespace in quotes or after a backslash is in the key.

    The key keeps its quotes, as an address has them when it is looked up. Raises EntryError.
    """
    key, rest = _key(_SPACED_KEY, line)
    value = rest.strip(WHITESPACE)
    if not key or not value:
        raise EntryError("expected format: key whitespace value")
    return key, value


def assigned(text: str) -> tuple[str, str]:
    """Split `key = value`. The value may be empty. Raises EntryError."""
    text = text.strip(WHITESPACE)
    if not text:
        raise EntryError("no key found; expected format: key = value")
    key, rest = _key(_ASSIGNED_KEY, text)
    rest = rest.lstrip(WHITESPACE)
    if not rest.startswith("="):
        raise EntryError("missing '=' after attribute name")
    return key, rest[1:].strip(WHITESPACE)


def _key(pattern: re.Pattern[str], text: str) -> tuple[str, str]:
    match = pattern.match(text)
    end = match.end() if match else 0
    if text[end : end + 1] == '"':
        raise EntryError("unbalanced '\"'")
    if text[end:] == "\\":
        return text, ""  # a lone backslash at the end escapes nothing and stays
    return text[:end], text[end:]
