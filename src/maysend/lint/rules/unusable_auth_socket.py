"""# unusable-auth-socket: nobody answers at Dovecot's auth socket

## What it does
Tries the socket of `smtpd_sasl_path` where `smtpd_sasl_type = dovecot`.

## Why it is bad
smtpd can't start its SASL: clients get "454 4.7.0 Temporary authentication failure", or the
connection is closed with `fatal: no SASL authentication mechanisms` in the log.

## Example
    smtpd_sasl_path = private/auth
    # and no listener for it in Dovecot's 10-master.conf

## Use instead
    # Dovecot, 10-master.conf, inside "service auth"
    unix_listener /var/spool/postfix/private/auth {
      mode = 0660
      user = postfix
      group = postfix
    }

## Limits
A relative path is looked for below `queue_directory`, as a chrooted smtpd does. A socket outside it
is reported where the service runs chrooted. Whether the user postfix may open it is judged by the
socket's mode and owner.

## Source
SASL_README "Configuring Dovecot SASL", master(5) "chroot".
"""

import os
import pwd
import stat
from collections.abc import Iterator
from os.path import isabs

from maysend.lint.configuration import Smtpd
from maysend.lint.finding import Problem
from maysend.lint.sasl_settings import (
    SocketProblem,
    dovecot_offers,
    is_dovecot,
    socket_path,
    takes_logins,
)


def check(smtpd: Smtpd) -> Iterator[Problem]:
    """The auth socket that is not there, says nothing, or is out of smtpd's reach."""
    if not takes_logins(smtpd) or not is_dovecot(smtpd):
        return
    path = socket_path(smtpd)
    problem = _unreachable(smtpd, path) or _unreadable(smtpd, path) or _silent(path)
    if problem:
        name = "smtpd_sasl_path" if smtpd.is_set("smtpd_sasl_path") else "smtpd_sasl_type"
        yield Problem(place=smtpd.place_of(name), written=smtpd.parameters[name], message=problem)


def _unreachable(smtpd: Smtpd, path: str) -> str:
    """Why a chrooted smtpd does not see the path, "" where it does."""
    written = smtpd.parameters["smtpd_sasl_path"].removeprefix("unix:")
    if not smtpd.is_chrooted or not isabs(written) or path.startswith("inet:"):
        return ""
    queue = smtpd.parameters["queue_directory"]
    return (
        f"{smtpd.name} runs chrooted in {queue}: there {written} is another file. Put the socket "
        f"below {queue} and name it relative to it"
    )


def _unreadable(smtpd: Smtpd, path: str) -> str:
    """Why the user of smtpd may not use the socket, "" where it may or that can't be told."""
    owner = smtpd.parameters["mail_owner"]
    try:
        status = os.stat(path)
        account = pwd.getpwnam(owner)
    except (OSError, KeyError):
        return ""
    if not stat.S_ISSOCK(status.st_mode):
        return f"{path} is no socket"
    wanted = stat.S_IWOTH | stat.S_IROTH
    if status.st_uid == account.pw_uid:
        wanted = stat.S_IWUSR | stat.S_IRUSR
    elif status.st_gid in os.getgrouplist(owner, account.pw_gid):
        wanted = stat.S_IWGRP | stat.S_IRGRP
    if status.st_mode & wanted == wanted:
        return ""
    return f"{path}: user {owner} may not use it (mode {stat.S_IMODE(status.st_mode):04o})"


def _silent(path: str) -> str:
    try:
        dovecot_offers(path)
    except SocketProblem as problem:
        return str(problem)
    return ""
