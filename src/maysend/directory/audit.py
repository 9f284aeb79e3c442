"""The trail of every change: who, when, what. Written in the transaction of the change itself."""

import msgspec
from sqlalchemy import Connection, insert, select

from maysend.directory.database import Database
from maysend.directory.schema import audit


class AuditEntry(msgspec.Struct, frozen=True):
    """One change; `at` is in seconds since 1970."""

    at: int
    who: str
    action: str
    subject: str
    detail: str


class Change(msgspec.Struct, frozen=True):
    """Who makes a change, and when: what every store needs besides its own arguments."""

    who: str
    at: int


def record(
    connection: Connection, change: Change, action: str, subject: str, detail: str = ""
) -> None:
    """Add a line to the trail. Nothing secret may be given."""
    connection.execute(
        insert(audit).values(
            at=change.at, who=change.who, action=action, subject=subject, detail=detail
        )
    )


def read_trail(database: Database) -> list[AuditEntry]:
    """Every change, oldest first."""
    columns = (audit.c.at, audit.c.who, audit.c.action, audit.c.subject, audit.c.detail)
    with database.reading() as connection:
        return [
            AuditEntry(*row) for row in connection.execute(select(*columns).order_by(audit.c.id))
        ]
