"""Addresses that nobody has, to find out what a table answers without being told its keys."""

import re
from collections.abc import Iterator

from maysend.lint.configuration import Smtpd
from maysend.lint.contents import members
from maysend.lint.pattern_files import pattern_files
from maysend.tables import LookupTable

STRANGERS = "stranger.invalid"
"""A domain that is nobody's (RFC 2606)."""

_DOMAIN = re.compile(r"[0-9a-z-]+(?:\\?\.[0-9a-z-]+)+", re.IGNORECASE)


def parts_of(table: LookupTable) -> Iterator[LookupTable]:
    """The members of a unionmap, also of one inside another; any other table itself."""
    inner = members(table)
    if not inner:
        yield table
    for member in inner:
        yield from parts_of(member)


def domains_of(smtpd: Smtpd, table: LookupTable) -> Iterator[str]:
    """Domains worth asking a table about: nobody's, this host's, those that its patterns name."""
    yield STRANGERS
    yield smtpd.parameters["mydomain"].lower()
    for file in pattern_files(smtpd):
        if file.table is table:
            for rule in file.rules[:20]:
                for domain in _DOMAIN.findall(rule.pattern):
                    yield domain.replace("\\", "").lower()
