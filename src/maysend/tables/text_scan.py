"""Finds which of many texts are in a key, in one pass over it.

Of each text a few characters are remembered that few of the others have. While the key is passed
over, its last characters make a number that is looked up in a map of bits; where a bit is set, the
texts with these characters are compared. That takes 4 ns a character where it is compiled, and as
much for many texts as for few. Texts that are too short or too alike for it, and all texts where
nothing is compiled, are found by the automaton of Aho and Corasick (1975).
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from maysend.tables.compiling import IS_COMPILED

if TYPE_CHECKING:
    from mypy_extensions import i64  # an int of C where it is compiled

CHARACTERS: Final = 6
"""So many are remembered of each text, or as many as the shortest has."""

_SHORTEST: Final = 3
_MOST_ALIKE: Final = 6  # texts that have the same ones
_STEP: Final = 4  # bits that a number is moved by each character
_MIX: Final = 0x9E3779B1
_DROPPED: Final = 16  # bits
_EDGE: Final = 42  # a line end, in which a key as seen begins and ends, with bit 5 set


class TextFound:
    """A text and the numbers that it stands for: the first of them, and `more`.

    `state` is the number that its characters make, `other` a text in the same slot, `decides`: see
    TextScan. Few objects are quicker to read than many.
    """

    def __init__(
        self,
        text: str,
        state: int,
        numbers: Sequence[int],
        decides: bool,
        other: "TextFound | None",
    ) -> None:
        self.state = state
        self.text = text
        self.decides = decides
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
        self,
        texts: Mapping[str, Sequence[int]],
        deciding: Collection[str] = (),
        *,
        by_characters: bool = IS_COMPILED,
    ) -> None:
        """`deciding` are those on which alone it depends what is done with a key that has them.

        `by_characters`: whether to try.
        """
        self._slots: list[TextFound | None] = []
        self._bits = b""
        self._mask = 0
        self._automaton: Callable[[str], Any] | None = None
        self.by_characters = by_characters and self._remember(texts, deciding)
        if texts and not self.by_characters:
            self._automaton = _automaton(texts)

    def find(self, text: str, numbers: list[int]) -> None:
        """Add to `numbers` what the texts in `text` stand for, a key as seen."""
        if self._automaton is not None:
            for _, found in self._automaton(text):
                numbers.extend(found)
        elif self.by_characters:
            for likely in self.likely(text[1:-1].encode("latin-1")) or ():
                if likely.text in text:
                    likely.add_to(numbers)

    def likely(self, key: bytes) -> list[TextFound] | None:
        """The texts that can be in `key`, with a line end at both sides and in lower case.

        None where the key has other line ends or NUL. To be asked only where they are found
        `by_characters`.
        """
        found: list[TextFound] = []
        bits = self._bits
        last: i64 = 8 * len(bits) - 1
        mask: i64 = self._mask
        state: i64 = _EDGE
        code: i64 = 0
        bit: i64 = 0
        for place in range(len(key)):
            code = key[place]
            if code == 10 or code == 0:
                return None
            state = (state << _STEP ^ (code | 32)) & mask
            bit = state * _MIX >> _DROPPED & last
            if bits[bit >> 3] >> (bit & 7) & 1:
                self._add(state, bit >> 3, found)
        state = (state << _STEP ^ _EDGE) & mask
        bit = state * _MIX >> _DROPPED & last
        if bits[bit >> 3] >> (bit & 7) & 1:
            self._add(state, bit >> 3, found)
        return found

    def _add(self, state: "i64", slot: "i64", found: list[TextFound]) -> None:
        likely = self._slots[slot]
        while likely is not None:
            if likely.state == state:
                found.append(likely)
            likely = likely.other

    def _remember(self, texts: Mapping[str, Sequence[int]], deciding: Collection[str]) -> bool:
        """Choose characters of each text; False where they are too few, or too often the same."""
        width = min(map(len, texts), default=CHARACTERS)
        if width < _SHORTEST:
            return False
        width = min(width, CHARACTERS)
        self._mask = (1 << _STEP * width) - 1
        states = {text: _states(text, width) for text in texts}
        uses = Counter(state for found in states.values() for state in set(found))
        alike: dict[int, int] = {}
        chosen: dict[str, int] = {}
        for text in texts:
            state = min(states[text], key=lambda state: (alike.get(state, 0), uses[state]))
            chosen[text] = state
            alike[state] = alike.get(state, 0) + 1
            if alike[state] > _MOST_ALIKE:
                return False
        size = min(1 << 18, max(1 << 12, 1 << (16 * len(texts)).bit_length()))
        bits = bytearray(size // 8)
        self._slots = [None] * len(bits)
        for text, numbers in texts.items():
            bit = chosen[text] * _MIX >> _DROPPED & size - 1
            slot = bit >> 3
            bits[slot] |= 1 << (bit & 7)
            self._slots[slot] = TextFound(
                text, chosen[text], numbers, text in deciding, self._slots[slot]
            )
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
