"""Whether a pattern is found in a key as seen, and with which groups; made when it is first asked.

Most patterns of a table are never tried, and those that are differ in how often.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final

from maysend.tables.compiling import IS_COMPILED
from maysend.tables.rules import MatchError
from maysend.tables.source_reading import OneOf
from maysend.tables.text_matcher import TextMatcher, TooLong
from maysend.tables.text_tests import TextTest

_OFTEN: Final = 100
"""Uses after which Python's re, 20 times as long to compile as PCRE2, makes up for that."""

_MOST_WAYS: Final = 200_000
"""Ways to match that are tried here; PCRE2 is quicker where there are many."""

CompileSearch = Callable[[bytes], Callable[[bytes], bool]]
"""Compiles an expression for PCRE2."""

Sets = dict[str, OneOf]
"""The sets of characters of all patterns of a table, by how they are written."""


class Search(TextTest):
    """Whether a pattern is found in a key as seen, by an expression that means the same."""

    def __init__(self, source: str, ways: int, sets: Sets, compile_search: CompileSearch) -> None:
        """`ways` to match it may be tried on the longest key."""
        self.source = source
        self._ways = ways
        self._sets = sets
        self._compile = compile_search
        self._uses = 0
        self._code: Callable[[bytes], bool] | None = None
        self._search: Callable[[str], object] | None = None

    def quickest(self, *, at_any_price: bool) -> TextTest:
        """What tells the same soonest; that takes microseconds to make, or else some hundred."""
        matcher = _matcher(self.source, self._ways, self._sets) if IS_COMPILED else None
        if matcher is None and at_any_price:
            self._make_search()
        return matcher or self

    def holds(self, text: str) -> bool:
        """Whether it is in `text`, a key as seen that is not longer than LONGEST_KEY."""
        if self._search is not None:
            return self._search(text) is not None
        return self._rarely(text)

    def _rarely(self, text: str) -> bool:
        self._uses += 1
        if self._uses > _OFTEN:
            return self._make_search()(text) is not None
        if self._code is None:
            self._code = self._compile(self.source.encode("ascii"))
        try:
            return self._code(text.encode("latin-1"))
        except MatchError:  # MOST_WAYS is there to prevent it
            return self._make_search()(text) is not None

    def _make_search(self) -> Callable[[str], object]:
        search: Callable[[str], object] = re.compile(self.source, re.ASCII).search
        self._search = search
        return search


class GroupSearch:
    """The groups of a pattern that has one way at most to match a key: all engines find the same.

    Others are left to the engine.
    """

    def __init__(self, source: str, ways: int, sets: Sets) -> None:
        """`source` has pattern_literals.GROUP in it."""
        self._source = source
        self._ways = ways
        self._sets = sets
        self._made = False
        self._matcher: TextMatcher | None = None

    def usable(self) -> bool:
        """Whether it is such a pattern."""
        if not self._made:
            matcher = _matcher(self._source, self._ways, self._sets)
            self._matcher = matcher if matcher is not None and matcher.unique else None
            self._made = True
        return self._matcher is not None

    def groups(self, text: str, key: str, wanted: int) -> Sequence[bytes] | None:
        """What the first `wanted` groups matched in `key`, seen as `text`; None for no match.

        To be asked only where it is usable.
        """
        spans = None if self._matcher is None else self._matcher.spans(text)
        if spans is None:
            return None
        raw = key.encode("utf-8", "surrogateescape")
        groups: list[bytes] = []
        for number in range(wanted):
            start = spans[2 * number]
            # The text has a line end before the key.
            groups.append(raw[start - 1 : spans[2 * number + 1] - 1] if start >= 0 else b"")
        return groups


def _matcher(source: str, ways: int, sets: Sets) -> TextMatcher | None:
    """None where that would take too long."""
    if ways > _MOST_WAYS:
        return None
    try:
        return TextMatcher(source, sets)
    except TooLong:
        return None
