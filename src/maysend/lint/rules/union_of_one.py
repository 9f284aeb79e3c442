"""# union-of-one: a unionmap with one member

## What it does
Reports `unionmap:{…}` with a single table.

## Why it is bad
It does nothing, and looks as if owners of several tables were joined.

## Example
    smtpd_sender_login_maps = unionmap:{texthash:/etc/postfix/senders}, pcre:/etc/postfix/admins

## Use instead
    smtpd_sender_login_maps = unionmap:{texthash:/etc/postfix/senders, pcre:/etc/postfix/admins}

## Limits
None.

## Source
DATABASE_README "unionmap".
"""

from collections.abc import Iterator

from maysend.lint.configuration import Smtpd
from maysend.lint.contents import members
from maysend.lint.finding import Problem
from maysend.lint.table_uses import table_uses


def check(smtpd: Smtpd) -> Iterator[Problem]:
    """Every unionmap of one table."""
    for use in table_uses(smtpd):
        if not use.spec.startswith("unionmap:"):
            continue
        inner = members(use.table)
        if len(inner) == 1:
            yield Problem(
                place=use.place,
                written=use.written,
                message=f"{use.used_by}: a unionmap of one table joins nothing",
                fix=inner[0].spec,
            )
