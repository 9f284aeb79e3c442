"""What a docker-mailserver folder asks for, in the directory's terms."""

import msgspec

from maysend.importers.remark import Kind, Remark

ORIGIN = "docker-mailserver"
"""Whose rows an import may change and remove: its own."""


class Wanted(msgspec.Struct):
    """The directory that the files ask for, and what is to be said about their lines."""

    accounts: dict[str, str] = {}
    """Login → stored password."""
    aliases: dict[str, list[str]] = {}
    """Address, `@domain`, pattern or local name → targets."""
    local_names: set[str] = set()
    """Those of `aliases` that have no domain."""
    suspended_logins: set[str] = set()
    suspended_senders: set[str] = set()
    closed: set[str] = set()
    """Recipients that nobody may write to."""
    local_domains: set[str] = set()
    has_accounts_file: bool = False
    remarks: list[Remark] = []

    def remark(self, file: str, line: int, kind: Kind, text: str) -> None:
        """Add a remark about a line."""
        self.remarks.append(Remark(file, line, kind, text))
