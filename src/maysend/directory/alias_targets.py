"""Whether the targets of an alias are somebody, and do not lead back to it.

What is added by hand is held to that: mail to an address that is nobody's bounces, and mail in a
circle is lost. Both are harmless to ownership (`maysend.directory.ownership` knows how to end), so
files that are followed may hold them.
"""

from collections.abc import Iterable

from sqlalchemy import Connection

from maysend.directory.domain_kinds import is_ours
from maysend.directory.errors import DirectoryError
from maysend.directory.names import AliasTarget, decide_alone, led_to
from maysend.directory.ownership import MAX_ADDRESSES, Reader
from maysend.directory.patterns import PatternRow, PatternTable, is_pattern
from maysend.directory.schema import accounts, aliases
from maysend.directory.suggest import nearest

DELIMITERS = "+"
"""main.cf's recipient_delimiter is not known here: a target `bob+inbox@` is bob's as it usually
is."""


_ANY = AliasTarget("x@x", send=True, receive=True)


def check_exist(reader: Reader, connection: Connection, alias: str, targets: Iterable[str]) -> None:
    """Each of `targets` in a domain of ours is an account, an alias, or caught by one.

    Ask before `alias` is written, or a catch-all would catch its own targets. DirectoryError names
    what may be meant.
    """
    for target in targets:
        local_part, at, domain = target.rpartition("@")
        if target == alias or not at or not local_part or "$" in target:
            continue
        if not is_ours(reader.domain_kind(domain)):
            continue
        if decide_alone(reader, target, DELIMITERS) is None:
            near = nearest(connection, target, accounts.c.login, aliases.c.address)
            meant = f"did you mean '{near}'?" if near else f"{domain} is a domain of ours."
            raise DirectoryError(
                f"there is no account or alias '{target}' to lead to; {meant} "
                "To add it all the same: --missing-ok"
            )


def check_no_circle(reader: Reader, alias: str, targets: Iterable[str]) -> None:
    """None of `targets` leads back to `alias`, which is written already. DirectoryError if one
    does.

    An account that is an alias too may lead to itself: it keeps its mail (virtual(5)).
    """
    for target in targets:
        if target == alias and alias in reader.accounts((alias,)):
            continue
        if target == alias:
            raise DirectoryError(f"'{alias}' would lead to itself, and is no account")
        if _leads_to(reader, target, alias):
            raise DirectoryError(
                f"'{alias}' would lead back to itself through '{target}': maysend alias show "
                f"{target}"
            )


def _leads_to(reader: Reader, start: str, alias: str) -> bool:
    """Whether `alias` decides about `start`, or about an address that it leads to."""
    pattern = PatternTable([PatternRow(alias, _ANY)]) if is_pattern(alias) else None
    seen = dict.fromkeys([start])
    waiting = [start]
    while waiting and len(seen) <= MAX_ADDRESSES:
        name = waiting.pop()
        decided = decide_alone(reader, name, DELIMITERS)
        if decided is None:
            continue
        if decided.by_pattern:
            if pattern is not None and pattern.matching(name):
                return True
        elif decided.name == alias:
            return True
        for row in decided.targets:
            target = led_to(name, row)
            if target not in seen:
                seen[target] = None
                waiting.append(target)
    return False
