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

from collections.abc import Iterator, Sequence

from maysend.lint.addresses import addresses_named
from maysend.lint.configuration import Smtpd, asked
from maysend.lint.finding import CounterExample, Problem
from maysend.lint.login_checks import FOR_LOGINS, LOGIN_MAPS, login_checks
from maysend.lint.owners import OwnerMaps, Shadowed
from maysend.lint.table_uses import TableUse, tables_of
from maysend.policy import Policy

MOST_NAMED = 3


def check(smtpd: Smtpd) -> Iterator[Problem]:
    """Each table of the login maps whose owners an earlier answer hides."""
    policy = smtpd.policy
    uses = list(tables_of(smtpd, LOGIN_MAPS))
    if policy is None or len(uses) < 2 or not policy.site.sasl_is_active:
        return
    if not any(login_checks(smtpd, FOR_LOGINS)):
        return
    tables = [use.table for use in uses]
    owner_maps = OwnerMaps(policy, tables)
    union = _union(uses)
    with_union = smtpd.policy_with({LOGIN_MAPS: union})
    hidden: dict[int, list[Shadowed]] = {}
    for address in addresses_named(policy.site, tables):
        for shadowed in owner_maps.shadowed(address):
            hidden.setdefault(shadowed.table, []).append(shadowed)
    for position, cases in sorted(hidden.items()):
        alone = smtpd.policy_with({LOGIN_MAPS: uses[position].spec})
        proved = next((case for case in cases if _is_proved(case, policy, alone)), None)
        if proved is not None:
            answer = str(asked(policy, login=proved.owner, sender=proved.address).reply)
            yield Problem(
                place=uses[position].place,
                written=uses[position].written,
                message=_message(uses[position], uses[proved.by], cases),
                fix="" if _is_refused(with_union, proved) else f"{LOGIN_MAPS} = {union}",
                example=CounterExample(login=proved.owner, sender=proved.address, answer=answer),
            )


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
