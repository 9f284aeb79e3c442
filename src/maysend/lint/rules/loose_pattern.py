r"""# loose-pattern: a pattern that matches more addresses than it says

## What it does
Reports patterns in `smtpd_sender_login_maps`, and in access tables where they permit, that match
an address which was not meant: a dot that is not escaped, an end or a start that is not anchored.

## Why it is bad
Whoever registers the other domain, or picks the other name, gets the owner's or the list's rights.

## Example
    /@example.com/              admin@example.com
    # matches eve@example.com.attacker.invalid, and eve@examplexcom

## Use instead
    /@example\.com$/            admin@example.com

## Limits
Only patterns that are simple enough to read are judged; each finding shows an address that was
tried. Rules that refuse are left out: there more is matched, not less.

## Source
pcre_table(5), regexp_table(5); access(5).
"""

import re
from collections.abc import Iterator

from maysend.lint.configuration import Smtpd
from maysend.lint.finding import CounterExample, Problem
from maysend.lint.login_checks import LOGIN_MAPS
from maysend.lint.pattern_files import PatternRule, pattern_files
from maysend.lint.pattern_samples import matches_everything, sample, unescaped_dots

ATTACKER = ".attacker.invalid"
_PERMITS = re.compile(r"OK|permit.*|[0-9]+", re.IGNORECASE)


def check(smtpd: Smtpd) -> Iterator[Problem]:
    """The patterns that match an address which was not meant."""
    for file in pattern_files(smtpd):
        for rule in file.rules:
            is_about_rights = file.used_by == LOGIN_MAPS or _PERMITS.fullmatch(rule.answer)
            if not is_about_rights or rule.is_negated or matches_everything(rule.pattern):
                continue
            yield from _loose(rule)


def _loose(rule: PatternRule) -> Iterator[Problem]:
    meant = sample(rule.pattern)
    if meant is None or "@" not in meant or not rule.matches(meant):
        return
    if "." not in meant.rpartition("@")[2]:
        return  # no whole domain: what was meant can't be told
    strict = meant if not meant.startswith("@") else f"user{meant}"
    candidates = (
        (unescaped_dots(rule.pattern), sample(rule.pattern, dots_as="x"),
         'a "." that is not escaped is any character'),
        (not rule.pattern.endswith(("$", "*", "+")), strict + ATTACKER,
         'without "$" the end may be anything'),
        (not rule.pattern.startswith(("^", "@", ".", "(")), f"x{meant}",
         'without "^" the start may be anything'),
    )  # fmt: skip
    wrong = [(text, why) for applies, text, why in candidates
             if applies and text is not None and text != meant and rule.matches(text)]  # fmt: skip
    if not wrong:
        return
    text, _ = wrong[0]
    yield Problem(
        place=rule.place,
        written=rule.written,
        message=f"matches {text} too: " + "; ".join(why for _, why in wrong),
        fix=_stricter(rule),
        example=CounterExample(sender=text, answer=f"the table answers {rule.answer}"),
    )


def _stricter(rule: PatternRule) -> str:
    """The rule with dots escaped and ends anchored."""
    pattern = re.sub(r"(?<=[0-9A-Za-z])(?<!\\)\.(?=[0-9A-Za-z])", r"\\.", rule.pattern)
    pattern = re.sub(r"^\.[*+](?=@)", "", pattern)
    if not pattern.startswith(("^", "@", ".", "(")):
        pattern = f"^{pattern}"
    if not pattern.endswith("$"):
        pattern = f"{pattern}$"
    return f"/{pattern}/{rule.flags}    {rule.answer}"
