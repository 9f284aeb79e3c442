r"""# hidden-pattern: a catch-all before the specific

## What it does
Reports a rule for one address in a pcre or regexp table behind a broader rule that answers for that
address.

## Why it is bad
The search ends with the first rule that matches: the rule for the one address does nothing.

## Example
    /@example\.com$/          admin@example.com
    /^sales@example\.com$/    alice@example.com

## Use instead
    /^sales@example\.com$/    alice@example.com
    /@example\.com$/          admin@example.com

## Limits
Only rules that are written for one fixed address are looked at. What is shown is asked of the
table itself.

## Source
pcre_table(5), regexp_table(5) "TABLE SEARCH ORDER".
"""

from collections.abc import Iterator

from maysend.lint.configuration import Smtpd
from maysend.lint.finding import Problem
from maysend.lint.pattern_files import PatternFile, pattern_files
from maysend.lint.pattern_samples import FILLER, matches_everything, sample


def check(smtpd: Smtpd) -> Iterator[Problem]:
    """The rules for one address that an earlier, broader rule hides."""
    for file in pattern_files(smtpd):
        yield from _hidden(file)


def _hidden(file: PatternFile) -> Iterator[Problem]:
    for position, rule in enumerate(file.rules):
        if rule.is_guarded or rule.is_negated or not rule.pattern.startswith("^"):
            continue
        address = sample(rule.pattern)
        if address is None or FILLER in address or not rule.matches(address):
            continue
        if file.answer(address) == rule.answer:
            continue  # asking the table is quicker than trying each rule before this one
        for earlier in file.rules[:position]:
            if earlier.is_guarded or earlier.pattern == rule.pattern:
                continue
            if matches_everything(earlier.pattern) or not earlier.matches(address):
                continue  # the first is unreached-pattern's (MS103)
            yield Problem(
                place=rule.place,
                written=rule.written,
                message=f"never reached: for {address}, line {earlier.place.line} answers "
                f"first ({earlier.answer})",
                fix=f"{rule.written}\n{earlier.written}",
            )
            break
