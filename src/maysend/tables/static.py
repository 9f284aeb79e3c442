"""# static: one answer for every key

## What it does
Gives its own name as the answer, whatever the key is. It is not a pattern table: access(5) asks
it partial keys too, and the first of them is answered.

## Arguments
`static:TEXT`, or `static:{ text with spaces }`: whitespace inside the braces is dropped at both
ends.

## Replies
TEXT, for every key.

## Errors
Unbalanced braces, or text after the closing brace: the table is unavailable (retry).

## Example
    smtpd_recipient_restrictions = check_sender_access static:{REJECT not today}

## Source
DATABASE_README; Postfix 2.11, braces since 3.0.
"""

from maysend.tables.braces import BraceError, inner
from maysend.tables.table import TableContext, TableError


class StaticTable:
    """The table whose answer is its name."""

    pattern = False
    blocking = False

    def __init__(self, spec: str, answer: str) -> None:
        self.spec = spec
        self.answer = answer

    def lookup(self, key: str, /) -> str | None:
        """The answer, for every key."""
        return self.answer


def open_static(name: str, context: TableContext) -> StaticTable:
    """Open `static:name`. Raises TableError (config) for broken braces."""
    spec = f"static:{name}"
    if not name.startswith("{"):
        return StaticTable(spec, name)
    try:
        return StaticTable(spec, inner(name))
    except BraceError as error:
        raise TableError(spec, f"bad static:name syntax: {error}", "config") from error
