"""# unix: the users and groups of the operating system

## What it does
The key is the name of a user or a group, asked the way getpwnam(3) and getgrnam(3) do: of
/etc/passwd, or of whatever nsswitch.conf(5) names. Keys are folded to lower case first, so a name
with capitals is never found.

## Arguments
`unix:passwd.byname` or `unix:group.byname`; nothing else exists.

## Replies
The entry as a line of passwd(5) or group(5): `root:x:0:0:root:/root:/bin/bash`.

## Errors
Another name: the table is unavailable (retry). A name service that fails counts as "not found",
as in Postfix, which can't tell either.

## Example
    local_recipient_maps = proxy:unix:passwd.byname $alias_maps

## Source
DATABASE_README; Postfix's default for `local_recipient_maps`.
"""

import grp
import pwd
from collections.abc import Callable, Mapping

from maysend.tables.table import TableContext, TableError


class UnixTable:
    """One of the two databases of the operating system."""

    pattern = False
    blocking = True  # the name service may ask another host

    def __init__(self, spec: str, entry: Callable[[str], str]) -> None:
        self.spec = spec
        self._entry = entry

    def lookup(self, key: str, /) -> str | None:
        """The entry of `key`, which is folded already."""
        try:
            return self._entry(key)
        except (KeyError, ValueError):  # unknown; a name with a NUL in it
            return None


def open_unix(name: str, context: TableContext) -> UnixTable:
    """Open `unix:name`. Raises TableError (config)."""
    spec = f"unix:{name}"
    entry = _DATABASES.get(name)
    if entry is None:
        known = " or ".join(f"unix:{database}" for database in _DATABASES)
        raise TableError(spec, f"unknown table, expecting {known}", "config")
    return UnixTable(spec, entry)


def _user(name: str) -> str:
    user = pwd.getpwnam(name)
    return (
        f"{user.pw_name}:{user.pw_passwd}:{user.pw_uid}:{user.pw_gid}:"
        f"{user.pw_gecos}:{user.pw_dir}:{user.pw_shell}"
    )


def _group(name: str) -> str:
    group = grp.getgrnam(name)
    return f"{group.gr_name}:{group.gr_passwd}:{group.gr_gid}:{','.join(group.gr_mem)}"


_DATABASES: Mapping[str, Callable[[str], str]] = {
    "passwd.byname": _user,
    "group.byname": _group,
}
