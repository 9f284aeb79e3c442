"""# realm-of-choice: the client picks the realm of its login

## What it does
Reports Cyrus SASL with `pwcheck_method: saslauthd` where saslauthd may combine login and realm
(`-r`) is not known, and `smtpd_sasl_local_domain` is empty.

## Why it is bad
The SASL login is whatever the client typed: `bob`, `bob@example.com` and `bob@example.org` are then
checked as the same account by saslauthd without `-r`, and are three logins for
`smtpd_sender_login_maps`: with a map that takes a login for its own address, the login chooses the
domain that it owns.

## Example
    # sasl/smtpd.conf
    pwcheck_method: saslauthd
    mech_list: PLAIN LOGIN

## Use instead
Run saslauthd with `-r`, so that the password is checked for `bob@example.com` and no other, and
list logins in `smtpd_sender_login_maps` one by one.

## Limits
saslauthd's own options are not looked at: the finding is only possible.

## Source
saslauthd(8) "-r", SASL_README, postconf(5) "smtpd_sasl_local_domain".
"""

from collections.abc import Iterator

from maysend.lint.configuration import Smtpd
from maysend.lint.finding import Problem
from maysend.lint.login_checks import FOR_LOGINS, login_checks
from maysend.lint.sasl_settings import cyrus_settings, is_dovecot, takes_logins


def check(smtpd: Smtpd) -> Iterator[Problem]:
    """saslauthd behind login checks."""
    if not takes_logins(smtpd) or is_dovecot(smtpd) or not any(login_checks(smtpd, FOR_LOGINS)):
        return
    if cyrus_settings(smtpd).get("pwcheck_method", "").split()[:1] != ["saslauthd"]:
        return
    yield Problem(
        place=smtpd.place_of("smtpd_sasl_auth_enable"),
        written=smtpd.parameters["smtpd_sasl_auth_enable"],
        message="saslauthd without -r checks bob@example.com and bob@example.org as the same bob: "
        "the login chooses its domain",
        fix="saslauthd -r",
        possible=True,
    )
