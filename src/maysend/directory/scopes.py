"""What an account may write to: anywhere, or only certain domains.

A scope is stored as words: "" is anywhere, `local` the domains that are managed here, anything else
a domain, or `.domain` for all below it.
"""

import difflib
from collections.abc import Iterable

from maysend.directory.addresses import parse_domain
from maysend.directory.errors import DirectoryError

ANYWHERE = "anywhere"
LOCAL = "local"
MOST_DOMAINS = 100
"""Domains of one scope: it is compared for every recipient."""


def parse_scope(words: Iterable[str]) -> str:
    """The stored form of `words`, which may hold several each, separated by comma or space."""
    parsed = dict.fromkeys(
        _parse_word(word) for text in words for word in text.replace(",", " ").split()
    )
    if not parsed:
        raise DirectoryError("an empty scope, expected anywhere, local or domains")
    if ANYWHERE in parsed:
        if len(parsed) > 1:
            raise DirectoryError("a scope is anywhere, or certain domains: not both")
        return ""
    if len(parsed) > MOST_DOMAINS:
        raise DirectoryError(f"a scope of over {MOST_DOMAINS} domains")
    return " ".join(parsed)


def spelled_scope(scope: str) -> str:
    """A stored scope as it is typed."""
    return scope.replace(" ", ",") or ANYWHERE


def scope_answer(scope: str) -> str | None:
    """The scope as a domain list of main.cf, None for anywhere."""
    words = ("directory:domains" if word == LOCAL else word for word in scope.split())
    return " ".join(words) or None


def _parse_word(word: str) -> str:
    if word.lower() in (ANYWHERE, LOCAL):
        return word.lower()
    meant = difflib.get_close_matches(word.lower(), (ANYWHERE, LOCAL), n=1)
    if meant and "." not in word:
        raise DirectoryError(
            f"'{word}': expected {ANYWHERE}, {LOCAL} or domains; did you mean '{meant[0]}'?"
        )
    if word.startswith("."):
        return f".{parse_domain(word[1:])}"
    return parse_domain(word)
