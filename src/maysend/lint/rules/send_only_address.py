"""# send-only-address: an address of ours that may send and can't receive

## What it does
Notes addresses in `smtpd_sender_login_maps` in a domain of this host that no mail is delivered to.

## Why it is bad
Bounces and answers to it are refused, and servers that verify senders refuse its mail.

## Example
    smtpd_sender_login_maps = inline:{noreply@example.com=shop}
    # and no mailbox or alias noreply@example.com

## Use instead
An alias that throws mail away or reads it, `noreply@example.com  postmaster@example.com`.

## Limits
Up to 200 addresses are tried, and one is named.

## Source
RFC 5321 section 6.1: a bounce needs an address; postconf(5) "reject_unlisted_sender".
"""

from collections.abc import Iterator

from maysend.lint.access_tables import is_ours
from maysend.lint.configuration import Smtpd, asked
from maysend.lint.contents import entries
from maysend.lint.finding import CounterExample, Problem
from maysend.lint.login_checks import LOGIN_MAPS
from maysend.lint.table_uses import tables_of
from maysend.tables import TableError

MOST = 200


def check(smtpd: Smtpd) -> Iterator[Problem]:
    """The first owned address of each login map that mail to is refused."""
    for use in tables_of(smtpd, LOGIN_MAPS):
        try:
            listed = list(entries(use.table) or ())[:MOST]
        except TableError:
            continue
        for address in listed:
            example = _unknown(smtpd, address)
            if example is not None:
                yield Problem(
                    place=use.place,
                    written=use.written,
                    message=f"{address} may send, and mail to it is refused: nobody can answer",
                    fix=f"{address}    postmaster@{smtpd.parameters['mydomain']}",
                    example=example,
                )
                break


def _unknown(smtpd: Smtpd, address: str) -> CounterExample | None:
    local, at, _ = address.rpartition("@")
    if not (local and at) or smtpd.policy is None or not is_ours(smtpd, address):
        return None
    reply = asked(smtpd.policy, sender="", recipient=address, client_address="127.0.0.1").reply
    if reply is None or "unknown" not in str(reply).lower() or not reply.is_permanent:
        return None
    return CounterExample(recipient=address, client_address="127.0.0.1", answer=str(reply))
