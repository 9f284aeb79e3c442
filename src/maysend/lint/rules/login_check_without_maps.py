"""# login-check-without-maps: owners are checked, and nobody owns anything

## What it does
Reports `reject_sender_login_mismatch` and its relatives where `smtpd_sender_login_maps` is empty.

## Why it is bad
With `reject_sender_login_mismatch` or `reject_authenticated_sender_login_mismatch` every login is
refused every sender but `<>`. With the `known` and `unauthenticated` forms nobody is ever refused.

## Example
    smtpd_sender_restrictions = reject_authenticated_sender_login_mismatch
    # and no smtpd_sender_login_maps

## Use instead
    smtpd_sender_login_maps = texthash:/etc/postfix/senders

## Limits
A map that is named but has no entries is not reported.

## Source
postconf(5) "smtpd_sender_login_maps"; seen on a live smtpd 3.7.
"""

from collections.abc import Iterator

from maysend.lint.configuration import Smtpd, asked
from maysend.lint.finding import CounterExample, Problem
from maysend.lint.login_checks import LOGIN_MAPS, UNKNOWN_SENDER_IS_NOBODYS, login_checks

BOB = "bob@example.com"


def check(smtpd: Smtpd) -> Iterator[Problem]:
    """The login checks of a service that has no login maps."""
    policy = smtpd.policy
    if policy is None or not policy.site.sasl_is_active or smtpd.parameters[LOGIN_MAPS].strip():
        return
    for parameter, node in login_checks(smtpd):
        example = None
        if node.written.lower() in UNKNOWN_SENDER_IS_NOBODYS:
            meaning = "every login is refused every sender"
            reply = asked(policy, login=BOB, sender=BOB).reply
            if reply is not None and "not owned by" in str(reply):
                example = CounterExample(login=BOB, sender=BOB, answer=str(reply))
        else:
            meaning = "nobody is ever refused"
        yield Problem(
            place=node.place,
            written=node.written,
            message=f"{parameter}: {LOGIN_MAPS} is empty, so {meaning}",
            fix=f"{LOGIN_MAPS} = texthash:/etc/postfix/senders",
            example=example,
        )
