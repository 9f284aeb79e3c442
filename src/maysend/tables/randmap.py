"""# randmap: a random choice

## What it does
Gives one of the listed answers, chosen at random, for every key. It is a pattern table.

## Arguments
`randmap:{answer, answer, …}`: separated by comma or whitespace. Braces inside protect spaces and
stay in the answer. An answer that is named twice is chosen twice as often.

## Replies
One of the answers.

## Errors
No braces, or nothing in them: the table is unavailable (retry).

## Example
    transport_maps = randmap:{smtp:[a.example], smtp:[b.example]}

## Source
DATABASE_README; Postfix 3.0.
"""

import random

from maysend.tables.braces import BraceError, enclosed, members
from maysend.tables.table import TableContext, TableError


class RandomTable:
    """The table that chooses."""

    pattern = True
    blocking = False

    def __init__(self, spec: str, answers: list[str]) -> None:
        self.spec = spec
        self.answers = answers

    def lookup(self, key: str, /) -> str | None:
        """One of the answers, whatever the key is."""
        return random.choice(self.answers)


def open_randmap(name: str, context: TableContext) -> RandomTable:
    """Open `randmap:{…}`. Raises TableError (config) where there is nothing to choose from."""
    spec = f"randmap:{name}"
    try:
        answers = members(enclosed(name))
    except BraceError:
        answers = []
    if not answers:
        raise TableError(spec, f'bad syntax: "{spec}"; need "randmap:{{value...}}"', "config")
    return RandomTable(spec, answers)
