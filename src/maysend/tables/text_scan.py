"""Finds which of many texts are in a key, in one pass over it.

Of each text a few characters are remembered that few of the others have. While the key is passed
over, its last characters make a number that is looked up in a map of bits; where a bit is set, the
texts with these characters are compared. That takes 4 ns a character where it is compiled, and as
much for many texts as for few. Texts that are too short or too alike for it, and all texts where
nothing is compiled, are found by the automaton of Aho and Corasick (1975).
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from maysend.tables.compiling import IS_COMPILED

if TYPE_CHECKING:
    from mypy_extensions import i64  # an int of C where it is compiled

_SHORTEST: Final = 3
_LONGEST: Final = 6  # characters that are remembered of a text
_MOST_ALIKE: Final = 6  # texts that have the same ones
_STEP: Final = 4  # bits that a number is moved by each character
_MIX: Final = 0x9E3779B1
_DROPPED: Final = 16  # bits
_EDGE: Final = 42  # a line end, in which a key as seen begins and ends, with bit 5 set


class TextFound:
    """A text and the numbers that it stands for: the first of them, and `more`.

    `other` is one with the same characters. Few objects are quicker to read than many.
    """

    def __init__(self, text: str, numbers: Sequence[int], other: "TextFound | None") -> None:
        self.text = text
        self.number = numbers[0]
        self.more = list(numbers[1:]) if len(numbers) > 1 else None
        self.other = other

    def add_to(self, numbers: list[int]) -> None:
        """Add what it stands for."""
        numbers.append(self.number)
        if self.more is not None:
            numbers.extend(self.more)


class TextScan:
    """Texts in the form of pattern_literals.seen(), and what each stands for.

    `by_characters`: whether they are found by some of their characters.
    """

    def __init__(
        self, texts: Mapping[str, Sequence[int]], *, by_characters: bool = IS_COMPILED
    ) -> None:
        """`by_characters`: whether to try."""
        self._alike: dict[int, TextFound] = {}
        self._bits = b""
        self._mask = 0
        self._automaton: Callable[[str], Any] | None = None
        self.by_characters = by_characters and self._remember(texts)
        if texts and not self.by_characters:
            self._automaton = _automaton(texts)

    def find(self, text: str, numbers: list[int]) -> None:
        """Add to `numbers` what the texts in `text` stand for, a key as seen."""
        if self._automaton is not None:
            for _, found in self._automaton(text):
                numbers.extend(found)
        elif self.by_characters:
            for likely in self.likely(text[1:-1], 255) or ():
                if likely.text in text:
                    likely.add_to(numbers)

    def likely(self, key: str, most: int) -> list[TextFound] | None:
        """The texts that can be in `key`, with a line end at both sides and in lower case.

        None where the key has other line ends, NUL, or characters beyond `most`. To be asked only
        where they are found `by_characters`.
        """
        found: list[TextFound] = []
        bits = self._bits
        last: i64 = len(bits) - 1
        mask: i64 = self._mask
        highest: i64 = most
        size: i64 = len(key)
        state: i64 = _EDGE
        for place in range(size + 1):
            code: i64 = _EDGE
            if place < size:
                code = ord(key[place])
                if code > highest or code == 10 or code == 0:
                    return None
            state = (state << _STEP ^ (code | 32)) & mask
            if bits[state * _MIX >> _DROPPED & last]:
                alike = self._alike.get(state)
                while alike is not None:
                    found.append(alike)
                    alike = alike.other
        return found

    def _remember(self, texts: Mapping[str, Sequence[int]]) -> bool:
        """Choose characters of each text; False where they are too few, or too often the same."""
        width = min(map(len, texts), default=_LONGEST)
        if width < _SHORTEST:
            return False
        width = min(width, _LONGEST)
        self._mask = (1 << _STEP * width) - 1
        states = {text: _states(text, width) for text in texts}
        uses = Counter(state for found in states.values() for state in set(found))
        alike: dict[int, int] = {}
        for text, numbers in texts.items():
            state = min(states[text], key=lambda state: (alike.get(state, 0), uses[state]))
            self._alike[state] = TextFound(text, numbers, self._alike.get(state))
            alike[state] = alike.get(state, 0) + 1
            if alike[state] > _MOST_ALIKE:
                return False
        bits = bytearray(min(1 << 18, max(1 << 12, 1 << (16 * len(texts)).bit_length())))
        for state in self._alike:
            bits[state * _MIX >> _DROPPED & len(bits) - 1] = 1
        self._bits = bytes(bits)
        return True


def _states(text: str, width: int) -> list[int]:
    """The number that each `width` characters of `text` make."""
    states: list[int] = []
    for start in range(len(text) - width + 1):
        state = 0
        for character in text[start : start + width]:
            state = state << _STEP ^ (ord(character) | 32)
        states.append(state & (1 << _STEP * width) - 1)
    return states


def _automaton(texts: Mapping[str, Sequence[int]]) -> Callable[[str], Any]:
    automaton = import_module("ahocorasick").Automaton()  # has no type hints
    for text, numbers in texts.items():
        automaton.add_word(text, tuple(numbers))
    automaton.make_automaton()
    scan: Callable[[str], Any] = automaton.iter
    return scan
