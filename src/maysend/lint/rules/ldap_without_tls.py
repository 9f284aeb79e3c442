"""# ldap-without-tls: an LDAP server is asked in the clear

## What it does
Reports ldap tables that ask another host without `start_tls` or `ldaps://`.

## Why it is bad
Who is on the network reads the bind password, and can answer in the server's place: whom to let
send, whom to suspend.

## Example
    server_host = ldap.example.com
    bind_dn = cn=mail,dc=example,dc=com
    bind_pw = secret

## Use instead
    server_host = ldap://ldap.example.com
    version = 3
    start_tls = yes
    tls_require_cert = yes

## Limits
`localhost`, 127.0.0.0/8, ::1 and `ldapi://` stay on the host.

## Source
ldap_table(5) "start_tls".
"""

from collections.abc import Iterator

from maysend.lint.client_files import client_files
from maysend.lint.configuration import Smtpd
from maysend.lint.finding import Problem
from maysend.lint.ldap_servers import binds, leaves_the_host


def check(smtpd: Smtpd) -> Iterator[Problem]:
    """The ldap tables whose connection can be read."""
    for file in client_files(smtpd, ("ldap",)):
        if leaves_the_host(file):
            what = "the bind password and the answers" if binds(file) else "the answers"
            yield Problem(
                place=file.place("server_host"),
                written=file.value("server_host"),
                message=f"LDAP without TLS: {what} can be read and changed on the network",
                fix="start_tls = yes\nversion = 3\ntls_require_cert = yes",
            )
