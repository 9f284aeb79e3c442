r"""# owned-world: login maps that answer for every address there is

## What it does
Reports a service that takes mail from strangers, whose login maps name an owner for addresses of
domains that have nothing to do with this host.

## Why it is bad
`reject_sender_login_mismatch` refuses a sender that somebody owns to all who have not logged in.
If every address is owned, no mail from outside comes in: `553 5.7.1 … not logged in`.

## Example
    smtpd_sender_login_maps = pcre:/etc/postfix/admins.pcre
    # /etc/postfix/admins.pcre
    /.*/    admin@example.com

## Use instead
    /@example\.com$/    admin@example.com

On a port that only takes logins, `reject_authenticated_sender_login_mismatch` does not mind.

## Limits
One address of a domain that is nobody's is tried.

## Source
postconf(5) "reject_unauthenticated_sender_login_mismatch".
"""

from collections.abc import Iterator

from maysend.lint.configuration import Smtpd, asked
from maysend.lint.finding import CounterExample, Problem
from maysend.lint.login_checks import FOR_STRANGERS, LOGIN_MAPS, login_checks
from maysend.lint.pattern_samples import FILLER
from maysend.lint.probing import STRANGERS
from maysend.lint.table_uses import tables_of
from maysend.tables import TableError

STRANGER = f"{FILLER}@{STRANGERS}"


def check(smtpd: Smtpd) -> Iterator[Problem]:
    """The login maps that own a stranger's address, where strangers are served."""
    policy = smtpd.policy
    if policy is None or not any(login_checks(smtpd, FOR_STRANGERS)):
        return
    recipient = f"postmaster@{smtpd.parameters['myorigin']}"
    without_owners = smtpd.policy_with({LOGIN_MAPS: ""})
    if asked(without_owners, sender=STRANGER, recipient=recipient).reply is not None:
        return  # strangers are refused here anyway
    reply = asked(policy, sender=STRANGER, recipient=recipient).reply
    if reply is None or "not logged in" not in str(reply):
        return
    for use in tables_of(smtpd, LOGIN_MAPS):
        try:
            owner = use.table.lookup(STRANGER)
        except TableError:
            continue
        if owner is None:
            continue
        yield Problem(
            place=use.place,
            written=use.written,
            message=f"{use.spec} names an owner ({owner}) for every address in the world: mail "
            "from outside is refused as not logged in",
            example=CounterExample(sender=STRANGER, recipient=recipient, answer=str(reply)),
        )
        return
