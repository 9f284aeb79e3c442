"""# unusable-table: a table that can't be opened or asked

## What it does
Opens every table that the policy names, and reports those that can't be opened: a file that is not
there, a type that this Postfix does not have, a server that does not answer, a syntax error.

## Why it is bad
Each lookup fails, and smtpd answers 451 to everybody that gets there: fail closed, for all mail.

## Example
    smtpd_sender_login_maps = ldap:/etc/postfix/senders.cf
    # and Debian's postfix-ldap is not installed

## Use instead
Install the type (`apt-get install postfix-ldap`), or mend the file.

## Limits
A server is asked one key that nobody has; a table that works now may fail later.

## Source
DATABASE_README; `postconf -m` lists the types of a Postfix.
"""

from collections.abc import Iterator

from maysend.lint.configuration import Smtpd
from maysend.lint.finding import Problem
from maysend.lint.table_uses import table_uses
from maysend.tables import TableError

NOBODY = "maysend-lint@invalid"
"""A key that no table has."""


def check(smtpd: Smtpd) -> Iterator[Problem]:
    """The tables that have no answer for a key, each once a server."""
    seen = set()
    for use in table_uses(smtpd):
        if use.spec in seen:
            continue
        seen.add(use.spec)
        try:
            use.table.lookup(NOBODY)
        except TableError as error:
            if use.spec.startswith("fail:"):
                continue
            yield Problem(place=use.place, written=use.written, message=str(error))
