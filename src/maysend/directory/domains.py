"""The domains: which are ours to deliver (managed), and which may only be sent from.

The domain of an account is managed unless it is registered as send-only. The domains of aliases,
targets and grants never are: an alias that leads to another provider does not make that provider's
domain ours.
"""

from collections.abc import Callable

import msgspec
from sqlalchemy import Connection, delete, insert, select

from maysend.directory import schema
from maysend.directory.addresses import parse_domain, storable
from maysend.directory.audit import Change, record
from maysend.directory.database import Database
from maysend.directory.suggest import unknown


class Domain(msgspec.Struct, frozen=True):
    """A domain that was registered: managed, or send-only."""

    domain: str
    managed: bool
    created: int


class Domains:
    """Add, list, remove. Every method raises DirectoryError with what was expected."""

    def __init__(self, database: Database, change: Callable[[], Change]) -> None:
        self._database = database
        self._change = change

    def add(self, domain: str, *, managed: bool = True) -> Domain:
        """Register `domain` as managed or as send-only, whatever it was before."""
        name = parse_domain(domain)
        change = self._change()
        table = schema.domains
        with self._database.writing() as connection:
            connection.execute(delete(table).where(table.c.domain == name))
            connection.execute(
                insert(table).values(domain=name, managed=managed, created=change.at)
            )
            record(connection, change, "domain add", name, "managed" if managed else "send-only")
        return Domain(name, managed, change.at)

    def list(self) -> list[Domain]:
        """Every registered domain, by name; those of accounts only are not among them."""
        table = schema.domains
        columns = (table.c.domain, table.c.managed, table.c.created)
        with self._database.reading() as connection:
            return [Domain(*r) for r in connection.execute(select(*columns).order_by(columns[0]))]

    def remove(self, domain: str) -> None:
        """Forget what was registered about `domain`."""
        name = parse_domain(domain)
        change = self._change()
        table = schema.domains
        with self._database.writing() as connection:
            if connection.execute(delete(table).where(table.c.domain == name)).rowcount == 0:
                known = connection.execute(select(table.c.domain)).scalars()
                raise unknown("domain", name, known)
            record(connection, change, "domain remove", name)


def is_managed(connection: Connection, domain: str) -> bool:
    """Whether `domain`, in its stored form, is ours to deliver."""
    if not domain or not storable(domain):
        return False
    table, account = schema.domains, schema.accounts
    registered = connection.execute(
        select(table.c.managed).where(table.c.domain == domain)
    ).scalar_one_or_none()
    if registered is not None:
        return bool(registered)
    mine = select(account.c.id).where(account.c.domain == domain).limit(1)
    return connection.execute(mine).first() is not None
