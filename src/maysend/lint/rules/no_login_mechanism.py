"""# no-login-mechanism: old clients know only LOGIN

## What it does
Notes services that offer PLAIN and not LOGIN.

## Why it is bad
Old Outlook versions, and many printers and scanners, know no other mechanism than LOGIN.

## Example
    # Dovecot
    auth_mechanisms = plain

## Use instead
    auth_mechanisms = plain login

## Limits
Whether such clients are there, lint can't know: this is for information.

## Source
SASL_README; draft-murchison-sasl-login.
"""

from collections.abc import Iterator

from maysend.lint.configuration import Smtpd
from maysend.lint.finding import Problem
from maysend.lint.sasl_settings import is_dovecot, mechanisms, takes_logins


def check(smtpd: Smtpd) -> Iterator[Problem]:
    """PLAIN without LOGIN."""
    offered = mechanisms(smtpd) if takes_logins(smtpd) else None
    if offered and "PLAIN" in offered and "LOGIN" not in offered:
        name = "smtpd_sasl_path" if smtpd.is_set("smtpd_sasl_path") else "smtpd_sasl_auth_enable"
        setting = "auth_mechanisms = plain login" if is_dovecot(smtpd) else "mech_list: PLAIN LOGIN"
        yield Problem(
            place=smtpd.place_of(name),
            written=smtpd.parameters[name],
            message="PLAIN is offered and LOGIN is not: old clients and devices can't log in",
            fix=setting,
        )
