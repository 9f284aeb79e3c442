"""# expansion-never-asks: a query that no key of this restriction can fill

## What it does
Reports SQL and LDAP tables of `check_client_access`, `check_helo_access` and other restrictions
whose keys have no `@`, where the query needs a domain part: `%d`, `%D`, or a label `%1` of it.

## Why it is bad
A key without a domain part makes no query at all: the table never knows anybody, without any error.

## Example
    smtpd_client_restrictions = check_client_access mysql:/etc/postfix/clients.cf
    # clients.cf: query = SELECT action FROM clients WHERE domain = '%d'

## Use instead
    query = SELECT action FROM clients WHERE domain = '%s'

## Limits
Logins and senders may have a domain or not; they are left out.

## Source
mysql_table(5), pgsql_table(5), sqlite_table(5), ldap_table(5): "the lookup is suppressed".
"""

import re
from collections.abc import Iterator

from maysend.lint.client_files import client_files
from maysend.lint.configuration import Smtpd
from maysend.lint.finding import Problem

NO_ADDRESS = frozenset(
    {
        "check_client_access",
        "check_reverse_client_hostname_access",
        "check_helo_access",
        "check_etrn_access",
        "check_client_mx_access",
        "check_client_ns_access",
        "check_client_a_access",
    }
)
"""Restrictions that ask for host names and addresses of hosts."""

_NEEDS_DOMAIN = re.compile(r"(?<!%)(?:%%)*%([dD1-9])")


def check(smtpd: Smtpd) -> Iterator[Problem]:
    """The queries that need a domain part of keys that have none."""
    for file in client_files(smtpd):
        if file.used_by.lower() not in NO_ADDRESS:
            continue
        name = "query_filter" if file.type_name == "ldap" else "query"
        query = file.value(name)
        needed = _NEEDS_DOMAIN.search(query)
        if needed is not None:
            yield Problem(
                place=file.place(name),
                written=query,
                message=f"{file.used_by} asks for host names, which have no domain part: "
                f"%{needed[1]} makes no query at all",
                fix=f"{name} = {query.replace('%' + needed[1], '%s')}",
            )
