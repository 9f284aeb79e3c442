"""What somebody who mistyped a name may have meant."""

import difflib
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Column, Connection, select

from maysend.directory.errors import DirectoryError

MOST_COMPARED = 2000
"""Names that are compared with the mistyped one: a million would keep somebody waiting."""


def unknown(kind: str, name: str, known: Iterable[str]) -> DirectoryError:
    """The error for a `kind` that is not there, with the nearest one that is."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.75)
    hint = f"; did you mean '{near[0]}'?" if near else f": see `maysend {kind} list`"
    return DirectoryError(f"there is no {kind} '{name}'{hint}")


def unknown_in(connection: Connection, kind: str, name: str, column: Column[Any]) -> DirectoryError:
    """`unknown` among what `column` holds; of many, among those that begin or end alike."""
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
    return unknown(kind, name, list(known)[: 3 * MOST_COMPARED])
