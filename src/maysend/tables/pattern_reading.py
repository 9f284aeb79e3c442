"""Reads the patterns of pcre and regexp tables, as far as their meaning is beyond doubt.

Both syntaxes are large, and a pattern that is read wrongly would be a wrong answer. So this knows
what addresses are written with - texts, bracket expressions, ".", groups, alternatives,
quantifiers, "^" and "$" - in the forms in which both engines agree with their manual pages
(pcre2pattern(3), regex(7)), and raises NotUnderstood for everything else. Line ends and NUL are
left out of every set of characters: keys that have them are not looked at this way.
"""

import re
from collections.abc import Callable
from typing import Final, Literal

from maysend.tables.pattern_literals import (
    END,
    START,
    WORD_BOUNDARY,
    NotUnderstood,
    Reading,
    Understood,
    alternated,
    captured,
    concatenated,
    literal,
    lowered,
    one_of,
    repeated,
    understood,
)

Syntax = Literal["perl", "posix"]

_LONGEST_PATTERN = 1000
_DEEPEST = 20
_MOST_REPEATS = 255  # RE_DUP_MAX as POSIX guarantees it

_PLAIN = re.compile(r"(?:[^\\\[\](){}|*+?.^$\n\0]|\\[^0-9A-Za-z<>`'\x80-\xff\n\0\s])+")
_QUANTIFIERS = frozenset("*+?{")
_COUNT = re.compile(r"\{([0-9]{1,3})(?:(,)([0-9]{1,3})?)?\}")
_CLASS_NAME = re.compile(r"\[:([a-z]+):\]")
_KINDS = ("0123456789", "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def _codes(test: Callable[[str], bool]) -> frozenset[int]:
    return frozenset(code for code in range(128) if test(chr(code)))


_ALL: Final = frozenset(range(256)) - {0, 10}
_DIGITS: Final = _codes(str.isdigit)
_WORD: Final = _codes(lambda character: character.isalnum() or character == "_")
_SPACE: Final = frozenset(b" \t\n\v\f\r")
_CLASSES: Final = {
    "alnum": _codes(str.isalnum),
    "alpha": _codes(str.isalpha),
    "blank": frozenset(b" \t"),
    "digit": _DIGITS,
    "graph": frozenset(range(33, 127)),
    "lower": _codes(str.islower),
    "print": frozenset(range(32, 127)),
    "punct": frozenset(range(33, 127)) - _codes(str.isalnum),
    "space": _SPACE,
    "upper": _codes(str.isupper),
    "xdigit": frozenset(b"0123456789abcdefABCDEF"),
}
_PERL_SETS: Final = {"d": _DIGITS, "w": _WORD, "s": _SPACE}


class PatternReader:
    """Reads patterns that are compared without regard to case."""

    def __init__(self, syntax: Syntax) -> None:
        self.syntax: Syntax = syntax
        self._sets: dict[str, Reading] = {".": one_of(_folded(_ALL))}

    def read(self, pattern: bytes) -> Understood | None:
        """What `pattern` means, None where that is left to its engine."""
        if len(pattern) > _LONGEST_PATTERN:
            return None
        progress = _Progress(pattern.decode("latin-1"))
        try:
            whole = self._alternatives(progress, 0)
            if progress.rest():
                return None
            return understood(whole, progress.groups)
        except NotUnderstood:
            return None

    def _alternatives(self, progress: "_Progress", depth: int) -> Reading:
        branches = [self._sequence(progress, depth)]
        while progress.take("|"):
            branches.append(self._sequence(progress, depth))
        return alternated(branches)

    def _sequence(self, progress: "_Progress", depth: int) -> Reading:
        parts: list[Reading] = []
        while True:
            character = progress.peek()
            if character in ("", "|", ")"):
                break
            if character == "^":
                progress.offset += 1
                parts.append(_unquantified(START, progress))
            elif character == "$":
                progress.offset += 1
                parts.append(_unquantified(END, progress))
            else:
                self._atom(character, progress, depth, parts)
        if not parts:
            raise NotUnderstood
        return concatenated(parts)

    def _atom(
        self, character: str, progress: "_Progress", depth: int, parts: list[Reading]
    ) -> None:
        if character == "(":
            part = self._group(progress, depth + 1)
        elif character == "[":
            part = self._bracket(progress)
        elif character == ".":
            progress.offset += 1
            part = self._sets["."]
        else:
            text = _plain(progress)
            if not text:
                part = self._escape(progress)
                if part is WORD_BOUNDARY:
                    parts.append(_unquantified(part, progress))
                    return
            elif len(text) > 1 and progress.peek() in _QUANTIFIERS:
                parts.append(literal(text[:-1]))
                part = literal(text[-1])
            else:
                part = literal(text)
        parts.append(self._quantified(part, progress))

    def _group(self, progress: "_Progress", depth: int) -> Reading:
        progress.offset += 1
        if depth > _DEEPEST:
            raise NotUnderstood
        captures = False
        if progress.peek() in ("?", "*"):
            if self.syntax != "perl" or not progress.take("?:"):
                raise NotUnderstood
        else:
            progress.groups += 1
            captures = True
        inside = self._alternatives(progress, depth)
        if not progress.take(")"):
            raise NotUnderstood
        return captured(inside) if captures else inside

    def _quantified(self, part: Reading, progress: "_Progress") -> Reading:
        character = progress.peek()
        if character not in _QUANTIFIERS:
            return part
        if character == "{":
            least, most = _count(progress)
        else:
            progress.offset += 1
            least, most = {"*": (0, None), "+": (1, None), "?": (0, 1)}[character]
        if self.syntax == "perl":
            progress.take("?")  # matches the same keys, only the groups may differ
        if progress.peek() in _QUANTIFIERS:
            raise NotUnderstood
        return repeated(part, least, most)

    def _escape(self, progress: "_Progress") -> Reading:
        """A backslash and a letter, in Perl's syntax."""
        text = progress.text[progress.offset : progress.offset + 2]
        progress.offset += 2
        if self.syntax != "perl" or len(text) < 2 or text[0] != "\\":
            raise NotUnderstood
        if text[1] == "b":
            return WORD_BOUNDARY
        if text not in self._sets:
            members = _PERL_SETS.get(text[1].lower())
            if members is None:
                raise NotUnderstood
            self._sets[text] = one_of(_folded(members if text[1].islower() else _ALL - members))
        return self._sets[text]

    def _bracket(self, progress: "_Progress") -> Reading:
        start = progress.offset
        members, negated = self._members(progress)
        text = progress.text[start : progress.offset]
        reading = self._sets.get(text)
        if reading is None:
            both_cases = {swapped for code in members for swapped in (code, _swapped(code))}
            reading = one_of(_folded(_ALL - both_cases if negated else _ALL & both_cases))
            self._sets[text] = reading
        return reading

    def _members(self, progress: "_Progress") -> tuple[set[int], bool]:
        """The members of a bracket expression as written, and whether it is negated."""
        progress.offset += 1
        negated = progress.take("^")
        members: set[int] = set()
        first = True
        while first or not progress.take("]"):
            if progress.peek() == "[":
                members |= _named_class(progress)
            else:
                members |= self._member(progress, first=first)
            first = False
        return members, negated

    def _member(self, progress: "_Progress", *, first: bool) -> frozenset[int] | set[int]:
        text, offset = progress.text, progress.offset
        character = text[offset : offset + 1]
        progress.offset += 1
        if character in ("", "\n", "\0"):
            raise NotUnderstood
        if character == "\\" and self.syntax == "perl":
            escaped = progress.peek()
            progress.offset += 1
            if escaped in _PERL_SETS:
                members = _PERL_SETS[escaped]
            elif escaped and escaped.isascii() and escaped.isprintable() and not escaped.isalnum():
                members = frozenset({ord(escaped)})
            else:
                raise NotUnderstood
            if progress.peek() == "-" and not progress.follows("-]"):
                raise NotUnderstood
            return members
        if character == "-" and not first and progress.peek() != "]":
            raise NotUnderstood
        if progress.peek() != "-" or progress.follows("-]"):
            return {ord(character)}
        last = text[offset + 2 : offset + 3]
        progress.offset += 2
        if not any(character in kind and last in kind for kind in _KINDS) or character > last:
            raise NotUnderstood
        return set(range(ord(character), ord(last) + 1))


class _Progress:
    """A pattern and how far it has been read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.offset = 0
        self.groups = 0

    def peek(self) -> str:
        return self.text[self.offset : self.offset + 1]

    def rest(self) -> str:
        return self.text[self.offset :]

    def follows(self, text: str) -> bool:
        return self.text.startswith(text, self.offset)

    def take(self, text: str) -> bool:
        if not self.text.startswith(text, self.offset):
            return False
        self.offset += len(text)
        return True


def _plain(progress: _Progress) -> str:
    """The text up to the next character with a meaning; escaped punctuation has none."""
    match = _PLAIN.match(progress.text, progress.offset)
    if match is None:
        return ""
    progress.offset = match.end()
    text = match[0]
    if "\\" in text:
        text = re.sub(r"\\(.)", r"\1", text)
    return lowered(text)


def _count(progress: _Progress) -> tuple[int, int | None]:
    """`{2}`, `{2,}` or `{2,3}`. Raises NotUnderstood for any other."""
    match = _COUNT.match(progress.text, progress.offset)
    if match is None:
        raise NotUnderstood
    progress.offset = match.end()
    least = int(match[1])
    most = int(match[3]) if match[3] else None if match[2] else least
    if max(least, most or 0) > _MOST_REPEATS or (most is not None and (most < least or most == 0)):
        raise NotUnderstood
    return least, most


def _unquantified(part: Reading, progress: _Progress) -> Reading:
    if progress.peek() in _QUANTIFIERS and progress.peek():
        raise NotUnderstood
    return part


def _named_class(progress: _Progress) -> frozenset[int]:
    match = _CLASS_NAME.match(progress.text, progress.offset)
    if match is None or match[1] not in _CLASSES:
        raise NotUnderstood
    progress.offset = match.end()
    if progress.peek() == "-" and not progress.follows("-]"):
        raise NotUnderstood
    return _CLASSES[match[1]]


def _folded(members: frozenset[int] | set[int]) -> list[int]:
    """Of a set that has both cases of every letter, or none: what is left in lower case."""
    return [code for code in members & _ALL if not 65 <= code <= 90]


def _swapped(code: int) -> int:
    return code ^ 32 if chr(code).isascii() and chr(code).isalpha() else code
