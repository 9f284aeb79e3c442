r"""# identity-pattern: a pattern that makes every address its own owner

## What it does
Reports a table in `smtpd_sender_login_maps` that answers every address with the address itself.

## Why it is bad
The whole address is asked first, and always answered. The keys that come after it are never
reached: the address without its extension, the bare name, and `@domain`. So owners of catch-alls,
`+tag` senders and bare aliases can never send.

## Example
    smtpd_sender_login_maps = hash:/etc/postfix/virtual, pcre:/etc/postfix/identity
    # /etc/postfix/identity
    /^(.*)$/    ${1}

## Use instead
A table of the accounts that there are, `alice@example.com alice@example.com`.

## Limits
A query that answers so only for accounts is not reported: it is asked for an address that nobody
has.

## Source
postconf(5) "smtpd_sender_login_maps"; seen on a live smtpd 3.7.
"""

from collections.abc import Iterator

from maysend.lint.configuration import Smtpd, asked
from maysend.lint.finding import CounterExample, Problem
from maysend.lint.login_checks import FOR_LOGINS, LOGIN_MAPS, login_checks
from maysend.lint.pattern_samples import FILLER
from maysend.lint.probing import domains_of, parts_of
from maysend.lint.table_uses import tables_of
from maysend.tables import LookupTable, TableError


def check(smtpd: Smtpd) -> Iterator[Problem]:
    """The login maps that say of every address that it owns itself."""
    if smtpd.policy is None or not any(login_checks(smtpd, FOR_LOGINS)):
        return
    for use in tables_of(smtpd, LOGIN_MAPS):
        for table in parts_of(use.table):
            account = _own_owner(smtpd, table)
            if account is None:
                continue
            yield Problem(
                place=use.place,
                written=use.written,
                message=f"{table.spec} answers every address with itself: the keys without "
                "extension, bare names and @domain are never asked",
                fix=f"{LOGIN_MAPS} = texthash:/etc/postfix/senders",
                example=_tagged(smtpd, account),
            )


def _own_owner(smtpd: Smtpd, table: LookupTable) -> str | None:
    """An address that nobody has and the table names as its own owner."""
    for domain in domains_of(smtpd, table):
        address = f"{FILLER}@{domain}"
        try:
            if table.lookup(address) == address:
                return address
        except TableError:
            return None
    return None


def _tagged(smtpd: Smtpd, account: str) -> CounterExample | None:
    """The account, refused its own +tag."""
    delimiter = smtpd.parameters["recipient_delimiter"][:1]
    if not delimiter or smtpd.policy is None:
        return None
    local, _, domain = account.rpartition("@")
    sender = f"{local}{delimiter}tag@{domain}"
    reply = asked(smtpd.policy, login=account, sender=sender).reply
    if reply is None or "not owned by" not in str(reply):
        return None
    return CounterExample(login=account, sender=sender, answer=str(reply))
