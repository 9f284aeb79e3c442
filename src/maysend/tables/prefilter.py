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
from typing import Final

from maysend.tables.pattern_literals import EDGE, LONGEST_KEY, Texts, seen
from maysend.tables.rule_search import RuleSearch
from maysend.tables.rule_tests import Engine, Plan, needed_texts, sure_texts
from maysend.tables.rules import Rule, guards_of
from maysend.tables.text import CheckedTable
from maysend.tables.text_scan import CHARACTERS, TextScan

_LONG_ENOUGH: Final = 24
"""Characters of a text that is only a hint; more would take memory and leave out little."""

_FEW: Final = 100
"""So many rules are worth some milliseconds when a table is opened, to be quicker afterwards."""


class Prefilter(RuleSearch):
    """The rules of one table, by the texts that they need."""

    def __init__(
        self, rules: Sequence[Rule], engine: Engine, search_all: Callable[[str], str | None]
    ) -> None:
        """`search_all` tries every rule; it is for keys that can't be seen as others are."""
        self._search_all = search_all
        self._plans = [
            Plan(rule, guards, engine, len(rules) <= _FEW)
            for rule, guards in zip(rules, guards_of(rules), strict=True)
        ]
        self._always: list[int] = []
        self._whole: dict[str, list[int]] = {}
        self._scan = self._scan_for(self._arrange())
        self._only_inside = not (self._always or self._whole)
        self.plain = all(plan.adds_ascii_only() for plan in self._plans)

    def lookup(self, key: str, /) -> str | None:
        """The answer of the first rule that applies to `key`."""
        text = f"\n{key.lower()}\n" if key.isascii() else seen(key)
        if len(text) > LONGEST_KEY + 2 * len(EDGE) or "\n" in key or "\0" in key:
            return self._search_all(key)
        numbers = list(self._always)
        if text in self._whole:
            numbers += self._whole[text]
        self._scan.find(text, numbers)
        return self._first(numbers, text, key) if numbers else None

    def usual(self, key: str, table: CheckedTable) -> str | None:
        """The same in short, with no look at a character twice."""
        if not self._scan.by_characters or len(key) > LONGEST_KEY:
            return table.lookup(key)
        try:
            likely = self._scan.likely(key.encode("ascii"))
        except UnicodeEncodeError:
            likely = None
        if likely is None:
            return table.lookup(key)
        if not likely and self._only_inside:
            return None
        text = f"\n{key.lower()}\n"
        if len(likely) == 1 and self._only_inside:
            found = likely[0]
            if found.more is None:
                if found.decides and found.text not in text:
                    return None
                return self._answer(self._plans[found.number], text, key, None)
        numbers = self._always + self._whole.get(text, [])
        for found in likely:
            if found.text in text:
                found.add_to(numbers)
        return self._first(numbers, text, key) if numbers else None

    def _first(self, numbers: list[int], text: str, key: str) -> str | None:
        """The answer of the first of these rules that applies."""
        if len(numbers) > 1:
            numbers.sort()
        known: dict[int, bool] = {}
        before = -1
        for number in numbers:
            if number == before:
                continue  # two of its texts were found
            before = number
            answer = self._answer(self._plans[number], text, key, known)
            if answer is not None:
                return answer
        return None

    def _answer(self, plan: Plan, text: str, key: str, known: dict[int, bool] | None) -> str | None:
        """The answer of one rule, None where it does not apply.

        `known` says of the `if`s that were tried whether they hold.
        """
        if plan.guards is not None:
            if known is None:
                known = {}
            if not self._guards_hold(plan.guards, text, key, known):
                return None
        if plan.test is not None and not plan.test.holds(text):
            return None
        return plan.answer(text, key) if plan.fixed is None else plan.fixed

    def _guards_hold(self, guards: list[int], text: str, key: str, known: dict[int, bool]) -> bool:
        for number in guards:
            holds = known.get(number)
            if holds is None:
                holds = known[number] = self._plans[number].holds(text, key)
            if not holds:
                return False
        return True

    def _arrange(self) -> dict[str, list[int]]:
        """Choose for each rule the text that leaves it out most often; those to be looked for."""
        choices = {
            number: self._choices(plan)
            for number, plan in enumerate(self._plans)
            if plan.rule.answer is not None
        }
        uses = Counter(text for sets in choices.values() for texts in sets for text in texts)
        inside: dict[str, list[int]] = {}
        for number, sets in choices.items():
            if not sets:
                self._always.append(number)
                continue
            texts = min(sets, key=lambda texts: sum(_cost(text, uses[text]) for text in texts))
            plan = self._plans[number]
            if texts is sure_texts(plan.rule.condition) and plan.fixed is not None:
                plan.test = None
            else:
                texts = tuple({_hint(text) for text in texts})
            for text in texts:
                (self._whole if _is_whole(text) else inside).setdefault(text, []).append(number)
        return inside

    def _scan_for(self, inside: dict[str, list[int]]) -> TextScan:
        """Looks for these, and for whole keys if they suit it: that is one way less to ask."""
        if self._whole and min(map(len, self._whole)) >= CHARACTERS:
            both = inside | self._whole
            scan = TextScan(both, self._deciding(both))
            if scan.by_characters:
                self._whole = {}
                return scan
        return TextScan(inside, self._deciding(inside))

    def _deciding(self, inside: dict[str, list[int]]) -> set[str]:
        """The texts that have to be found for certain: nothing else is tried for their rules."""
        return {
            text
            for text, numbers in inside.items()
            if any(self._plans[number].applies for number in numbers)
        }

    def _choices(self, plan: Plan) -> list[Texts]:
        sets = list(needed_texts(plan.rule.condition))
        for number in plan.guards or ():
            sets += needed_texts(self._plans[number].rule.condition)
        return sets


def _is_whole(text: str) -> bool:
    return len(text) > 1 and text.startswith(EDGE) and text.endswith(EDGE)


def _hint(text: str) -> str:
    return text if _is_whole(text) else text[:_LONG_ENOUGH]


def _cost(text: str, uses: int) -> float:
    """How much a text costs, roughly: rules to try, times how often it is met by chance."""
    return uses * (1 + 200 / len(text) ** 3)
