"""The trail of every change: who, when, what, from where.

Written in the transaction of the change itself, so there is no change without its line.
"""

from collections.abc import Iterator

import msgspec
from sqlalchemy import Connection, insert, or_, select

from maysend.directory.database import Database
from maysend.directory.schema import audit


class AuditEntry(msgspec.Struct, frozen=True):
    """One change; `at` is in seconds since 1970, `source` is where it was made from."""

    at: int
    who: str
    action: str
    subject: str
    detail: str
    source: str = ""


class Change(msgspec.Struct, frozen=True):
    """Who makes a change, when, from where: what every store needs besides its own arguments.

    `origin` is what the change is made for, "" where a person asked for it.
    """

    who: str
    at: int
    source: str = ""
    origin: str = ""


def record(
    connection: Connection, change: Change, action: str, subject: str, detail: str = ""
) -> None:
    """Add a line to the trail. Nothing secret may be given."""
    connection.execute(
        insert(audit).values(
            at=change.at,
            who=change.who,
            action=action,
            subject=subject,
            detail=detail,
            source=change.source,
        )
    )


def read_trail(
    database: Database,
    *,
    about: str = "",
    who: str = "",
    since: int | None = None,
    most: int | None = None,
) -> list[AuditEntry]:
    """The changes, oldest first: those that name exactly `about`, by `who`, from `since` on.

    `most` keeps the newest. What is empty or None does not narrow them.
    """
    found = select(*_COLUMNS)
    if about:
        named = audit.c.detail.contains(about, autoescape=True)
        found = found.where(or_(audit.c.subject == about, named))
    if who:
        found = found.where(audit.c.who == who)
    if since is not None:
        found = found.where(audit.c.at >= since)
    found = found.order_by(audit.c.id.desc())
    with database.reading() as connection:
        entries = (AuditEntry(*row) for row in connection.execute(found))
        kept = list(_first(most, (e for e in entries if not about or _names(e, about))))
    kept.reverse()
    return kept


_COLUMNS = (
    audit.c.at,
    audit.c.who,
    audit.c.action,
    audit.c.subject,
    audit.c.detail,
    audit.c.source,
)


def _names(entry: AuditEntry, name: str) -> bool:
    """Whether `name` is the entry's subject or one whole word of its detail."""
    return name == entry.subject or name in entry.detail.replace(",", " ").split()


def _first(most: int | None, entries: Iterator[AuditEntry]) -> Iterator[AuditEntry]:
    for number, entry in enumerate(entries):
        if most is not None and number >= most:
            return
        yield entry
