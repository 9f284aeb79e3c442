"""Tests of a key as seen (pattern_literals.seen): whether the condition of a rule holds."""

import re
from collections.abc import Callable

from maysend.tables.rules import MatchError

_OFTEN = 400
"""Uses until what takes PCRE2 longer to search makes up for what takes Python longer to compile."""


class TextTest:
    """Whether a condition holds."""

    def holds(self, text: str) -> bool:
        """Whether it does for `text`, a key as seen that is not longer than LONGEST_KEY."""
        raise NotImplementedError


class Contains(TextTest):
    """One of some texts is in the key, or, negated, none of them."""

    def __init__(self, texts: tuple[str, ...], negated: bool) -> None:
        self._texts = list(texts)
        self._negated = negated

    def holds(self, text: str) -> bool:
        """Whether it is so for `text`."""
        for wanted in self._texts:
            if wanted in text:
                return not self._negated
        return self._negated


class Lacks(TextTest):
    """Another test does not hold."""

    def __init__(self, other: TextTest) -> None:
        self._other = other

    def holds(self, text: str) -> bool:
        """Whether it does not."""
        return not self._other.holds(text)


class Search(TextTest):
    """Whether a pattern is found in a key as seen, by an expression that means the same."""

    def __init__(self, source: str, compile_search: "CompileSearch") -> None:
        self.source = source
        self._compile = compile_search
        self._uses = 0
        self._code: Callable[[bytes], bool] | None = None
        self._search: Callable[[str], object] | None = None

    def holds(self, text: str) -> bool:
        """Whether it is in `text`."""
        search = self._search
        if search is None:
            if self._code is None:
                self._code = self._compile(self.source.encode("ascii"))
            self._uses += 1
            if self._uses > _OFTEN:
                self.prepare()
            try:
                return self._code(text.encode("latin-1"))
            except MatchError:  # MOST_WAYS is there to prevent it
                search = self.prepare()
        return search(text) is not None

    def prepare(self) -> Callable[[str], object]:
        """The quickest way to search, which takes longest to make; true where it is found."""
        if self._search is None:
            self._search = re.compile(self.source, re.ASCII).search
        return self._search


CompileSearch = Callable[[bytes], Callable[[bytes], bool]]
"""Compiles an expression for PCRE2."""
