"""# texthash: a text file of keys and values

## What it does
Reads a file in the format that postmap(1) takes, as a whole, when it is opened. Keys are fixed
strings, folded to lower case.

## Arguments
`texthash:FILE`: the file name is taken as it is, no suffix is added. A line is `key whitespace
value`; lines that start with whitespace continue the line before; empty lines and lines whose
first text is `#` are ignored. Whitespace belongs to the key where it is in double quotes or after
a backslash; quotes and backslashes stay in the key.

## Replies
The value, without whitespace at its ends.

## Errors
- A file that can't be read: the table is unavailable (retry).
- A repeated key: in smtpd the table is unavailable (retry), while `postmap -q` warns and keeps
  the first entry. The policy engine does as smtpd, `maysend lookup` does as postmap
  (`TableContext.asked_by`).
- A line without a value, with an unbalanced quote, or with smtputf8_enable with bytes that are
  not UTF-8: a warning that names file and line, and the line is skipped.

## Example
    smtpd_sender_login_maps = texthash:/etc/postfix/senders
    # /etc/postfix/senders
    sales@example.com   alice@example.com, bob@example.com

## Source
DATABASE_README, postmap(1); Postfix 2.8.
"""

from collections.abc import Callable, Mapping

from maysend.tables.entries import EntryError, spaced
from maysend.tables.fixed_strings import FixedStrings
from maysend.tables.lines import LogicalLine, read_lines
from maysend.tables.table import TableContext, TableError, Tell
from maysend.tables.text import fold, is_utf8, printable


def open_texthash(name: str, context: TableContext) -> FixedStrings:
    """Open `texthash:name`. Raises TableError (config): unreadable, or a key twice."""
    spec = f"texthash:{name}"
    entries: dict[str, str] = {}
    lines: dict[str, int] = {}
    for line in read_lines(name, spec, context):
        entry = _entry(line, name, context)
        if entry is None:
            continue
        key, value = entry
        if key not in entries:
            entries[key] = value
            if context.trace is not None:
                lines[key] = line.number
            continue
        repeated = f'{name}, line {line.number}: duplicate entry: "{key}"'
        if context.asked_by == "smtpd":
            raise TableError(spec, repeated, "config")
        context.warn(repeated)
    if context.tell is not None:
        return FixedStrings(spec, entries, _telling(spec, lines, context.tell))
    return FixedStrings(spec, entries)


def _telling(spec: str, lines: Mapping[str, int], tell: Tell) -> Callable[[str], None]:
    """Tells in which line a key is found."""

    def asked(key: str) -> None:
        if key in lines:
            tell("line", f"{spec}, line {lines[key]}")

    return asked


def _entry(line: LogicalLine, path: str, context: TableContext) -> tuple[str, str] | None:
    """The folded key and the value, None (and a warning) where the line has none."""
    place = f"{path}, line {line.number}"
    if context.utf8 and not is_utf8(line.text):
        context.warn(f'{place}: non-UTF-8 input "{printable(line.text)}" -- ignoring this line')
        return None
    try:
        key, value = spaced(line.text)
    except EntryError as error:
        context.warn(f"{place}: {error} -- ignoring this line")
        return None
    if key.endswith(":"):
        context.warn(f'{place}: record is in "key: value" format; is this an alias file?')
    return fold(key, utf8=context.utf8), value
