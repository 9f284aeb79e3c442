"""# no-worthy-mechanism: the security options leave nothing

## What it does
Reports services whose `smtpd_sasl_security_options` (or `_tls_`) forbid every mechanism that Cyrus
SASL or Dovecot offers.

## Why it is bad
smtpd logs "no worthy mechs found" or "no mechanism available", and nobody can log in.

## Example
    smtpd_sasl_security_options = noanonymous, noplaintext
    # and Dovecot: auth_mechanisms = plain login

## Use instead
    smtpd_sasl_security_options = noanonymous, noplaintext
    smtpd_sasl_tls_security_options = noanonymous
    smtpd_tls_auth_only = yes

## Limits
The mechanisms are those in Cyrus SASL's smtpd.conf (mech_list), or what the Dovecot at
`smtpd_sasl_path` says now; where neither can be told, nothing is reported.

## Source
postconf(5) "smtpd_sasl_security_options", SASL_README.
"""

from collections.abc import Iterator

from maysend.lint.configuration import Smtpd
from maysend.lint.finding import Problem
from maysend.lint.sasl_settings import left_over, mechanisms, takes_logins, tls_level

CLEAR = "smtpd_sasl_security_options"
ENCRYPTED = "smtpd_sasl_tls_security_options"


def check(smtpd: Smtpd) -> Iterator[Problem]:
    """The options under which no mechanism is left, with or without TLS."""
    parameters = smtpd.parameters
    offered = mechanisms(smtpd) if takes_logins(smtpd) else None
    if not offered:
        return
    level = tls_level(smtpd)
    options = [ENCRYPTED] if level.offered else []
    if not level.required and not parameters.boolean("smtpd_tls_auth_only"):
        options.append(CLEAR)
    # A client that may use TLS has another way to log in.
    if not options or any(left_over(offered, parameters[name]) for name in options):
        return
    name = options[0] if smtpd.is_set(options[0]) else CLEAR
    yield Problem(
        place=smtpd.place_of(name),
        written=parameters[name],
        message=f"of {', '.join(sorted(offered))} the security options leave none: nobody can "
        "log in",
        fix=f"{name} = noanonymous",
    )
