"""# duplicate-key: a key that is there twice

## What it does
Reports repeated keys in `inline:` tables, and in the text files behind hash, btree, lmdb and cdb
tables. (A repeated key in texthash makes the table unusable: MS002.)

## Why it is bad
One of the two answers is never given: of inline the last counts, of postmap's files the first.

## Example
    smtpd_sender_login_maps = inline:{ {sales@example.com = alice}, {sales@example.com = bob} }

## Use instead
    smtpd_sender_login_maps = inline:{ {sales@example.com = alice, bob} }

## Limits
The text file need not be the one that the indexed file was made from.

## Source
DATABASE_README "inline", postmap(1).
"""

from collections.abc import Iterator

from maysend.lint.configuration import Smtpd
from maysend.lint.finding import Problem
from maysend.lint.table_uses import TableUse, table_uses
from maysend.maincf import Place
from maysend.tables import TableContext, TableError
from maysend.tables.braces import BraceError, enclosed, inner, members
from maysend.tables.entries import EntryError, assigned, spaced
from maysend.tables.lines import read_lines

INDEXED = ("hash", "btree", "lmdb", "cdb")


def check(smtpd: Smtpd) -> Iterator[Problem]:
    """The keys that inline tables and postmap's text files hold twice."""
    seen = set()
    for use in table_uses(smtpd):
        if use.spec in seen:
            continue
        seen.add(use.spec)
        type_name, _, name = use.spec.removeprefix("proxy:").partition(":")
        if type_name == "inline":
            yield from _in_pairs(use, name)
        elif type_name in INDEXED:
            yield from _in_file(name)


def _in_pairs(use: TableUse, name: str) -> Iterator[Problem]:
    try:
        pairs = [assigned(inner(m) if m.startswith("{") else m) for m in members(enclosed(name))]
    except (BraceError, EntryError):
        return  # the table is unusable, which is another finding
    answers: dict[str, str] = {}
    for key, value in pairs:
        earlier = answers.get(key.lower())
        if earlier is not None:
            yield Problem(
                place=use.place,
                written=use.written,
                message=f"the key {key} is there twice: {value} counts, {earlier} does not",
                fix=f"{{{key} = {earlier}, {value}}}",
            )
        answers[key.lower()] = value


def _in_file(path: str) -> Iterator[Problem]:
    first: dict[str, int] = {}
    try:
        for line in read_lines(path, path, TableContext()):
            try:
                key, _ = spaced(line.text)
            except EntryError:
                continue
            number = first.setdefault(key.lower(), line.number)
            if number != line.number:
                yield Problem(
                    place=Place(path, line.number),
                    written=line.text,
                    message=f"the key {key} is there twice: postmap keeps line {number}",
                )
    except TableError:
        return  # the text file need not be there
