"""Reads the expressions that pattern_literals writes into a tree of what is to be matched.

These are all there are: texts, sets of characters, alternatives, repeats, line ends, word ends.
Sets of characters are numbers here, in which bit n stands for the character n.
"""

from typing import TYPE_CHECKING, Final

from maysend.tables.pattern_literals import END, GROUP, START

if TYPE_CHECKING:
    from mypy_extensions import i64  # an int of C where it is compiled

NO_END: Final = -1
_LINE_END: Final = 1 << 10
_ESCAPED_SIZE: Final = 4  # of "\x40"


class Piece:
    """A part of an expression.

    `first`: the characters with which it can begin. `further`: those with which it can go on where
    it could end. `empty`: whether it can end where it begins. `unique`: whether there is one way at
    most to match it, which the next character always tells.
    """

    def __init__(self, first: int, further: int, empty: bool, unique: bool) -> None:
        self.first = first
        self.further = further
        self.empty = empty
        self.unique = unique


class Literal(Piece):
    """A text."""

    def __init__(self, text: str) -> None:
        super().__init__(1 << ord(text[0]), 0, False, True)
        self.text = text


class OneOf(Piece):
    """One character of a set; in `table` its byte is 1."""

    def __init__(self, codes: int) -> None:
        super().__init__(codes, 0, False, True)
        self.table = bytes([codes >> code & 1 for code in range(256)])


class LineEnd(Piece):
    """Before a line end, or, `behind`, after one."""

    def __init__(self, behind: bool) -> None:
        super().__init__(0 if behind else _LINE_END, 0, behind, True)
        self.behind = behind


class WordEnd(Piece):
    """Between a character of a word and another, on either side."""

    def __init__(self) -> None:
        super().__init__(0, 0, True, False)


class Sequence(Piece):
    """One part behind the other."""

    def __init__(self, parts: list[Piece]) -> None:
        super().__init__(0, 0, True, True)
        self.parts = parts
        for part in parts:
            if not part.unique or self.further & part.first:
                self.unique = False
            self.further = part.further | self.further if part.empty else part.further
            if self.empty:
                self.first |= part.first
            self.empty = self.empty and part.empty


class Choice(Piece):
    """One of some alternatives."""

    def __init__(self, branches: list[Piece]) -> None:
        super().__init__(0, 0, False, True)
        self.branches = branches
        for branch in branches:
            if not branch.unique or branch.empty or self.first & branch.first:
                self.unique = False
            self.first |= branch.first
            self.further |= branch.further
            self.empty = self.empty or branch.empty


class Repeat(Piece):
    """A part at least and at most so many times; `most` may be NO_END."""

    def __init__(self, part: Piece, least: int, most: int) -> None:
        further = part.further | part.first if least != most else part.further
        once = least == 0 and most == 1
        unique = part.unique and not part.empty and (once or isinstance(part, OneOf))
        super().__init__(part.first, further, least == 0 or part.empty, unique)
        self.part = part
        self.least = least
        self.most = most


class Group(Piece):
    """A part whose place is wanted; groups are numbered from 0 in the order in which they begin."""

    def __init__(self, part: Piece, number: int) -> None:
        super().__init__(part.first, part.further, part.empty, part.unique)
        self.part = part
        self.number = number


class SourceReader:
    """Reads one expression."""

    def __init__(self, source: str, sets: dict[str, OneOf]) -> None:
        """`sets` are those that were read before: tables have few, in many patterns."""
        self._source = source
        self._sets = sets
        self._offset = 0
        self.groups = 0

    def read(self) -> Piece:
        """The whole of it."""
        return self._alternatives()

    def _alternatives(self) -> Piece:
        branches = [self._sequence()]
        while self._take("|"):
            branches.append(self._sequence())
        if len(branches) == 1:
            return branches[0]
        codes = 0
        for branch in branches:
            if not isinstance(branch, OneOf) and not (
                isinstance(branch, Literal) and len(branch.text) == 1
            ):
                return Choice(branches)
            codes |= branch.first
        return OneOf(codes)

    def _sequence(self) -> Piece:
        parts: list[Piece] = []
        source = self._source
        while self._offset < len(source):
            character = source[self._offset]
            if character == "|" or character == ")":
                break
            is_whole = character == "("
            if is_whole:
                part = self._parenthesis()
            elif character == "[":
                part = self._set()
            elif source.startswith("\\b", self._offset):
                self._offset += 2
                part = WordEnd()
            else:
                part = self._literal()
            if self._take("{"):
                part = self._repeated(part, parts, is_whole)
            parts.append(part)
        return parts[0] if len(parts) == 1 else Sequence(parts)

    def _parenthesis(self) -> Piece:
        if self._take(START.source):
            return LineEnd(True)
        if self._take(END.source):
            return LineEnd(False)
        if self._take("(?:"):
            inside = self._alternatives()
            self._offset += 1
            return inside
        self._offset += len(f"({GROUP}")
        number = self.groups
        self.groups += 1
        inside = self._alternatives()
        self._offset += 1
        return Group(inside, number)

    def _literal(self) -> Piece:
        source = self._source
        size: i64 = len(source)
        offset: i64 = self._offset
        text = ""
        while True:
            start = offset
            while offset < size and _is_plain(ord(source[offset])):
                offset += 1
            if offset > start:
                text += source[start:offset]
            if not (offset + 1 < size and ord(source[offset]) == 92):
                break
            if ord(source[offset + 1]) != 120:  # "\\b"
                break
            text += chr(int(source[offset + 2 : offset + _ESCAPED_SIZE], 16))
            offset += _ESCAPED_SIZE
        self._offset = offset
        return Literal(text)

    def _repeated(self, part: Piece, before: list[Piece], is_whole: bool) -> Piece:
        """What stands between braces: two numbers, the second of which may be missing.

        Of a text only the last character is repeated, unless it `is_whole`, in parentheses; the
        others are added to `before`.
        """
        end = self._source.find("}", self._offset)
        least, _, most = self._source[self._offset : end].partition(",")
        self._offset = end + 1
        if isinstance(part, Literal) and (len(part.text) == 1 or not is_whole):
            if len(part.text) > 1:
                before.append(Literal(part.text[:-1]))
            part = OneOf(1 << ord(part.text[-1]))
        return Repeat(part, int(least), int(most) if most else NO_END)

    def _set(self) -> OneOf:
        end = self._source.find("]", self._offset) + 1
        text = self._source[self._offset : end]
        known = self._sets.get(text)
        if known is None:
            known = self._sets[text] = OneOf(self._members())
        self._offset = end
        return known

    def _members(self) -> int:
        """The members of a set: characters by their numbers, and ranges of them."""
        self._offset += 1
        codes = 0
        while not self._take("]"):
            first = ord(self._character())
            last = ord(self._character()) if self._take("-") else first
            codes |= (1 << last + 1) - (1 << first)
        return codes

    def _character(self) -> str:
        """A character, as itself or by its number."""
        offset = self._offset
        if self._source[offset] != "\\":
            self._offset = offset + 1
            return self._source[offset]
        self._offset = offset + _ESCAPED_SIZE
        return chr(int(self._source[offset + 2 : offset + _ESCAPED_SIZE], 16))

    def _take(self, text: str) -> bool:
        if not self._source.startswith(text, self._offset):
            return False
        self._offset += len(text)
        return True


def _is_plain(code: "i64") -> bool:
    """Whether a character stands for itself: letters, digits, and `@`, `_`, `-`."""
    return 97 <= code <= 122 or 48 <= code <= 57 or 64 <= code <= 90 or code == 95 or code == 45
