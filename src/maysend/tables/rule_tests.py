"""How one rule of a pattern table is tried, once a prefilter has found that it can apply."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from maysend.tables.delimited import Both, Matches
from maysend.tables.pattern_literals import Texts
from maysend.tables.plain_patterns import Match, PlainPattern
from maysend.tables.rules import Condition, MatchError, Rule
from maysend.tables.text_search import GroupSearch
from maysend.tables.text_tests import Contains, Lacks, TextTest

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


class Plan:
    """How one rule is tried, once it is known that it can apply.

    `guards` are the `if`s around it, from the outside. With a test and a fixed answer, one decides
    and the other answers; with a fixed answer alone, it applies wherever its text was found.
    """

    def __init__(self, rule: Rule, guards: tuple[int, ...], engine: Engine, prepared: bool) -> None:
        """`prepared`: take the time now that makes it quick, instead of when it is often asked."""
        self.rule = rule
        self.guards = list(guards) if guards else None
        self._engine = engine
        self.test: TextTest | None = None
        self.fixed: str | None = None
        self._groups: GroupSearch | None = None
        self._match: Match | None = None
        self._wanted = 0
        pattern = _plain(rule.condition)
        if pattern is not None and rule.answer is not None and isinstance(rule.condition, Matches):
            self._wanted = rule.condition.wanted
        if pattern is not None and self._wanted:
            self._groups, self._match = pattern.groups, pattern.match_usual
        test = None if self._match is not None else _text_test(rule.condition, prepared)
        self._before_engine = test
        if not self._wanted:
            self.test = test
            self.fixed = None if test is None else _fixed_answer(rule)

    @property
    def applies(self) -> bool:
        """Whether it applies wherever its text was found."""
        return self.test is None and self.fixed is not None

    def adds_ascii_only(self) -> bool:
        """Whether all of its answer that does not come from the key is ASCII."""
        nothing = [b""] * _wanted(self.rule.condition)
        return self.rule.answer is None or self.rule.answer(nothing).isascii()

    def answer(self, text: str, key: str) -> str | None:
        """The answer without a fixed one, None where the rule does not apply.

        `text` is the `key` as seen.
        """
        groups: Sequence[bytes] | None
        if self._groups is not None and self._groups.usable():
            groups = self._groups.groups(text, key, self._wanted)
        elif self._match is not None:
            try:
                groups = self._match(key.encode("utf-8", "surrogateescape"), self._wanted)
            except MatchError:
                groups = self._engine.groups(self.rule, key)
        elif self._before_engine is not None and not self._before_engine.holds(text):
            return None
        else:
            groups = self._engine.groups(self.rule, key)
        return None if groups is None or self.rule.answer is None else self.rule.answer(groups)

    def holds(self, text: str, key: str) -> bool:
        """Whether the condition of an `if` holds; `text` is the `key` as seen."""
        if self.test is not None:
            return self.test.holds(text)
        return self._engine.groups(self.rule, key) is not None


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


def _text_test(condition: Condition, prepared: bool) -> TextTest | None:
    """Tells whether the condition holds; None where only the engine can."""
    pattern = _plain(condition)
    if pattern is None or not isinstance(condition, Matches):
        return None
    if pattern.meaning.texts is not None:
        return Contains(pattern.meaning.texts, condition.negated)
    if pattern.search is None:
        return None
    test = pattern.search.quickest(at_any_price=prepared)
    return Lacks(test) if condition.negated else test


def _wanted(condition: Condition) -> int:
    """How many groups the answer of a rule needs."""
    if isinstance(condition, Both):
        return _wanted(condition.first)
    return condition.wanted if isinstance(condition, Matches) else 0


def _fixed_answer(rule: Rule) -> str | None:
    """The answer of a rule that has no `$number` in it, else None."""
    condition = rule.condition
    if rule.answer is None or not isinstance(condition, Matches) or condition.wanted:
        return None
    return rule.answer(())


def _plain(condition: Condition) -> PlainPattern | None:
    if isinstance(condition, Matches) and isinstance(condition.compiled, PlainPattern):
        return condition.compiled
    return None
