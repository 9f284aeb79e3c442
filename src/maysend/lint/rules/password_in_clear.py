"""# password-in-clear: passwords may cross the network unencrypted

## What it does
Reports services that take logins without TLS by mechanisms that show the password.

## Why it is bad
With PLAIN and LOGIN the password itself is sent, and a client whose STARTTLS was stripped on the
way sends it all the same.

## Example
    smtpd_sasl_auth_enable = yes
    smtpd_tls_security_level = may

## Use instead
    smtpd_tls_auth_only = yes

## Limits
A service that listens on loopback only is left out.

## Source
postconf(5) "smtpd_tls_auth_only"; RFC 8314 section 3.
"""

from collections.abc import Iterator

from maysend.lint.configuration import Smtpd
from maysend.lint.finding import Problem
from maysend.lint.sasl_settings import PLAINTEXT, left_over, mechanisms, takes_logins, tls_level

OPTIONS = "smtpd_sasl_security_options"
_LOOPBACK = ("127.", "localhost", "[::1]", "loopback-only")


def check(smtpd: Smtpd) -> Iterator[Problem]:
    """AUTH with plaintext mechanisms before TLS."""
    parameters = smtpd.parameters
    if not takes_logins(smtpd) or tls_level(smtpd).required:
        return
    if parameters.boolean("smtpd_tls_auth_only") or _is_loopback(smtpd):
        return
    offered = mechanisms(smtpd) or PLAINTEXT
    plain = left_over(offered, parameters[OPTIONS]) & PLAINTEXT
    if plain:
        yield Problem(
            place=smtpd.place_of("smtpd_sasl_auth_enable"),
            written=parameters["smtpd_sasl_auth_enable"],
            message=f"{' and '.join(sorted(plain))} without TLS: the password can be read on the "
            "network",
            fix="smtpd_tls_auth_only = yes",
        )


def _is_loopback(smtpd: Smtpd) -> bool:
    listens = smtpd.name.rpartition("/")[0]
    interfaces = smtpd.parameters["inet_interfaces"].strip()
    return listens.startswith(_LOOPBACK) or interfaces.startswith(_LOOPBACK)
