r"""# unreached-pattern: a pattern behind one that already answered

## What it does
Reports a rule of a pcre or regexp table that no key can reach: the same pattern stands before it,
or a pattern that matches every key.

## Why it is bad
The search ends with the first rule that matches. Owners of the second rule are never seen; they
are not added to those of the first.

## Example
    /.*/    alice@example.com
    /.*/    bob@example.com

## Use instead
    /.*/    alice@example.com, bob@example.com

## Limits
Patterns are compared as written: two that differ in spelling only are not found. Rules inside
`if` are left out.

## Source
pcre_table(5), regexp_table(5): "Each pattern is applied in the order as specified, until a pattern
is found that matches".
"""

from collections.abc import Iterator, Sequence

from maysend.lint.configuration import Smtpd
from maysend.lint.finding import Problem
from maysend.lint.pattern_files import PatternRule, pattern_files
from maysend.lint.pattern_samples import matches_everything


def check(smtpd: Smtpd) -> Iterator[Problem]:
    """The rules behind the same pattern, or behind one for every key."""
    for file in pattern_files(smtpd):
        yield from _unreached(file.rules)


def _unreached(rules: Sequence[PatternRule]) -> Iterator[Problem]:
    first: dict[tuple[str, str, bool], PatternRule] = {}
    for_all: PatternRule | None = None
    for rule in rules:
        identity = (rule.pattern, rule.flags, rule.is_negated)
        earlier = for_all or first.get(identity)
        if earlier is not None:
            yield _problem(rule, earlier)
        if rule.is_guarded:
            continue
        first.setdefault(identity, rule)
        if matches_everything(rule.pattern) and not rule.is_negated:
            for_all = for_all or rule


def _problem(rule: PatternRule, earlier: PatternRule) -> Problem:
    same = earlier.pattern == rule.pattern
    why = "has the same pattern" if same else "matches every key"
    both = f"/{rule.pattern}/{rule.flags} {earlier.answer}, {rule.answer}"
    return Problem(
        place=rule.place,
        written=rule.written,
        message=f"never reached: line {earlier.place.line} {why} and answers first",
        fix=both if same and earlier.answer != rule.answer else "",
    )
