"""# evadable-suspension: a sender is refused, and its login goes on

## What it does
Reports `check_sender_access` that refuses senders of own domains on a service where clients log
in, and where no `check_sasl_access` refuses the login.

## Why it is bad
The sender of a message is what the client says it is. The suspended account sends with an empty
sender, from an alias, or from a `+tag`.

## Example
    smtpd_sender_restrictions = check_sender_access ldap:/etc/postfix/suspended.cf

## Use instead
    smtpd_sender_restrictions = check_sasl_access ldap:/etc/postfix/suspended_logins.cf

## Limits
For tables that can be listed, the way around is shown by two decisions; for SQL, LDAP and patterns
the finding is only possible.

## Source
access(5), postconf(5) "check_sasl_access".
"""

from collections.abc import Iterator

from maysend.lint.access_tables import access_entries, checks, is_ours
from maysend.lint.configuration import Smtpd, asked
from maysend.lint.finding import CounterExample, Problem
from maysend.lint.table_uses import table_named_in
from maysend.restrictions.node import Node

OUTSIDE = "friend@example.net"


def check(smtpd: Smtpd) -> Iterator[Problem]:
    """The sender checks that a suspended login goes around."""
    policy = smtpd.policy
    if policy is None or not policy.site.sasl_is_active or any(checks(smtpd, "check_sasl_access")):
        return
    for parameter, node in checks(smtpd, "check_sender_access"):
        listed = access_entries(smtpd, node)
        if listed is None:
            if table_named_in(node).removeprefix("proxy:").startswith(("mysql", "pgsql", "ldap")):
                yield _problem(parameter, node, None)
            continue
        for entry in listed:
            suspended = entry.as_address()
            if entry.refuses and is_ours(smtpd, suspended):
                example = _way_around(smtpd, suspended)
                if example is not None:
                    yield _problem(parameter, node, example)
                    break


def _way_around(smtpd: Smtpd, suspended: str) -> CounterExample | None:
    """The suspended login with an empty sender, if that is let through."""
    assert smtpd.policy is not None
    refused = asked(smtpd.policy, login=suspended, sender=suspended, recipient=OUTSIDE)
    around = asked(smtpd.policy, login=suspended, sender="", recipient=OUTSIDE)
    if refused.is_permitted or not around.is_permitted:
        return None
    return CounterExample(login=suspended, sender="", recipient=OUTSIDE, answer="permitted")


def _problem(parameter: str, node: Node, example: CounterExample | None) -> Problem:
    return Problem(
        place=node.place,
        written=node.written,
        message=f"{parameter}: refuses a sender, not a login: with an empty sender, an alias or a "
        "+tag the login goes on sending",
        fix=f"check_sasl_access {table_named_in(node)}",
        example=example,
        possible=example is None,
    )
