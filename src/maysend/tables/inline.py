"""# inline: keys and values written into main.cf

## What it does
Holds a few fixed strings without a file. Keys are folded to lower case; where a key is repeated,
the last one counts. It is not a pattern table.

## Arguments
`inline:{key=value, {key = text with spaces or commas}, …}`: pairs are separated by whitespace or
comma. In a pair within braces, whitespace around key and value is dropped. In a pair without,
braces protect spaces and stay in the value: `a={b c}` answers `{b c}`.

## Replies
The value; it may be empty, which most users of a table take for an error.

## Errors
No or unbalanced braces, no pair at all, a pair without `=`, an unbalanced quote, or with
smtputf8_enable text that is not UTF-8: the table is unavailable (retry).

## Example
    smtpd_sender_login_maps = inline:{sales@example.com=alice, {info@example.com = alice, bob}}

## Source
DATABASE_README; Postfix 3.0.
"""

from maysend.tables.braces import BraceError, enclosed, inner, members
from maysend.tables.entries import EntryError, assigned
from maysend.tables.fixed_strings import FixedStrings
from maysend.tables.table import TableContext, TableError
from maysend.tables.text import fold, is_utf8


def open_inline(name: str, context: TableContext) -> FixedStrings:
    """Open `inline:{…}`. Raises TableError (config) for what is not a list of pairs."""
    spec = f"inline:{name}"
    if context.utf8 and not is_utf8(name):
        raise TableError(spec, _expected("bad UTF-8 syntax"), "config")
    try:
        pairs = [
            assigned(inner(member) if member.startswith("{") else member)
            for member in members(enclosed(name))
        ]
    except (BraceError, EntryError) as error:
        raise TableError(spec, _expected(str(error)), "config") from error
    if not pairs:
        raise TableError(spec, _expected("empty table"), "config")
    return FixedStrings(spec, {fold(key, utf8=context.utf8): value for key, value in pairs})


def _expected(reason: str) -> str:
    return f'{reason}; need "inline:{{name=value...}}"'
