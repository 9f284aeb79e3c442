"""# broken-restriction: a restriction that can't work as written

## What it does
Reports restrictions that smtpd takes at start-up and finds broken when mail arrives: unknown names,
a missing argument, a table name without its type, a class that contains itself.

## Why it is bad
Every client that gets as far as this restriction is answered `451 4.3.5 Server configuration
error`, and the log is the only place that says why.

## Example
    smtpd_sender_restrictions = reject_sender_login_missmatch

## Use instead
    smtpd_sender_restrictions = reject_sender_login_mismatch

## Limits
Answers of tables are restrictions too; they are seen only where the table can be listed.

## Source
postconf(5), RESTRICTION_CLASS_README; a live smtpd decides.
"""

from collections.abc import Iterator

from maysend.lint.configuration import Smtpd
from maysend.lint.finding import Problem


def check(smtpd: Smtpd) -> Iterator[Problem]:
    """The restrictions of every list and class that have a finding."""
    for name, node in smtpd.nodes():
        if node.finding:
            yield Problem(place=node.place, written=node.written, message=f"{name}: {node.finding}")
