"""The domains: which are ours to deliver, and which are not, whatever accounts are in them.

The domain of an account is managed unless it is registered as something else (see
`maysend.directory.domain_kinds`). The domains of aliases, targets and grants never are: an alias
that leads to another provider does not make that provider's domain ours.
"""

from collections.abc import Callable

import msgspec
from sqlalchemy import (
    Connection,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    union,
    union_all,
)

from maysend.directory import schema
from maysend.directory.addresses import parse_domain, storable
from maysend.directory.audit import Change, record
from maysend.directory.database import Database
from maysend.directory.domain_kinds import KINDS, MANAGED
from maysend.directory.errors import DirectoryError
from maysend.directory.suggest import unknown, unknown_in


class Domain(msgspec.Struct, frozen=True):
    """A domain, its kind, and how many accounts are in it.

    `created` is None for one that is managed only because accounts are in it.
    """

    domain: str
    kind: str
    accounts: int
    created: int | None


class Domains:
    """Add, list, remove. Every method raises DirectoryError with what was expected."""

    def __init__(self, database: Database, change: Callable[[], Change]) -> None:
        self._database = database
        self._change = change

    def add(self, domain: str, kind: str = MANAGED) -> Domain:
        """Register `domain` as one of `domain_kinds.KINDS`, whatever it was before."""
        name = parse_domain(domain)
        if kind not in KINDS:
            raise DirectoryError(f"{kind!a} is no kind of domain, expected {', '.join(KINDS)}")
        change = self._change()
        with self._database.writing() as connection:
            connection.execute(delete(_domains).where(_domains.c.domain == name))
            connection.execute(
                insert(_domains).values(
                    domain=name, kind=kind, created=change.at, origin=change.origin
                )
            )
            record(connection, change, "domain add", name, kind)
            return _get(connection, name)

    def get(self, domain: str) -> Domain:
        """What `domain` is, whether registered or known by its accounts."""
        name = parse_domain(domain)
        with self._database.reading() as connection:
            return _get(connection, name)

    def update(self, domain: str, kind: str) -> Domain:
        """Make a known domain one of another kind."""
        self.get(domain)
        return self.add(domain, kind)

    def list(self) -> list[Domain]:
        """Every domain that is registered or has accounts, by name."""
        with self._database.reading() as connection:
            held = {row[0]: int(row[1]) for row in connection.execute(_ACCOUNTS_OF_DOMAINS)}
            rows = {row.domain: row for row in connection.execute(select(_domains))}
        return [
            Domain(name, rows[name].kind, held.get(name, 0), rows[name].created)
            if name in rows
            else Domain(name, MANAGED, held[name], None)
            for name in sorted(held.keys() | rows.keys())
            if name
        ]

    def remove(self, domain: str) -> None:
        """Forget what was registered about `domain`."""
        name = parse_domain(domain)
        change = self._change()
        with self._database.writing() as connection:
            gone = delete(_domains).where(_domains.c.domain == name)
            if connection.execute(gone).rowcount == 0:
                known = _known(connection, name)
                if known is not None:
                    raise DirectoryError(
                        f"'{name}' is managed because accounts are in it, nothing was registered; "
                        f"to exclude it: maysend domain add {name} --excluded"
                    )
                raise unknown_in(connection, "domain", name, _domains.c.domain)
            record(connection, change, "domain remove", name)


def kind_of(connection: Connection, domain: str) -> str:
    """The kind of `domain`, in its stored form; "" where it is none of ours."""
    if not domain or not storable(domain):
        return ""
    found = connection.execute(_KINDS, {"domain": domain}).scalars().all()
    return next((str(kind) for kind in found if kind != BY_ACCOUNTS), MANAGED if found else "")


BY_ACCOUNTS = ""
"""Stands for "managed, because accounts are in it" among the kinds of one domain."""


_domains = schema.domains
_account_domain = schema.accounts.c.domain
_KINDS = union_all(
    select(_domains.c.kind).where(_domains.c.domain == schema.parameter("domain")),
    select(literal(BY_ACCOUNTS)).where(
        exists().where(_account_domain == schema.parameter("domain"))
    ),
)
_ACCOUNTS_OF_DOMAINS = select(_account_domain, func.count()).group_by(_account_domain)


_KNOWN_DOMAINS = union(select(_domains.c.domain), select(_account_domain).distinct()).limit(2000)


def _known(connection: Connection, name: str) -> Domain | None:
    counted = select(func.count()).where(_account_domain == name)
    accounts = int(connection.execute(counted).scalar_one())
    row = connection.execute(select(_domains).where(_domains.c.domain == name)).one_or_none()
    if row is not None:
        return Domain(name, row.kind, accounts, row.created)
    return Domain(name, MANAGED, accounts, None) if accounts else None


def _get(connection: Connection, name: str) -> Domain:
    found = _known(connection, name)
    if found is None:
        known = connection.execute(_KNOWN_DOMAINS).scalars()
        raise unknown("domain", name, known)
    return found
