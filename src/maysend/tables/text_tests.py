"""Tests of a key as seen (pattern_literals.seen): whether the condition of a rule holds."""


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
