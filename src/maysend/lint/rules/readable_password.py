"""# readable-password: a password that every user of the host can read

## What it does
Reports files of SQL and LDAP tables that hold a password and may be read by others.

## Why it is bad
Any account on the host, and any program that is broken into, can ask the database itself.

## Example
    -rw-r--r-- 1 root root  /etc/postfix/senders.cf    # password = …

## Use instead
    chgrp postfix /etc/postfix/senders.cf
    chmod 640 /etc/postfix/senders.cf

## Limits
Only the file's own permissions are looked at, not those of the directories above it.

## Source
mysql_table(5), pgsql_table(5), ldap_table(5); proxymap(8) for tables that only root may read.
"""

import os
import shlex
import stat
from collections.abc import Iterator

from maysend.lint.client_files import client_files
from maysend.lint.configuration import Smtpd
from maysend.lint.finding import Problem
from maysend.maincf import Place

SECRETS = ("password", "bind_pw")


def check(smtpd: Smtpd) -> Iterator[Problem]:
    """The table files with a password that others can read."""
    seen = set()
    for file in client_files(smtpd):
        secret = next((name for name in SECRETS if file.value(name)), None)
        if secret is None or file.path in seen:
            continue
        seen.add(file.path)
        if os.stat(file.path).st_mode & stat.S_IROTH:
            name = shlex.quote(file.path)
            yield Problem(
                place=Place(file.path, 0),  # the line itself would show the password
                written="",
                message=f"every user of this host can read the password in {file.path}",
                fix=f"chgrp postfix {name}\nchmod 640 {name}",
            )
