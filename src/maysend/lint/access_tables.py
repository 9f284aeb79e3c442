"""Access tables as lint has to understand them: who is let in, who is kept out, by which key."""

from collections.abc import Iterator

import msgspec

from maysend.lint.configuration import Smtpd
from maysend.lint.contents import entries
from maysend.lint.pattern_samples import FILLER
from maysend.lint.table_uses import table_named_in
from maysend.maincf import tokens
from maysend.restrictions.node import Node
from maysend.tables import TableError

MOST = 200
"""Entries of one table that are tried."""


class Entry(msgspec.Struct, frozen=True):
    """A key and what it answers: `words` are the restrictions in it, lower case but for classes."""

    key: str
    answer: str

    @property
    def words(self) -> tuple[str, ...]:
        """The answer as a list of restrictions."""
        return tuple(token.text for token in tokens.split(self.answer))

    @property
    def refuses(self) -> bool:
        """Whether the answer itself refuses."""
        first = self.words[0].lower() if self.words else ""
        is_code = len(first) == 3 and first.isdigit() and first[0] in "45"
        refusing = ("reject", "defer", "defer_if_permit", "521", "421")
        return first in refusing or (is_code and len(self.words) > 1)

    @property
    def permits(self) -> bool:
        """Whether the answer itself permits."""
        first = self.words[0].lower() if self.words else ""
        return first in ("ok", "permit") or self.answer.strip().isdigit()

    def as_address(self) -> str:
        """An address that has this key: the key, or a name that nobody has in its domain."""
        if self.key.endswith("@"):
            return f"{self.key}{FILLER}.invalid"
        if "@" in self.key:
            return self.key if not self.key.startswith("@") else f"{FILLER}{self.key}"
        return f"{FILLER}@{self.key.lstrip('.')}"


def access_entries(smtpd: Smtpd, node: Node) -> list[Entry] | None:
    """The entries of the table that a check_*_access names; None where it can't be listed."""
    spec = table_named_in(node)
    if not spec or smtpd.policy is None:
        return None
    try:
        listed = entries(smtpd.policy.site.table(spec))
    except TableError:
        return []
    if listed is None:
        return None
    return [Entry(key, answer) for key, answer in list(listed.items())[:MOST]]


def is_check(node: Node, name: str) -> bool:
    """Whether the node is this check_*_access."""
    return node.written.lower().startswith(f"{name} ")


def checks(smtpd: Smtpd, name: str) -> Iterator[tuple[str, Node]]:
    """Every check of this name, with the list or class that it stands in."""
    for parameter, node in smtpd.nodes():
        if is_check(node, name):
            yield parameter, node


def is_ours(smtpd: Smtpd, address: str) -> bool:
    """Whether the address is in a domain that this host has mail for."""
    if smtpd.policy is None:
        return False
    site = smtpd.policy.site
    domain = address.rpartition("@")[2].lower()
    own = {smtpd.parameters["mydomain"].lower(), site.myorigin.lower()}
    lists = (site.mydestination, site.virtual_mailbox_domains, site.virtual_alias_domains)
    try:
        return domain in own or any(
            matched.match_name(domain, lambda table, key: table.lookup(key)) is not None
            for matched in lists
        )
    except TableError:
        return False
