"""What somebody who mistyped a name may have meant."""

import difflib
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Column, Connection, select

from maysend.directory.errors import DirectoryError

MOST_COMPARED = 2000
"""Names that are compared with the mistyped one: a million would keep somebody waiting."""


def unknown(kind: str, name: str, known: Iterable[str]) -> DirectoryError:
    """The error for a `kind` that is not there, with the nearest one that is."""
    return _missing(kind, name, _nearest(name, list(known)))


def unknown_in(connection: Connection, kind: str, name: str, column: Column[Any]) -> DirectoryError:
    """`unknown` among what `column` holds."""
    return _missing(kind, name, nearest(connection, name, column))


def nearest(connection: Connection, name: str, *columns: Column[Any]) -> str | None:
    """What is most like `name` in `columns`; of many, among those that begin or end alike."""
    return _nearest(name, [each for column in columns for each in _alike(connection, name, column)])


def _missing(kind: str, name: str, near: str | None) -> DirectoryError:
    hint = f"; did you mean '{near}'?" if near else f": see `maysend {kind} list`"
    return DirectoryError(f"there is no {kind} '{name}'{hint}")


def _nearest(name: str, known: Sequence[str]) -> str | None:
    """Of a name without its domain the address is meant, else what is written most alike."""
    whole = [each for each in known if each.startswith(f"{name}@")] if name else []
    near = whole or difflib.get_close_matches(name, known, n=1, cutoff=0.75)
    return near[0] if near else None


def _alike(connection: Connection, name: str, column: Column[Any]) -> list[str]:
    local_part, at, domain = name.rpartition("@")
    alike = [column.startswith(name[:2], autoescape=True)]
    if at:
        alike.append(column.startswith(f"{local_part}@", autoescape=True))
        alike.append(column.endswith(f"{local_part[-2:]}@{domain}", autoescape=True))
    known: dict[str, None] = {}
    for condition in alike:
        found = select(column).where(condition).distinct().limit(MOST_COMPARED)
        known.update(dict.fromkeys(connection.execute(found).scalars()))
    if len(known) < MOST_COMPARED:
        rest = select(column).distinct().limit(MOST_COMPARED)
        known.update(dict.fromkeys(connection.execute(rest).scalars()))
    return list(known)[: 3 * MOST_COMPARED]
