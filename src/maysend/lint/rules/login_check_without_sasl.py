"""# login-check-without-sasl: a check of logins where nobody can log in

## What it does
Reports `reject_*sender_login_mismatch`, `permit_sasl_authenticated` and `check_sasl_access` of
a service whose `smtpd_sasl_auth_enable` is off.

## Why it is bad
The restriction is ignored, at most with a warning in the log, and anybody may use any sender.

## Example
    smtpd_sender_restrictions = reject_sender_login_mismatch
    # and smtpd_sasl_auth_enable = no, the default

## Use instead
    smtpd_sasl_auth_enable = yes

## Limits
`permit_sasl_authenticated` alone is not reported: it is in Postfix's own defaults, and without
SASL it permits nobody, which is safe.

## Source
postconf(5) "reject_sender_login_mismatch", SASL_README; seen on a live smtpd 3.7: ignored.
"""

from collections.abc import Iterator

from maysend.lint.configuration import Smtpd
from maysend.lint.finding import Problem
from maysend.lint.login_checks import ALL, login_checks


def check(smtpd: Smtpd) -> Iterator[Problem]:
    """The login checks of a service without SASL."""
    if smtpd.policy is None or smtpd.policy.site.sasl_is_active:
        return
    for parameter, node in login_checks(smtpd, ALL | {"check_sasl_access"}):
        yield Problem(
            place=node.place,
            written=node.written,
            message=f"{parameter}: ignored, because smtpd_sasl_auth_enable is off: anybody may "
            "use any sender",
            fix="smtpd_sasl_auth_enable = yes",
        )
