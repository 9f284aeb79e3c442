"""A table that may have to wait for a lookup, unless it remembers the answer."""

from maysend.tables.table import LookupTable


class Remembering:
    """A table that knows of some keys without asking anybody."""

    def remembers(self, key: str, /) -> bool:
        """Whether `lookup` of this key would not have to wait; it may fail at once."""
        return False


def would_wait(table: LookupTable, key: str) -> bool:
    """Whether a lookup of `key` may wait for a process or a host."""
    if not table.blocking:
        return False
    # Asked by name, because the compiled class of tables that are checked inherits only once.
    remembers = getattr(table, "remembers", None)
    return remembers is None or not remembers(key)
