"""# loose-precedence: AND and OR side by side

## What it does
Reports a WHERE clause in which AND and OR stand on the same level.

## Why it is bad
AND binds first: in `address='%s' OR alias='%s' AND active=1` a suspended user's own address is
still found.

## Example
    query = SELECT login FROM users WHERE email='%s' OR alias='%s' AND active=1

## Use instead
    query = SELECT login FROM users WHERE (email='%s' OR alias='%s') AND active=1

## Limits
What was meant can't be known: the finding is only possible, and parentheses that say what AND
does anyway silence it.

## Source
The manual of any SQL database on operator precedence; mysql_table(5).
"""

from collections.abc import Iterator

from maysend.lint.client_files import SQL, client_files
from maysend.lint.configuration import Smtpd
from maysend.lint.finding import Problem
from maysend.lint.sql_text import mixes_and_with_or


def check(smtpd: Smtpd) -> Iterator[Problem]:
    """The queries where it is not written whether AND or OR comes first."""
    for file in client_files(smtpd, SQL):
        query = file.value("query")
        if mixes_and_with_or(query):
            yield Problem(
                place=file.place("query"),
                written=query,
                message="AND binds before OR: without parentheses a condition may not hold for "
                "all that is found",
                possible=True,
            )
