"""# shadowed-owner: an owner whom an earlier table hides

## What it does
Reports a table in `smtpd_sender_login_maps` that names owners who can never act, because an earlier
table, or an earlier key, answers for the same address first.

## Why it is bad
Lookups stop at the first answer, whatever it says: owners of several tables are never merged. The
hidden owner is refused with "not owned by user", and no log says that a table was not asked.

## Example
    smtpd_sender_login_maps = mysql:/etc/postfix/users.cf, pcre:/etc/postfix/admins.pcre
    # users.cf: SELECT email FROM users WHERE email='%s'
    # admins.pcre: /.*@example\\.com/ admin@example.com

## Use instead
    smtpd_sender_login_maps = unionmap:{mysql:/etc/postfix/users.cf, pcre:/etc/postfix/admins.pcre}

## Limits
Every finding of a table that can be listed is proved by two decisions, with the table alone and
with the whole list. Tables that can't be listed (SQL, LDAP, patterns) are asked about the
addresses that the others name; where that shows nothing, the finding is "possible". At most 20,000
addresses are tried. A finding is made for each table once, with up to three of its owners.

## Source
postconf(5) "smtpd_sender_login_maps", maps_find(3) as a live smtpd 3.7 behaves.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from maysend.lint.addresses import addresses_named
from maysend.lint.configuration import Smtpd, asked
from maysend.lint.finding import CounterExample, Problem
from maysend.lint.login_checks import FOR_LOGINS, LOGIN_MAPS, login_checks
from maysend.lint.owners import OwnerMaps, Shadowed
from maysend.lint.pattern_files import PatternFile, PatternRule, pattern_files
from maysend.lint.pattern_samples import FILLER, matches_everything, sample
from maysend.lint.table_uses import TableUse, tables_of
from maysend.policy import Policy
from maysend.tables import LookupTable

MOST_NAMED = 3

SERVERS = ("mysql:", "pgsql:", "sqlite:", "ldap:", "memcache:", "socketmap:", "tcp:")
"""Tables whose keys only another program knows."""


def check(smtpd: Smtpd) -> Iterator[Problem]:
    """Each table of the login maps whose owners an earlier answer hides."""
    policy = smtpd.policy
    uses = list(tables_of(smtpd, LOGIN_MAPS))
    if policy is None or len(uses) < 2 or not policy.site.sasl_is_active:
        return
    if not any(login_checks(smtpd, FOR_LOGINS)):
        return
    union = _union(uses)
    with_union = smtpd.policy_with({LOGIN_MAPS: union})
    patterns = {file.table: file for file in pattern_files(smtpd) if file.used_by == LOGIN_MAPS}
    is_proved = False
    for position, cases in _hidden(policy, uses, patterns.values()):
        alone = smtpd.policy_with({LOGIN_MAPS: uses[position].spec})
        proved = next((case for case in cases if _is_proved(case, policy, alone)), None)
        if proved is not None:
            is_proved = True
            answer = str(asked(policy, login=proved.owner, sender=proved.address).reply)
            yield Problem(
                place=uses[position].place,
                written=uses[position].written,
                message=_message(uses[position], uses[proved.by], cases),
                fix="" if _is_refused(with_union, proved) else f"{LOGIN_MAPS} = {union}",
                example=CounterExample(login=proved.owner, sender=proved.address, answer=answer),
            )
    if not is_proved:
        yield from _possible(uses, patterns, union)


def _hidden(
    policy: Policy, uses: Sequence[TableUse], patterns: Iterable[PatternFile]
) -> Iterator[tuple[int, list[Shadowed]]]:
    """The number of each table with hidden owners, and what is hidden."""
    tables = [use.table for use in uses]
    owner_maps = OwnerMaps(policy, tables)
    samples = [text for file in patterns for text in _samples(file)]
    hidden: dict[int, list[Shadowed]] = {}
    for address in addresses_named(policy.site, tables, samples):
        for shadowed in owner_maps.shadowed(address):
            hidden.setdefault(shadowed.table, []).append(shadowed)
    yield from sorted(hidden.items())


def _samples(file: PatternFile) -> Iterator[str]:
    """An address that each rule of a pattern table is meant for, as far as that can be read."""
    for rule in file.rules:
        text = sample(rule.pattern)
        if text is not None and "@" in text:
            yield f"{FILLER}{text}" if text.startswith("@") else text


def _possible(
    uses: Sequence[TableUse], patterns: Mapping[LookupTable, PatternFile], union: str
) -> Iterator[Problem]:
    """A server's table and a pattern for many addresses, beside each other: one hides the other
    wherever both know an address, which only the server could tell."""
    for earlier, later in pairwise(uses):
        is_wide = [
            use.table in patterns and any(map(_is_wide, patterns[use.table].rules))
            for use in (earlier, later)
        ]
        is_server = [
            use.spec.removeprefix("proxy:").startswith(SERVERS) for use in (earlier, later)
        ]
        if (is_wide[0] and is_server[1]) or (is_server[0] and is_wide[1]):
            yield Problem(
                place=later.place,
                written=later.written,
                message=f"where {earlier.spec} knows an address, {later.spec} is not asked: its "
                "owners can't send from there",
                fix=f"{LOGIN_MAPS} = {union}",
                possible=True,
            )


def _is_wide(rule: PatternRule) -> bool:
    """Whether the rule is for more than one address."""
    text = sample(rule.pattern)
    return matches_everything(rule.pattern) or (text is not None and text.startswith((FILLER, "@")))


def _is_proved(case: Shadowed, policy: Policy, alone: Policy) -> bool:
    """Whether the owner is refused, and is not where there is no other table."""
    return _is_refused(policy, case) and not _is_refused(alone, case)


def _is_refused(policy: Policy, case: Shadowed) -> bool:
    reply = asked(policy, login=case.owner, sender=case.address).reply
    return reply is not None and f"not owned by user {case.owner}" in str(reply)


def _message(use: TableUse, by: TableUse, cases: Sequence[Shadowed]) -> str:
    owners = list(dict.fromkeys(case.owner for case in cases))
    named = ", ".join(owners[:MOST_NAMED])
    more = f" and {len(owners) - MOST_NAMED} more" if len(owners) > MOST_NAMED else ""
    addresses = len({case.address for case in cases})
    return (
        f"{by.spec} answers before {use.spec} is asked: {named}{more} can't send from "
        f"{addresses} address{'es' if addresses > 1 else ''} that this table gives them"
    )


def _union(uses: Sequence[TableUse]) -> str:
    """All tables as one, in their order; unions that are there already are taken apart."""
    specs: list[str] = []
    for use in uses:
        inner = use.spec.removeprefix("unionmap:")
        specs.append(use.spec if inner == use.spec else inner.strip("{} "))
    return f"unionmap:{{ {', '.join(specs)} }}"
