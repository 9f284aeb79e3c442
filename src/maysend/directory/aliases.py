"""The aliases: addresses, or whole domains, that lead to others."""

from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select, update

from maysend.directory import schema
from maysend.directory.addresses import parse_alias_address, parse_login
from maysend.directory.audit import Change, record
from maysend.directory.database import Database
from maysend.directory.errors import DirectoryError
from maysend.directory.suggest import unknown


class Alias(msgspec.Struct, frozen=True):
    """One target of an alias: whether it gets the mail (`receive`) and may send as it (`send`)."""

    address: str
    target: str
    send: bool
    receive: bool
    created: int


class Aliases:
    """Add, list, remove. Every method raises DirectoryError with what was expected."""

    def __init__(self, database: Database, change: Callable[[], Change]) -> None:
        self._database = database
        self._change = change

    def add(
        self, address: str, targets: Sequence[str], *, send: bool = True, receive: bool = True
    ) -> list[Alias]:
        """Let `address` (`user@domain` or `@domain`) lead to `targets`, besides those it has.

        A target is an address, `@domain` (the name before the "@" is kept) or the login of an
        account; one that is there already gets the rights given here. Returns every target.
        """
        if not send and not receive:
            raise DirectoryError("an alias that neither receives nor sends would do nothing")
        if isinstance(targets, str) or not targets:
            raise DirectoryError(f"'{address}' needs a target: expected ALIAS, then its TARGETs")
        alias = parse_alias_address(address)
        parsed = [_parse_target(target) for target in targets]
        change = self._change()
        with self._database.writing() as connection:
            for target in parsed:
                _check_login_exists(connection, target)
                _put(connection, change, alias, target, send, receive)
            return _targets(connection, alias)

    def get(self, address: str) -> list[Alias]:
        """The targets of exactly this alias."""
        alias = parse_alias_address(address)
        with self._database.reading() as connection:
            return _existing(connection, alias)

    def remove(self, address: str, targets: Sequence[str] = ()) -> list[Alias]:
        """Take `targets` from the alias, or remove it where none are named. Returns what went."""
        alias = parse_alias_address(address)
        named = {_parse_target(target) for target in targets}
        change = self._change()
        with self._database.writing() as connection:
            existing = _existing(connection, alias)
            known = {row.target for row in existing}
            for target in sorted(named - known):
                raise DirectoryError(
                    f"'{alias}' does not lead to '{target}', but to {', '.join(sorted(known))}"
                )
            gone = [row for row in existing if not named or row.target in named]
            for row in gone:
                connection.execute(delete(schema.aliases).where(_is(alias, row.target)))
            record(connection, change, "alias remove", alias, " ".join(r.target for r in gone))
            return gone

    def list(self) -> list[Alias]:
        """Every alias, a row a target."""
        with self._database.reading() as connection:
            order = (schema.aliases.c.address, schema.aliases.c.id)
            return [Alias(*row) for row in connection.execute(_SELECT.order_by(*order))]


_SELECT = select(
    schema.aliases.c.address,
    schema.aliases.c.target,
    schema.aliases.c.send,
    schema.aliases.c.receive,
    schema.aliases.c.created,
)


def _is(alias: str, target: str) -> ColumnElement[bool]:
    return and_(schema.aliases.c.address == alias, schema.aliases.c.target == target)


def _parse_target(text: str) -> str:
    return parse_alias_address(text) if text.startswith("@") else parse_login(text)


def _check_login_exists(connection: Connection, target: str) -> None:
    """A target without a domain can only be an account: anything else is a typing error."""
    if "@" in target:
        return
    login = schema.accounts.c.login
    if connection.execute(select(login).where(login == target)).one_or_none() is None:
        raise DirectoryError(
            f"'{target}' has no domain and is no account's login, expected user@domain"
        )


def _put(
    connection: Connection, change: Change, alias: str, target: str, send: bool, receive: bool
) -> None:
    found = connection.execute(_SELECT.where(_is(alias, target))).one_or_none()
    if found is not None and (found.send, found.receive) == (send, receive):
        return
    if found is None:
        values = {"address": alias, "target": target, "created": change.at}
        connection.execute(insert(schema.aliases).values(**values, send=send, receive=receive))
    else:
        connection.execute(
            update(schema.aliases).where(_is(alias, target)).values(send=send, receive=receive)
        )
    rights = " ".join(word for word, on in (("send", send), ("receive", receive)) if on)
    record(connection, change, "alias add", alias, f"{target} ({rights})")


def _targets(connection: Connection, alias: str) -> list[Alias]:
    where = _SELECT.where(schema.aliases.c.address == alias).order_by(schema.aliases.c.id)
    return [Alias(*row) for row in connection.execute(where)]


def _existing(connection: Connection, alias: str) -> list[Alias]:
    found = _targets(connection, alias)
    if not found:
        known = connection.execute(select(schema.aliases.c.address).distinct()).scalars()
        raise unknown("alias", alias, known)
    return found
