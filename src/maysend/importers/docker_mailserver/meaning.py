"""What means something else here than in docker-mailserver, though every line could be read."""

from maysend.directory.names import AliasTarget
from maysend.directory.patterns import PatternRow, PatternTable, is_pattern
from maysend.importers.docker_mailserver.wanted import Wanted

VIRTUAL, REGEXP = "postfix-virtual.cf", "postfix-regexp.cf"


def remark_on_meaning(wanted: Wanted) -> None:
    """Add the remarks that need all files at once."""
    managed = {login.rpartition("@")[2] for login in wanted.accounts}
    _foreign_domains(wanted, managed)
    for alias, targets in wanted.aliases.items():
        if is_pattern(alias):
            _pattern(wanted, alias, targets)
        elif alias.startswith("@"):
            wanted.remark(
                VIRTUAL,
                0,
                "different",
                f"{alias}: accounts and explicit aliases keep their own mail here; and its targets "
                "may send as what the catch-all catches, which there they could not",
            )
        else:
            _nested(wanted, alias, targets)


def _foreign_domains(wanted: Wanted, managed: set[str]) -> None:
    """A domain is ours by its accounts only; there every alias makes its domain ours."""
    told = set()
    for alias, targets in wanted.aliases.items():
        if is_pattern(alias):
            continue
        for address in (alias, *targets):
            domain = address.rpartition("@")[2] if "@" in address else ""
            if not domain or domain in managed or domain in told:
                continue
            told.add(domain)
            is_key = address == alias
            wanted.remark(
                VIRTUAL,
                0,
                "different",
                f"{domain} is not made ours by {'the alias' if is_key else 'the target'} {address}"
                + (f"; if it is: maysend domain add {domain}" if is_key else ""),
            )


def _nested(wanted: Wanted, alias: str, targets: list[str]) -> None:
    nested = [target for target in targets if target in wanted.aliases and target != alias]
    if nested:
        wanted.remark(
            VIRTUAL,
            0,
            "different",
            f"{alias} leads on through {', '.join(nested)}: the accounts at the end may send as "
            "it, which there they could not",
        )


def _pattern(wanted: Wanted, pattern: str, targets: list[str]) -> None:
    rows = [PatternRow(pattern, AliasTarget(target, True, True)) for target in targets]
    table = PatternTable(rows)
    named = [*wanted.accounts, *(a for a in wanted.aliases if "@" in a[1:] and not is_pattern(a))]
    taken = [name for name in named if table.matching(name)]
    if taken:
        others = f" and {len(taken) - 1} more" if len(taken) > 1 else ""
        wanted.remark(
            REGEXP,
            0,
            "different",
            f"{pattern} also matches {taken[0]}{others}: here accounts and explicit aliases keep "
            "their addresses",
        )
