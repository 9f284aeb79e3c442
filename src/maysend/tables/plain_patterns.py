"""Patterns whose meaning is known, so that they are compiled only once they are needed.

Most patterns of a table are never tried: a prefilter sees that they can't match. So what is
understood beyond doubt (pattern_reading) is not given to its engine when the table is opened, and
whether it matches is first asked of an expression that is cheaper to make and to ask.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from maysend.tables.compiling import IS_COMPILED
from maysend.tables.delimited import CompiledPattern
from maysend.tables.pattern_literals import Understood
from maysend.tables.pattern_reading import PatternReader
from maysend.tables.text_search import GroupSearch, Search, Sets

if TYPE_CHECKING:
    from maysend.tables.pcre2_library import BundledLibrary

Compile = Callable[[bytes, int], CompiledPattern]
Match = Callable[[bytes, int], Sequence[bytes] | None]
"""As CompiledPattern.match."""


class LazyCompiler:
    """Compiles what is not understood, and gives a PlainPattern for everything else.

    `caseless` are the options of a pattern that is compared without regard to case, `indifferent`
    those that make no difference for keys without line ends. With any other option a pattern is
    not understood.
    """

    def __init__(
        self, reader: PatternReader, compile_now: Compile, caseless: int, indifferent: int
    ) -> None:
        """`compile_now` is the engine of the table."""
        self._reader = reader
        self._compile_now = compile_now
        self._caseless = caseless
        self._indifferent = indifferent
        self._searches = _Searches()
        self._sets: Sets = {}

    def __call__(self, pattern: bytes, options: int, /) -> CompiledPattern:
        """Raises RuleError where the engine does not accept the pattern."""
        if options & ~self._indifferent != self._caseless:
            return self._compile_now(pattern, options)
        meaning = self._reader.read(pattern)
        if meaning is None:
            return self._compile_now(pattern, options)
        search = (
            None
            if meaning.source is None
            else Search(meaning.source, meaning.ways, self._sets, self._searches.search)
        )
        for_usual_keys = None
        if self._reader.syntax == "perl" and search is not None:
            for_usual_keys = _Lazily(self._searches.compile, pattern, options)
        groups = None
        if meaning.groups and (IS_COMPILED or for_usual_keys is None):
            groups = GroupSearch(meaning.groups, meaning.ways, self._sets)
        engine = _Lazily(self._compile_now, pattern, options)
        return PlainPattern(meaning, search, engine, for_usual_keys, groups)


class PlainPattern:
    """A pattern that is understood.

    `search` is None where that could take too long. `match` asks the engine, for any key;
    `match_usual` asks one that is quicker to call and answers the same for keys that can be seen
    (pattern_literals.seen), where there is one, and `groups` is quicker still.
    """

    def __init__(
        self,
        meaning: Understood,
        search: Search | None,
        engine: "_Lazily",
        for_usual_keys: "_Lazily | None",
        groups: GroupSearch | None,
    ) -> None:
        self.meaning = meaning
        self.group_count = meaning.group_count
        self.search = search
        self.groups = groups
        self.match = engine.match
        self.match_usual: Match | None = None if for_usual_keys is None else for_usual_keys.match


class _Lazily:
    """A pattern that is compiled when it is first tried."""

    __slots__ = ("_compile", "_compiled", "_options", "_pattern")

    def __init__(self, compile_pattern: Compile, pattern: bytes, options: int) -> None:
        self._compile = compile_pattern
        self._pattern = pattern
        self._options = options
        self._compiled: CompiledPattern | None = None

    def match(self, key: bytes, wanted: int, /) -> Sequence[bytes] | None:
        """What the first `wanted` groups matched, None for no match. Raises MatchError."""
        compiled = self._compiled
        if compiled is None:
            compiled = self._compiled = self._compile(self._pattern, self._options)
        return compiled.match(key, wanted)


class _Searches:
    """The PCRE2 of the pcre2 package, loaded when it is first needed."""

    def __init__(self) -> None:
        self._library: BundledLibrary | None = None

    def compile(self, pattern: bytes, options: int) -> CompiledPattern:
        return self._loaded().compile(pattern, options)

    def search(self, pattern: bytes) -> Callable[[bytes], bool]:
        return self._loaded().compile(pattern, 0).is_in

    def _loaded(self) -> "BundledLibrary":
        if self._library is None:
            from maysend.tables.pcre2_library import BundledLibrary

            self._library = BundledLibrary()
        return self._library
