"""The logical lines of a table file (postmap(1), INPUT FILE FORMAT)."""

from collections.abc import Iterable, Iterator

import msgspec

from maysend.maincf.lines import WHITESPACE
from maysend.tables.braces import BraceError, enclosed, inner, members
from maysend.tables.table import TableContext, TableError


class LogicalLine(msgspec.Struct, frozen=True):
    """One logical line: its text, and the number of the file's line on which it starts."""

    text: str
    number: int


def read_lines(path: str, spec: str, context: TableContext) -> Iterator[LogicalLine]:
    """The logical lines of the file `path`. Raises TableError (config) where it can't be read."""
    context.sources.note(path)
    try:
        with open(path, "rb") as file:
            yield from logical_lines(file, path, context)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise TableError(spec, f"open {path}: {reason}", "config") from error


def read_rules(name: str, spec: str, context: TableContext) -> Iterator[LogicalLine]:
    """The logical lines of a pattern table: of a file, or of `{ {rule}, {rule} }` (Postfix 3.7)."""
    if not name.startswith("{"):
        return read_lines(name, spec, context)
    try:
        rules = [inner(rule) for rule in members(enclosed(name))]
    except BraceError as error:
        raise TableError(
            spec, f"{error}; need {spec.partition(':')[0]}:{{ {{rule}}, … }}", "config"
        ) from error
    source = "\n".join(rules).encode("utf-8", "surrogateescape").splitlines(keepends=True)
    return logical_lines(source, spec, context)


def logical_lines(
    physical: Iterable[bytes], path: str, context: TableContext
) -> Iterator[LogicalLine]:
    """Join continuation lines; drop comments and empty lines, also those between the two.

    A continuation with nothing to continue is skipped with a warning, as in Postfix: that is
    how an indented first rule is lost.
    """
    pending: list[str] = []
    start = 0
    for number, raw in enumerate(physical, 1):
        text = raw.removesuffix(b"\n").decode("utf-8", "surrogateescape")
        stripped = text.lstrip(WHITESPACE)
        if not stripped or stripped.startswith("#"):
            continue
        if pending and stripped is not text and text[0] in WHITESPACE:
            pending.append(text)
            continue
        if pending:
            yield from _finished(pending, start, path, context)
        pending, start = [text], number
    if pending:
        yield from _finished(pending, start, path, context)


def _finished(
    pending: list[str], start: int, path: str, context: TableContext
) -> Iterator[LogicalLine]:
    text = "".join(pending).partition("\0")[0]  # a line is a C string to Postfix
    if text[:1] in WHITESPACE and text:
        context.warn(
            f"{path}, line {start}: logical line must not start with whitespace: "
            f'"{text[:30]}" -- ignoring this line'
        )
    elif text:
        yield LogicalLine(text, start)
