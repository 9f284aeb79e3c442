"""The rules of pcre and regexp tables as they are written, beside what they match."""

import re
from collections.abc import Iterator
from functools import lru_cache

import msgspec

from maysend.lint.configuration import Smtpd
from maysend.lint.contents import members, rules_of
from maysend.lint.table_uses import table_uses
from maysend.maincf import Place
from maysend.tables import LookupTable, TableContext, TableError
from maysend.tables.lines import read_rules
from maysend.tables.rules import MatchError, Rule, guards_of

TYPES = ("pcre", "regexp")

_RULE = re.compile(
    r"\s*(?P<negated>!?)\s*(?P<delimiter>[^\w\s])(?P<pattern>(?:\\.|(?!(?P=delimiter)).)*)"
    r"(?P=delimiter)(?P<flags>\w*)(?:\s+(?P<answer>.*))?$",
    re.DOTALL,
)


class PatternRule(msgspec.Struct, frozen=True):
    """One rule with an answer. `is_guarded` says that it stands inside an `if`."""

    place: Place
    written: str
    pattern: str
    flags: str
    answer: str
    is_negated: bool
    is_guarded: bool
    rule: Rule

    def matches(self, key: str) -> bool:
        """Whether the rule's own condition holds for `key`."""
        try:
            return self.rule.condition.groups(key.encode("utf-8", "surrogateescape")) is not None
        except MatchError:
            return False


class PatternFile(msgspec.Struct, frozen=True):
    """A pattern table, and the parameter or restriction that first names it."""

    spec: str
    used_by: str
    table: LookupTable
    rules: tuple[PatternRule, ...]

    def answer(self, key: str) -> str | None:
        """What the table as a whole answers, None also where it fails."""
        try:
            return self.table.lookup(key)
        except TableError:
            return None


@lru_cache(maxsize=1)
def pattern_files(smtpd: Smtpd) -> tuple[PatternFile, ...]:
    """Every pattern table of the policy once, also inside unions. Unreadable ones are left out.

    Several rules ask this of one service after the other, hence the cache.
    """
    return tuple(_files(smtpd))


def _files(smtpd: Smtpd) -> Iterator[PatternFile]:
    seen: set[tuple[str, str]] = set()
    for use in table_uses(smtpd):
        for table in _with_members(use.table):
            spec = table.spec.removeprefix("proxy:")
            if not spec.startswith(TYPES) or (spec, use.used_by) in seen:
                continue
            seen.add((spec, use.used_by))
            try:
                yield PatternFile(spec, use.used_by, table, tuple(_rules(spec, table)))
            except TableError:
                continue


def _with_members(table: LookupTable) -> Iterator[LookupTable]:
    inner = members(table)
    if not inner:
        yield table
    for member in inner:
        yield from _with_members(member)


def _rules(spec: str, table: LookupTable) -> Iterator[PatternRule]:
    name = spec.partition(":")[2]
    texts = {line.number: line.text for line in read_rules(name, spec, TableContext())}
    rules = rules_of(table)
    guards = guards_of(rules)
    for rule, guarded in zip(rules, guards, strict=True):
        written = texts.get(rule.number, "")
        parts = _RULE.match(written)
        if rule.answer is None or parts is None:
            continue
        yield PatternRule(
            place=Place(spec if name.startswith("{") else name, rule.number),
            written=written,
            pattern=parts["pattern"],
            flags=parts["flags"],
            answer=(parts["answer"] or "").strip(),
            is_negated=bool(parts["negated"]),
            is_guarded=bool(guarded),
            rule=rule,
        )
