"""How one rule of a pattern table is tried, once a prefilter has found that it can apply."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from maysend.tables.delimited import Both, Matches
from maysend.tables.pattern_literals import Texts
from maysend.tables.plain_patterns import PlainPattern
from maysend.tables.rules import Condition, MatchError, Rule

QuickTest: TypeAlias = Callable[[str], object]
"""Whether a condition holds (true or false), from the key as seen (pattern_literals.seen)."""

Answer: TypeAlias = Callable[[str], str | None]
"""The answer of a rule for a key, None where the rule does not apply."""

Groups: TypeAlias = Callable[[Condition, bytes], Sequence[bytes] | None]
"""Asks the engine whether a condition holds, and for its groups. Raises MatchError."""


class Engine:
    """The engine of one table, for what is not understood without it."""

    def __init__(self, groups: Groups, warn: Callable[[int, str], None]) -> None:
        """`warn` takes the line of a rule, and the problem."""
        self._groups = groups
        self._warn = warn

    def groups(self, rule: Rule, key: str) -> Sequence[bytes] | None:
        """What the parentheses of the rule matched, None where its condition does not hold."""
        try:
            return self._groups(rule.condition, key.encode("utf-8", "surrogateescape"))
        except MatchError as error:
            self._warn(rule.number, str(error))
            return None

    def answer(self, rule: Rule, key: str) -> str | None:
        """The answer of the rule, None where it does not apply."""
        groups = self.groups(rule, key)
        return None if groups is None or rule.answer is None else rule.answer(groups)


def needed_texts(condition: Condition) -> tuple[Texts, ...]:
    """Sets of texts; the condition can't hold for a key that has none of one set."""
    if isinstance(condition, Both):
        return needed_texts(condition.first)
    pattern = _plain(condition)
    if pattern is None or (isinstance(condition, Matches) and condition.negated):
        return ()
    return pattern.meaning.needed


def sure_texts(condition: Condition) -> Texts | None:
    """Texts of which each is enough for the condition to hold, None where there are none such."""
    pattern = _plain(condition)
    if pattern is None or (isinstance(condition, Matches) and condition.negated):
        return None
    return pattern.meaning.texts


def quick_test(condition: Condition, *, prepared: bool) -> QuickTest | None:
    """Tells whether the condition holds; None where only the engine can.

    `prepared`: take the time now that makes it quick, instead of when it is often asked.
    """
    pattern = _plain(condition)
    if pattern is None or not isinstance(condition, Matches):
        return None
    if pattern.meaning.texts is not None:
        return _contains(pattern.meaning.texts, negated=condition.negated)
    if pattern.search is None:
        return None
    search = pattern.search.quickest() if prepared else pattern.search
    return (lambda text: not search(text)) if condition.negated else search


def quick_answer(rule: Rule, engine: Engine) -> Answer | None:
    """Tells the answer with groups in it, or None, without the table's engine where possible."""
    pattern, answer = _plain(rule.condition), rule.answer
    if pattern is None or answer is None or not isinstance(rule.condition, Matches):
        return None
    match, wanted = pattern.match_usual, rule.condition.wanted
    if match is None or not wanted:
        return None

    def answer_usual(key: str) -> str | None:
        try:
            groups = match(key.encode("utf-8", "surrogateescape"), wanted)
        except MatchError:
            return engine.answer(rule, key)
        return None if groups is None else answer(groups)

    return answer_usual


def fixed_answer(rule: Rule) -> str | None:
    """The answer of a rule that has no `$number` in it, else None."""
    condition = rule.condition
    if rule.answer is None or not isinstance(condition, Matches) or condition.wanted:
        return None
    return rule.answer(())


def _plain(condition: Condition) -> PlainPattern | None:
    if isinstance(condition, Matches) and isinstance(condition.compiled, PlainPattern):
        return condition.compiled
    return None


def _contains(texts: Texts, *, negated: bool) -> QuickTest:
    if len(texts) > 1:
        return lambda text: any(wanted in text for wanted in texts) is not negated
    (only,) = texts
    if negated:
        return lambda text: only not in text
    return lambda text: only in text
