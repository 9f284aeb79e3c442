"""# asks-for-every-domain: a server is asked for addresses that it can't know

## What it does
Reports ldap tables without `domain`, and without `%d` in the filter.

## Why it is bad
Every sender of every message, most of them strangers, is a question to the server; and when it is
down, mail from strangers is deferred too.

## Example
    query_filter = (mail=%s)

## Use instead
    domain = example.com
    query_filter = (mail=%s)

## Limits
With `domain`, bare names and `@domain` keys are not asked any more: where the directory has such
entries, leave it out.

## Source
ldap_table(5) "domain".
"""

from collections.abc import Iterator

from maysend.lint.client_files import client_files
from maysend.lint.configuration import Smtpd
from maysend.lint.finding import Problem


def check(smtpd: Smtpd) -> Iterator[Problem]:
    """The ldap tables that are asked for every address in the world."""
    for file in client_files(smtpd, ("ldap",)):
        query = file.value("query_filter")
        if file.value("domain") or "%d" in query or "%D" in query or not query:
            continue
        yield Problem(
            place=file.place("query_filter"),
            written=query,
            message="asked for addresses of every domain in the world: name yours in domain",
            fix=f"domain = {smtpd.parameters['mydomain']}",
        )
