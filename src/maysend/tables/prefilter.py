"""Finds the rules that can apply to a key, without trying all of them.

A pattern table is searched from the top, and the first rule that applies answers. For most rules
there is a text that a key must have for the rule to apply; one pass over the key (Aho and Corasick
1975) finds which of these texts it has. The rules that are left, and those for which no such text
is known, are tried in the order of the file. An `if` counts for each rule inside: its texts are
needed too, and it has to hold. An `if` that is never closed is one that reaches to the end.

The answer is that of rules.search() for every key; what differs is that a pattern that was not
tried can't warn of its match limit.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from typing import Any

import msgspec

from maysend.tables.pattern_literals import EDGE, LONGEST_KEY, Texts, seen
from maysend.tables.rule_tests import (
    Answer,
    Engine,
    QuickTest,
    fixed_answer,
    needed_texts,
    quick_answer,
    quick_test,
    sure_texts,
)
from maysend.tables.rules import Rule, guards_of

_LONG_ENOUGH = 24
"""Characters of a text that is only a hint; more would take memory and leave out little."""


_LONGEST_SEEN = LONGEST_KEY + 2 * len(EDGE)

_FEW = 100
"""So many rules are worth some milliseconds when a table is opened, to be quicker afterwards."""


class Plan(msgspec.Struct):
    """How one rule is tried: `guards` are the `if`s around it, from the outside.

    With a quick test and a fixed answer, one decides and the other answers; with a fixed answer
    alone, it applies wherever its text was found. Without a fixed answer, `fill` says whether it
    applies and what it answers.
    """

    rule: Rule
    guards: tuple[int, ...]
    quick: QuickTest | None
    fixed: str | None
    fill: Answer


class Prefilter:
    """The rules of one table, by the texts that they need."""

    def __init__(
        self, rules: Sequence[Rule], engine: Engine, search_all: Callable[[str], str | None]
    ) -> None:
        """`search_all` tries every rule; it is for keys that can't be seen as others are."""
        self._engine = engine
        self._search_all = search_all
        self._plans = [
            _plan(rule, guards, engine, prepared=len(rules) <= _FEW)
            for rule, guards in zip(rules, guards_of(rules), strict=True)
        ]
        self._always: tuple[int, ...] = ()
        self._whole: dict[str, tuple[int, ...]] = {}
        self._scan: Callable[[str], Any] | None = None
        self._arrange()
        # Taken apart, because that is quicker to read.
        self._steps = [(plan.guards, plan.quick, plan.fixed, plan.fill) for plan in self._plans]

    def lookup(self, key: str, /) -> str | None:
        """The answer of the first rule that applies to `key`."""
        text = f"\n{key.lower()}\n" if key.isascii() else seen(key)
        if len(text) > _LONGEST_SEEN or "\n" in key or "\0" in key:
            return self._search_all(key)
        found = self._always
        if text in self._whole:
            found += self._whole[text]
        if self._scan is not None:
            for _, numbers in self._scan(text):
                found += numbers
        if not found:
            return None
        known: dict[int, bool] | None = None
        for number in sorted(set(found)) if len(found) > 1 else found:
            guards, quick, fixed, fill = self._steps[number]
            if guards:
                if known is None:
                    known = {}
                if not self._guards_hold(guards, text, key, known):
                    continue
            if quick is not None and not quick(text):
                continue
            if fixed is not None:
                return fixed
            answer = fill(key)
            if answer is not None:
                return answer
        return None

    def _guards_hold(
        self, guards: tuple[int, ...], text: str, key: str, known: dict[int, bool]
    ) -> bool:
        for number in guards:
            if number not in known:
                plan = self._plans[number]
                if plan.quick is not None:
                    known[number] = bool(plan.quick(text))
                else:
                    known[number] = self._engine.groups(plan.rule, key) is not None
            if not known[number]:
                return False
        return True

    def _arrange(self) -> None:
        """Choose for each rule the text that leaves it out most often."""
        choices = {
            number: self._choices(plan)
            for number, plan in enumerate(self._plans)
            if plan.rule.answer is not None
        }
        uses = Counter(text for sets in choices.values() for texts in sets for text in texts)
        always: list[int] = []
        whole: dict[str, list[int]] = {}
        inside: dict[str, list[int]] = {}
        for number, sets in choices.items():
            if not sets:
                always.append(number)
                continue
            texts = min(sets, key=lambda texts: sum(_cost(text, uses[text]) for text in texts))
            plan = self._plans[number]
            if texts is sure_texts(plan.rule.condition) and plan.fixed is not None:
                plan.quick = None
            else:
                texts = tuple({_hint(text) for text in texts})
            for text in texts:
                (whole if _is_whole(text) else inside).setdefault(text, []).append(number)
        self._always = tuple(always)
        self._whole = {text: tuple(numbers) for text, numbers in whole.items()}
        self._scan = _automaton(inside) if inside else None

    def _choices(self, plan: Plan) -> list[Texts]:
        sets = list(needed_texts(plan.rule.condition))
        for number in plan.guards:
            sets += needed_texts(self._plans[number].rule.condition)
        return sets


def _plan(rule: Rule, guards: tuple[int, ...], engine: Engine, *, prepared: bool) -> Plan:
    fill = quick_answer(rule, engine)
    if fill is not None:
        return Plan(rule, guards, None, None, fill)
    quick = quick_test(rule.condition, prepared=prepared)
    fixed = None if quick is None else fixed_answer(rule)
    return Plan(rule, guards, quick, fixed, partial(engine.answer, rule))


def _is_whole(text: str) -> bool:
    return len(text) > 1 and text.startswith(EDGE) and text.endswith(EDGE)


def _hint(text: str) -> str:
    return text if _is_whole(text) else text[:_LONG_ENOUGH]


def _cost(text: str, uses: int) -> float:
    """How much a text costs, roughly: rules to try, times how often it is met by chance."""
    return uses * (1 + 200 / len(text) ** 3)


def _automaton(texts: dict[str, list[int]]) -> Callable[[str], Any]:
    automaton = import_module("ahocorasick").Automaton()  # has no type hints
    for text, numbers in texts.items():
        automaton.add_word(text, tuple(numbers))
    automaton.make_automaton()
    scan: Callable[[str], Any] = automaton.iter
    return scan
