"""# hidden-auth: AUTH is offered to nobody

## What it does
Reports services with `smtpd_tls_auth_only` where TLS is never offered.

## Why it is bad
AUTH is announced only on encrypted connections, and there are none: after EHLO no client sees it,
and "server does not support authentication" is all that users are told.

## Example
    smtpd_sasl_auth_enable = yes
    smtpd_tls_auth_only = yes
    # and no smtpd_tls_security_level

## Use instead
    smtpd_tls_security_level = may
    smtpd_tls_chain_files = /etc/ssl/private/mail.pem

## Limits
Whether the certificate can be read is not looked at.

## Source
postconf(5) "smtpd_tls_auth_only", SASL_README.
"""

from collections.abc import Iterator

from maysend.lint.configuration import Smtpd
from maysend.lint.finding import Problem
from maysend.lint.sasl_settings import takes_logins, tls_level


def check(smtpd: Smtpd) -> Iterator[Problem]:
    """smtpd_tls_auth_only without TLS."""
    parameters = smtpd.parameters
    if not takes_logins(smtpd) or not parameters.boolean("smtpd_tls_auth_only"):
        return
    if not tls_level(smtpd).offered:
        yield Problem(
            place=smtpd.place_of("smtpd_tls_auth_only"),
            written=parameters["smtpd_tls_auth_only"],
            message="AUTH is offered on encrypted connections only, and TLS is never offered",
            fix="smtpd_tls_security_level = may",
        )
