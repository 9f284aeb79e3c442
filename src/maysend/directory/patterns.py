"""Aliases whose address is a pattern: `/^info-.*@example\\.com$/`, as in pcre_table(5).

The first pattern that matches the whole address decides. `$1` in a target is what the first
parentheses matched. Only plain addresses are asked: a quoted name with commas in it could smuggle
further targets in by `$1`.
"""

import re
from collections.abc import Iterable, Sequence

import msgspec

from maysend.directory.addresses import plain
from maysend.directory.errors import DirectoryError
from maysend.directory.names import AliasTarget
from maysend.tables.lines import LogicalLine
from maysend.tables.pcre import compile_pcre
from maysend.tables.table import TableContext, TableError

_WRITTEN = re.compile(r"/.+/[imsxAEUX]*", re.ASCII | re.DOTALL)

LONGEST_PATTERN = 1000
"""Characters."""


class PatternRow(msgspec.Struct, frozen=True):
    """One target of one pattern."""

    pattern: str
    target: AliasTarget


def is_pattern(text: str) -> bool:
    """Whether an alias is written as a pattern; no address ends in "/" and flags."""
    return _WRITTEN.fullmatch(text) is not None


def parse_pattern(text: str) -> str:
    """The pattern as it is stored. DirectoryError says what is wrong with it."""
    if len(text) > LONGEST_PATTERN or not text.isprintable():
        raise DirectoryError(
            f"the pattern is over {LONGEST_PATTERN} characters, or some can't be printed"
        )
    problems: list[str] = []
    compile_pcre([LogicalLine(f"{text} x@x", 1)], "pattern", TableContext(warn=problems.append))
    if problems:
        reason = problems[0].partition(": ")[2] or problems[0]
        raise DirectoryError(f"'{text}' is no pattern of pcre_table(5): {reason}")
    return text


class PatternTable:
    """The patterns of one state of the directory, compiled."""

    def __init__(self, rows: Iterable[PatternRow]) -> None:
        self.rows = tuple(rows)
        grouped: dict[str, list[AliasTarget]] = {}
        for row in self.rows:
            grouped.setdefault(row.pattern, []).append(row.target)
        self._targets = list(grouped.values())
        lines = [
            LogicalLine(f"{pattern} {number} {','.join(t.target for t in targets)}", number)
            for number, (pattern, targets) in enumerate(grouped.items())
        ]
        self._table = compile_pcre(lines, "directory:aliases", TableContext()) if lines else None

    def matching(self, address: str) -> Sequence[AliasTarget]:
        """Where the first pattern that `address` matches leads; () where it matches none."""
        if self._table is None or not plain(address):
            return ()
        try:
            answer = self._table.lookup(address)
        except TableError as error:
            raise DirectoryError(f"a pattern can't be matched: {error.reason}") from None
        if answer is None:
            return ()
        number, _, targets = answer.partition(" ")
        rights = self._targets[int(number)]
        return [
            AliasTarget(target, right.send, right.receive)
            for target, right in zip(targets.split(","), rights, strict=True)
        ]
