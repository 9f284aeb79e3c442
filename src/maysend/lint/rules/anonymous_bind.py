"""# anonymous-bind: an LDAP server is asked as nobody

## What it does
Reports ldap tables with `bind = no`, or without `bind_dn`.

## Why it is bad
The server must then let everybody read the attributes that decide who may send; where it stops
doing so, nothing is found, and a rule that suspends logins silently suspends nobody.

## Example
    bind = no

## Use instead
    bind = yes
    bind_dn = cn=mail,dc=example,dc=com
    bind_pw = secret

## Limits
`ldapi://` may know the client by its user id: it is left out.

## Source
ldap_table(5) "bind".
"""

from collections.abc import Iterator

from maysend.lint.client_files import client_files
from maysend.lint.configuration import Smtpd
from maysend.lint.finding import Problem, Severity
from maysend.lint.ldap_servers import binds


def check(smtpd: Smtpd) -> Iterator[Problem]:
    """The ldap tables that do not say who asks."""
    for file in client_files(smtpd, ("ldap",)):
        if binds(file) or file.value("server_host").lower().startswith("ldapi:"):
            continue
        refuses = file.used_by.lower().startswith("check_")
        yield Problem(
            place=file.place("bind"),
            written=file.value("bind"),
            message="anonymous bind: once the server hides the attribute from the public, nothing "
            "is found" + (", and nobody is refused" if refuses else ""),
            fix="bind = yes\nbind_dn = cn=mail,dc=example,dc=com\nbind_pw = …",
            severity=Severity.WARNING if refuses else Severity.NOTE,
        )
