"""Texts that a pattern matches, read off the pattern: enough to show what it lets through."""

import re

_EVERYTHING = re.compile(r"\^?(?:\(?\.[*+]?\)?)?\$?")
_ANY = re.compile(r"(?:\[\^[^\]]*\]|(?<!\\)\.)[*+]\??")
_GROUP = re.compile(r"(?<!\\)\((?:\?:)?([^()|]*)(?:\|[^()]*)?\)")
_ESCAPED = re.compile(r"\\([^0-9A-Za-z])")
_SPECIAL = re.compile(r"(?<!\\)[][{}()?*+|^$]|\\[0-9A-Za-z]")

FILLER = "maysend-lint"
"""What stands for "anything" in a sample."""


def matches_everything(pattern: str) -> bool:
    """Whether the pattern is one of the usual ways to write "every key": ".*", "^", "^(.*)$", …"""
    return _EVERYTHING.fullmatch(pattern) is not None


def sample(pattern: str, *, dots_as: str = ".") -> str | None:
    """A text that the pattern is meant for, None where that can't be read off it.

    A dot that is not escaped is written as `dots_as`: it was meant as a dot.
    """
    text = pattern.removeprefix("^")
    if text.endswith("$") and not text.endswith("\\$"):
        text = text[:-1]
    text = _ANY.sub(FILLER, text)
    while (group := _GROUP.search(text)) is not None:
        text = text[: group.start()] + group[1] + text[group.end() :]
    if _SPECIAL.search(text):
        return None
    text = re.sub(r"(?<!\\)\.", lambda _: dots_as, text)
    return _ESCAPED.sub(r"\1", text) or None


def unescaped_dots(pattern: str) -> bool:
    """Whether a dot that was meant as one stands for any character: "example.com"."""
    return re.search(r"(?<=[0-9A-Za-z])(?<!\\)\.(?=[0-9A-Za-z])", pattern) is not None
