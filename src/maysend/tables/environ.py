"""# environ: the environment of the process

## What it does
The key is the name of an environment variable. As the table holds fixed strings, the key is
folded to lower case first: `environ:x` finds `home`, and can never find `HOME`.

## Arguments
`environ:NAME`; the name is ignored.

## Replies
The variable's value.

## Errors
None.

## Example
    maysend lookup environ:x mail_config

## Source
DATABASE_README. Postfix daemons keep only the variables named in `import_environment`; this table
sees the environment of maysend itself.
"""

import os

from maysend.tables.table import TableContext


class EnvironTable:
    """The environment as it is at the time of the lookup."""

    pattern = False
    blocking = False

    def __init__(self, spec: str) -> None:
        self.spec = spec

    def lookup(self, key: str, /) -> str | None:
        """The value of the variable `key`."""
        name = key.encode("utf-8", "surrogateescape")
        if b"=" in name or b"\0" in name:
            return None
        value = os.environb.get(name)
        return None if value is None else value.decode("utf-8", "surrogateescape")


def open_environ(name: str, context: TableContext) -> EnvironTable:
    """Open `environ:name`."""
    return EnvironTable(f"environ:{name}")
