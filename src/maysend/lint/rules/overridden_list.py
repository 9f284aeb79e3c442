"""# overridden-list: a service replaces the list that holds the login checks

## What it does
Reports `-o smtpd_…_restrictions=` of a service in master.cf where the list in main.cf compares
senders with logins, or refuses logins, and the service does so nowhere.

## Why it is bad
An `-o` replaces the whole list; nothing is added to it. What main.cf protects is open on that port.

## Example
    # main.cf
    smtpd_sender_restrictions = reject_sender_login_mismatch
    # master.cf
    submission inet n - y - - smtpd
      -o smtpd_sender_restrictions=permit_sasl_authenticated,reject

## Use instead
    -o smtpd_sender_restrictions=reject_sender_login_mismatch,permit_sasl_authenticated,reject

## Limits
Services where nobody can log in are left out.

## Source
master(5) "-o name=value", postconf(5).
"""

from collections.abc import Iterator

from maysend.lint.configuration import Smtpd
from maysend.lint.finding import Problem
from maysend.lint.login_checks import FOR_LOGINS
from maysend.maincf import tokens

PROTECTING = FOR_LOGINS | {"check_sasl_access"}
LISTS = (
    "smtpd_client_restrictions",
    "smtpd_helo_restrictions",
    "smtpd_sender_restrictions",
    "smtpd_recipient_restrictions",
    "smtpd_relay_restrictions",
    "smtpd_data_restrictions",
)


def check(smtpd: Smtpd) -> Iterator[Problem]:
    """The overridden lists whose protection the service has nowhere else."""
    if smtpd.policy is None or not smtpd.policy.site.sasl_is_active:
        return
    own = {node.written.partition(" ")[0].lower() for _, node in smtpd.nodes()}
    for name in LISTS:
        setting = smtpd.parameters.setting(name)
        if setting is None or setting.service is None:
            continue
        lost = [word for word in _words(smtpd.main.get(name, "")) if word in PROTECTING - own]
        if lost:
            value = setting.raw.strip()
            yield Problem(
                place=setting.place_at(0),
                written=setting.raw,
                message=f"{setting.service} replaces {name}, and with it {', '.join(lost)}: a "
                "login may use any sender there",
                fix=f"-o {name}={','.join(lost)}{',' if value else ''}{value}",
            )


def _words(text: str) -> list[str]:
    return [token.text.lower() for token in tokens.split(text)]
