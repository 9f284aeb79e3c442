"""The grants: what a login may send as besides what it owns."""

from collections.abc import Callable
from enum import Enum
from typing import Literal, TypeAlias, cast

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select, update

from maysend.directory import schema
from maysend.directory.addresses import EVERYTHING, check_line, parse_granted, parse_login
from maysend.directory.audit import Change, record
from maysend.directory.database import Database
from maysend.directory.errors import DirectoryError
from maysend.directory.suggest import unknown_in

Kind: TypeAlias = Literal["as", "on-behalf"]


LONGEST_NOTE = 500
"""Octets."""


class Unchanged(Enum):
    """Says that a value stays as it is, where None has a meaning of its own."""

    UNCHANGED = "unchanged"


UNCHANGED = Unchanged.UNCHANGED


class Grant(msgspec.Struct, frozen=True):
    """`login` may send as `address` ("*" is everything); times are seconds since 1970."""

    login: str
    address: str
    kind: str
    note: str
    expires: int | None
    given_by: str
    created: int


class Grants:
    """Add, list, remove. Every method raises DirectoryError with what was expected."""

    def __init__(self, database: Database, change: Callable[[], Change]) -> None:
        self._database = database
        self._change = change

    def add(
        self,
        login: str,
        address: str,
        *,
        kind: Kind = "as",
        note: str = "",
        expires: int | None = None,
    ) -> Grant:
        """Let the account `login` send as `address`: `user@domain`, `@domain` or "everything".

        `as` makes it an owner. `on-behalf` is for a From: header beside a Sender: of its own, and
        gives no ownership of the envelope sender. A grant that is there already is replaced.
        """
        account, granted = parse_login(login), parse_granted(address)
        if kind not in ("as", "on-behalf"):
            raise DirectoryError(f"a grant is of the kind 'as' or 'on-behalf', not {kind!a}")
        check_line("note", note, LONGEST_NOTE)
        change = self._change()
        if expires is not None and expires <= change.at:
            raise DirectoryError("the grant would have expired already")
        values = {
            "kind": kind,
            "note": note,
            "expires": expires,
            "given_by": change.who,
            "created": change.at,
            "origin": change.origin,
        }
        with self._database.writing() as connection:
            account_id = _account_id(connection, account)
            here = _is(account_id, granted)
            if connection.execute(select(_grants.c.id).where(here)).one_or_none() is None:
                connection.execute(
                    insert(_grants).values(account_id=account_id, address=granted, **values)
                )
            else:
                connection.execute(update(_grants).where(here).values(**values))
            record(connection, change, "grant add", account, f"{kind} {granted}")
            return Grant(*connection.execute(_SELECT.where(here)).one())

    def list(self, login: str = "", address: str = "") -> list[Grant]:
        """Every grant, expired ones included, by login; only of `login`, only for `address`."""
        found = _SELECT.order_by(schema.accounts.c.login, _grants.c.address)
        if login:
            found = found.where(schema.accounts.c.login == parse_login(login))
        if address:
            found = found.where(_grants.c.address == parse_granted(address))
        with self._database.reading() as connection:
            return [Grant(*row) for row in connection.execute(found)]

    def get(self, login: str, address: str) -> Grant:
        """The grant of exactly `address` to `login`."""
        account, granted = parse_login(login), parse_granted(address)
        with self._database.reading() as connection:
            return _existing(connection, account, granted)

    def update(
        self,
        login: str,
        address: str,
        *,
        kind: Kind | None = None,
        note: str | None = None,
        expires: int | Unchanged | None = UNCHANGED,
    ) -> Grant:
        """Change a grant that is there; what is not given stays as it is."""
        with self._database.together():
            here = self.get(login, address)
            return self.add(
                login,
                address,
                kind=kind or cast(Kind, here.kind),
                note=here.note if note is None else note,
                expires=here.expires if isinstance(expires, Unchanged) else expires,
            )

    def remove(self, login: str, address: str) -> Grant:
        """Take the grant of exactly `address` from `login`. Returns what went."""
        account, granted = parse_login(login), parse_granted(address)
        change = self._change()
        with self._database.writing() as connection:
            found = _existing(connection, account, granted)
            here = _is(_account_id(connection, account), granted)
            connection.execute(delete(_grants).where(here))
            record(connection, change, "grant remove", account, granted)
            return found


def spelled(address: str) -> str:
    """What a grant is for, as it is typed."""
    return "everything" if address == EVERYTHING else address


_grants = schema.grants
_SELECT = select(
    schema.accounts.c.login,
    _grants.c.address,
    _grants.c.kind,
    _grants.c.note,
    _grants.c.expires,
    _grants.c.given_by,
    _grants.c.created,
).join_from(_grants, schema.accounts)


def _existing(connection: Connection, login: str, address: str) -> Grant:
    account_id = _account_id(connection, login)
    found = connection.execute(_SELECT.where(_is(account_id, address))).one_or_none()
    if found is None:
        raise _no_such_grant(connection, login, account_id, address)
    return Grant(*found)


def _is(account_id: int, address: str) -> ColumnElement[bool]:
    return and_(_grants.c.account_id == account_id, _grants.c.address == address)


def _account_id(connection: Connection, login: str) -> int:
    accounts = schema.accounts
    found = connection.execute(
        select(accounts.c.id).where(accounts.c.login == login)
    ).scalar_one_or_none()
    if found is None:
        raise unknown_in(connection, "account", login, accounts.c.login)
    return int(found)


def _no_such_grant(
    connection: Connection, login: str, account_id: int, address: str
) -> DirectoryError:
    held = connection.execute(
        select(_grants.c.address).where(_grants.c.account_id == account_id)
    ).scalars()
    has = ", ".join(sorted(map(spelled, held))) or "no grant at all"
    return DirectoryError(f"'{login}' has no grant for '{spelled(address)}'; it has {has}")
