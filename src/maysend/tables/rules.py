"""Ordered rules with if and endif: how regexp, pcre and cidr tables are searched."""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import msgspec

from maysend.maincf.lines import WHITESPACE
from maysend.tables.lines import LogicalLine
from maysend.tables.table import TableContext

_ALPHANUMERIC = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")


class RuleError(ValueError):
    """A rule that is skipped; the text says what is wrong with it."""


class MatchError(Exception):
    """A pattern that could not be tried to the end; its rule is passed over."""


class Condition(Protocol):
    """What a key has to be like for a rule to apply."""

    def groups(self, key: bytes, /) -> Sequence[bytes] | None:
        """What the parentheses matched, None where the condition does not hold.

        Raises MatchError.
        """
        ...


class Rule(msgspec.Struct):
    """One rule: a condition with an answer, or an `if` with the place behind its `endif`.

    `behind` is the index of the rule that follows the endif, None for an `if` that is never
    closed: where that one does not hold, the search ends.
    """

    number: int
    condition: Condition
    answer: Callable[[Sequence[bytes]], str] | None = None
    behind: int | None = None


class RuleSyntax(Protocol):
    """How one table type writes its rules."""

    def is_match(self, text: str, /) -> bool:
        """Whether the line is a pattern with an answer, rather than if or endif."""
        ...

    def match(self, text: str, warn: Callable[[str], None], /) -> Rule:
        """Read a pattern and its answer. Raises RuleError."""
        ...

    def condition(self, text: str, /) -> tuple[Condition, str]:
        """Read the pattern behind `if`; the condition and the text that is left over."""
        ...

    def check_endif(self, rest: str, warn: Callable[[str], None], /) -> None:
        """Judge the text behind `endif`. Raises RuleError where that makes it void."""
        ...


def compile_rules(
    lines: Iterable[LogicalLine], syntax: RuleSyntax, table: str, context: TableContext
) -> list[Rule]:
    """Read the rules of `table` ("pcre map FILE"); what is wrong is skipped with a warning."""
    rules: list[Rule] = []
    open_ifs: list[Rule] = []
    for line in lines:
        text = line.text.rstrip(WHITESPACE)

        def warn(problem: str, number: int = line.number) -> None:
            context.warn(f"{table}, line {number}: {problem}")

        try:
            if syntax.is_match(text):
                rule = syntax.match(text, warn)
                rule.number = line.number
                rules.append(rule)
            elif is_word(text, "if"):
                condition, rest = syntax.condition(text[2:].lstrip(WHITESPACE))
                if rest:
                    warn(
                        f'ignoring extra text after IF statement: "{rest}" '
                        "(whitespace before a statement makes it part of the line before)"
                    )
                rule = Rule(line.number, condition)
                rules.append(rule)
                open_ifs.append(rule)
            elif is_word(text, "endif"):
                if text[5:].strip(WHITESPACE):
                    syntax.check_endif(text[5:], warn)
                if not open_ifs:
                    raise RuleError("ignoring ENDIF without matching IF")
                open_ifs.pop().behind = len(rules)
            else:
                raise RuleError("ignoring unrecognized request: expected a rule, if or endif")
        except RuleError as error:
            warn(str(error))
    for rule in reversed(open_ifs):
        context.warn(f"{table}, line {rule.number}: IF has no matching ENDIF")
    return rules


def search(rules: Sequence[Rule], key: bytes, table: str, context: TableContext) -> str | None:
    """The answer of the first rule that applies to `key`."""
    tell = context.tell
    index = 0
    while index < len(rules):
        rule = rules[index]
        index += 1
        try:
            groups = rule.condition.groups(key)
        except MatchError as error:
            context.warn(f"{table}, line {rule.number}: {error}")
            groups = None
        if rule.answer is not None:
            if groups is not None:
                if tell is not None:
                    tell("rule", f"{table}, line {rule.number}")
                return rule.answer(groups)
        elif groups is None:
            if rule.behind is None:
                return None
            if tell is not None:
                tell("skipped", f"if without a match, line {rule.number}")
            index = rule.behind
    return None


def guards_of(rules: Sequence[Rule]) -> list[tuple[int, ...]]:
    """The numbers of the `if`s around each rule, from the outside.

    All of them have to hold for the rule to be tried; that is true of an `if` without `endif` too,
    because no rule behind it is tried where it does not hold.
    """
    guards: list[tuple[int, ...]] = []
    around: list[int] = []
    for number, rule in enumerate(rules):
        while around and _ends(rules[around[-1]], number):
            around.pop()
        guards.append(tuple(around))
        if rule.answer is None:
            around.append(number)
    return guards


def _ends(guard: Rule, number: int) -> bool:
    return guard.behind is not None and guard.behind <= number


def starts_alphanumeric(text: str) -> bool:
    """Whether `text` starts with an ASCII letter or digit."""
    return text[:1] in _ALPHANUMERIC and bool(text)


def is_word(text: str, word: str) -> bool:
    """Whether `text` starts with `word` in any case, and the word ends there."""
    following = text[len(word) : len(word) + 1]
    return text[: len(word)].lower() == word and following not in _ALPHANUMERIC
