"""Matches what patterns of addresses are made of, in less time than it takes to call an engine.

An expression that pattern_literals has written becomes a chain of nodes, each of which matches its
part and then asks the next. Where a part can match in several ways, all are tried. This is quick
only where it is compiled.
"""

from typing import TYPE_CHECKING, Final

from maysend.tables.source_reading import (
    Choice,
    Group,
    LineEnd,
    Literal,
    OneOf,
    Piece,
    Repeat,
    Sequence,
    SourceReader,
    WordEnd,
)
from maysend.tables.text_tests import TextTest

if TYPE_CHECKING:
    from mypy_extensions import i64  # an int of C where it is compiled

MOST_NODES: Final = 400
_WHOLE: Final = "\\A\\n"
_EVERY: Final = 1 << 30


class TooLong(Exception):
    """An expression that would need more than MOST_NODES."""


class TextMatcher(TextTest):
    """One expression, looked for in keys as seen."""

    def __init__(self, source: str, sets: dict[str, OneOf]) -> None:
        """`sets`: see SourceReader. Raises TooLong."""
        self._anchored = source.startswith(_WHOLE)
        reader = SourceReader(source.removeprefix(_WHOLE), sets)
        piece = reader.read()
        self.unique = piece.unique and not piece.further
        """Whether there is one way at most to match from any place."""
        self._groups = reader.groups
        self._left = MOST_NODES
        self._no_spans: list[int] = []  # nothing is added to it
        self._text = _leading(piece)
        self._first = self._linked(piece, _Node())

    def holds(self, text: str) -> bool:
        """Whether it is found in `text`."""
        return self._found(text, self._no_spans)

    def spans(self, text: str) -> list[int] | None:
        """Where each group begins and ends in `text`, -1 where it has no part in the match.

        None for no match. As every engine would find them where `unique`.
        """
        spans = [-1] * (2 * self._groups)
        return spans if self._found(text, spans) else None

    def _found(self, text: str, spans: list[int]) -> bool:
        first = self._first
        if self._anchored:
            return first.match(text, 1, spans)
        size = len(text)
        start = 0
        while start <= size:
            if self._text:
                start = text.find(self._text, start)
                if start < 0:
                    return False
            if first.match(text, start, spans):
                return True
            start += 1
        return False

    def _linked(self, piece: Piece, following: "_Node") -> "_Node":
        """A node for `piece` which asks `following` then. Raises TooLong."""
        self._left -= 1
        if self._left < 0:
            raise TooLong
        if isinstance(piece, Literal):
            return _Text(piece.text, following)
        if isinstance(piece, OneOf):
            return _Run(piece, 1, 1, following)
        if isinstance(piece, Sequence):
            for part in reversed(piece.parts):
                following = self._linked(part, following)
            return following
        if isinstance(piece, Choice):
            return _Either([self._linked(branch, following) for branch in piece.branches])
        if isinstance(piece, Repeat):
            return self._repeated(piece, following)
        if isinstance(piece, Group):
            ending = _Mark(2 * piece.number + 1, following)
            return _Mark(2 * piece.number, self._linked(piece.part, ending))
        if isinstance(piece, LineEnd):
            return _AtLineEnd(piece.behind, following)
        assert isinstance(piece, WordEnd)
        return _AtWordEnd(following)

    def _repeated(self, piece: Repeat, following: "_Node") -> "_Node":
        part, least, most = piece.part, piece.least, piece.most
        if isinstance(part, OneOf):
            return _Run(part, least, _EVERY if most < 0 else most, following)
        if most < 0:
            raise TooLong
        node = following
        for _ in range(most - least):
            node = _Either([self._linked(part, node), following])
        for _ in range(least):
            node = self._linked(part, node)
        return node


def _leading(piece: Piece) -> str:
    """The text with which a match has to begin; empty where that is not one."""
    if isinstance(piece, Sequence) and piece.parts:
        piece = piece.parts[0]
    return piece.text if isinstance(piece, Literal) else ""


class _Node:
    """A part of an expression that matches anything."""

    def match(self, text: str, place: "i64", spans: list[int]) -> bool:
        """Whether it and what follows match `text` from `place` on; `spans` gets the groups."""
        return True


class _Text(_Node):
    def __init__(self, text: str, following: _Node) -> None:
        self._codes = text.encode("latin-1")
        self._following = following

    def match(self, text: str, place: "i64", spans: list[int]) -> bool:
        codes = self._codes
        size: i64 = len(codes)
        if place + size > len(text):
            return False
        for offset in range(size):
            if ord(text[place + offset]) != codes[offset]:
                return False
        return self._following.match(text, place + size, spans)


class _Run(_Node):
    """From `least` to `most` characters of a set, as many as possible first."""

    def __init__(self, codes: OneOf, least: int, most: int, following: _Node) -> None:
        self._is_in = codes.table
        self._least = least
        self._most = most
        self._following = following

    def match(self, text: str, place: "i64", spans: list[int]) -> bool:
        is_in = self._is_in
        end: i64 = len(text)
        most: i64 = self._most
        if end - place > most:
            end = place + most
        reached: i64 = place
        while reached < end and is_in[ord(text[reached])]:
            reached += 1
        least: i64 = self._least
        least += place
        following = self._following
        while reached >= least:
            if following.match(text, reached, spans):
                return True
            reached -= 1
        return False


class _Either(_Node):
    """The first of some ways on that leads to a match."""

    def __init__(self, ways: list[_Node]) -> None:
        self._ways = ways

    def match(self, text: str, place: "i64", spans: list[int]) -> bool:
        for way in self._ways:  # noqa: SIM110 -- a generator would take longer
            if way.match(text, place, spans):
                return True
        return False


class _Mark(_Node):
    """Where a group begins or ends."""

    def __init__(self, number: int, following: _Node) -> None:
        self._number = number
        self._following = following

    def match(self, text: str, place: "i64", spans: list[int]) -> bool:
        if not spans:
            return self._following.match(text, place, spans)
        before = spans[self._number]
        spans[self._number] = place
        if self._following.match(text, place, spans):
            return True
        spans[self._number] = before
        return False


class _AtLineEnd(_Node):
    def __init__(self, behind: bool, following: _Node) -> None:
        self._behind = behind
        self._following = following

    def match(self, text: str, place: "i64", spans: list[int]) -> bool:
        at = place - 1 if self._behind else place
        if at < 0 or at >= len(text) or ord(text[at]) != 10:
            return False
        return self._following.match(text, place, spans)


class _AtWordEnd(_Node):
    def __init__(self, following: _Node) -> None:
        self._following = following

    def match(self, text: str, place: "i64", spans: list[int]) -> bool:
        before = place > 0 and _in_word(ord(text[place - 1]))
        after = place < len(text) and _in_word(ord(text[place]))
        return before != after and self._following.match(text, place, spans)


def _in_word(code: int) -> bool:
    return 48 <= code <= 57 or 65 <= code <= 90 or 97 <= code <= 122 or code == 95
