"""A table that could not be opened: every lookup says why."""

from maysend.tables.opened import OpenedTable
from maysend.tables.table import TableError


class UnavailableTable(OpenedTable):
    """Stands in for a broken table, so that the error comes where the table is needed.

    As in Postfix it counts as a pattern table: it is asked whole keys only.
    """

    def __init__(self, spec: str, reason: str) -> None:
        self.spec = spec
        self.pattern = True
        self.blocking = False
        self.reason = reason

    def lookup(self, key: str, /) -> str | None:
        """Raises TableError (retry), always: smtpd says 4.3.0, as where it may work later."""
        raise TableError(self.spec, self.reason, "retry")
