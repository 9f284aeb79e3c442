"""Patterns whose meaning is known, so that they are compiled only once they are needed.

Most patterns of a table are never tried: a prefilter sees that they can't match. So what is
understood beyond doubt (pattern_reading) is not given to its engine when the table is opened, and
whether it matches is first asked of an expression that is cheaper to make and to ask.
"""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from maysend.tables.delimited import CompiledPattern
from maysend.tables.pattern_literals import Understood
from maysend.tables.pattern_reading import PatternReader

if TYPE_CHECKING:
    from maysend.tables.pcre2_library import BundledLibrary

_OFTEN = 40
"""Python's re takes ten times as long to compile as PCRE2, and half as long to search."""

Compile = Callable[[bytes, int], CompiledPattern]


class LazyCompiler:
    """Compiles what is not understood, and gives a PlainPattern for everything else.

    `caseless` are the options of a pattern that is compared without regard to case, `indifferent`
    those that make no difference for keys without line ends. With any other option a pattern is
    not understood.
    """

    def __init__(
        self, reader: PatternReader, compile_now: Compile, caseless: int, indifferent: int
    ) -> None:
        self._reader = reader
        self._compile_now = compile_now
        self._caseless = caseless
        self._indifferent = indifferent
        self._searches = _Searches()

    def __call__(self, pattern: bytes, options: int, /) -> CompiledPattern:
        """Raises RuleError where the engine does not accept the pattern."""
        if options & ~self._indifferent != self._caseless:
            return self._compile_now(pattern, options)
        meaning = self._reader.read(pattern)
        if meaning is None:
            return self._compile_now(pattern, options)
        search = None if meaning.source is None else Search(meaning.source, self._searches)
        return PlainPattern(meaning, search, lambda: self._compile_now(pattern, options))


class PlainPattern:
    """A pattern that is understood. Its engine is asked for groups, and for keys out of the usual.

    `match` is what CompiledPattern says.
    """

    def __init__(
        self,
        meaning: Understood,
        search: "Search | None",
        compile_now: Callable[[], CompiledPattern],
    ) -> None:
        self.meaning = meaning
        self.group_count = meaning.group_count
        self.search = search
        self._compile_now = compile_now
        self._compiled: CompiledPattern | None = None

    def match(self, key: bytes, wanted: int, /) -> Sequence[bytes] | None:
        """What the first `wanted` groups matched, None for no match. Raises MatchError."""
        compiled = self._compiled
        if compiled is None:
            compiled = self._compiled = self._compile_now()
        return compiled.match(key, wanted)


class Search:
    """Whether a pattern is found in a key as seen, by an expression that means the same."""

    __slots__ = ("_code", "_search", "_searches", "_uses", "source")

    def __init__(self, source: str, searches: "_Searches") -> None:
        self.source = source
        self._searches = searches
        self._uses = 0
        self._code: CompiledPattern | None = None
        self._search: Callable[[str], object] | None = None

    def __call__(self, text: str, /) -> bool:
        """Whether it is in `text`, a key as seen that is not longer than LONGEST_KEY."""
        if self._search is not None:
            return self._search(text) is not None
        if self._code is None:
            self._code = self._searches.compile(self.source.encode("ascii"), 0)
        self._uses += 1
        if self._uses > _OFTEN:
            self._search = re.compile(self.source, re.ASCII).search
        return self._code.match(text.encode("latin-1"), 0) is not None


class _Searches:
    """The PCRE2 of the pcre2 package, loaded when it is first needed."""

    def __init__(self) -> None:
        self._library: BundledLibrary | None = None

    def compile(self, pattern: bytes, options: int) -> CompiledPattern:
        if self._library is None:
            from maysend.tables.pcre2_library import BundledLibrary

            self._library = BundledLibrary()
        return self._library.compile(pattern, options)
