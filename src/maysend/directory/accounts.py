"""The accounts: who can log in."""

import unicodedata
from collections.abc import Callable

import msgspec
from sqlalchemy import Connection, Row, ScalarSelect, delete, insert, select, update

from maysend.directory import schema
from maysend.directory.addresses import parse_login
from maysend.directory.audit import Change, record
from maysend.directory.database import Database
from maysend.directory.errors import DirectoryError
from maysend.directory.passwords import check_hash, hash_password
from maysend.directory.suggest import unknown

LONGEST_REASON = 200
"""Octets of a suspension's reason: with the longest login it still fits one SMTP reply line."""

LONGEST_NAME = 200


class Account(msgspec.Struct, frozen=True):
    """An account as others may see it: without its password. Times are seconds since 1970."""

    login: str
    name: str
    enabled: bool
    suspended_reason: str | None
    suspended_by: str | None
    suspended_at: int | None
    scope: str
    created: int


class Holdings(msgspec.Struct, frozen=True):
    """What an account has besides its own address."""

    aliases: tuple[str, ...]
    grants: tuple[str, ...]
    emptied: tuple[str, ...]
    """Those of `aliases` that lead to nobody else."""


class Credential(msgspec.Struct, frozen=True):
    """What a login is checked against. Never printed."""

    login: str
    password_hash: str | None
    enabled: bool

    def __repr__(self) -> str:
        return f"Credential(login={self.login!r}, enabled={self.enabled})"


class Accounts:
    """Add, list, remove, suspend. Every method raises DirectoryError with what was expected."""

    def __init__(self, database: Database, change: Callable[[], Change]) -> None:
        self._database = database
        self._change = change

    def add(
        self,
        login: str,
        password: str | None = None,
        *,
        password_hash: str | None = None,
        name: str = "",
        scope: str = "",
    ) -> Account:
        """Add an account that logs in with `password`, or with the one that `password_hash` is of.

        `password_hash` is as Dovecot writes it, with its `{SCHEME}`. With neither, nobody can log
        in here: for accounts whose passwords are kept elsewhere. `scope` names what the account
        may write to; empty is everything.
        """
        canonical = parse_login(login)
        _check_text("name", name, LONGEST_NAME)
        stored = _stored_password(password, password_hash)
        change = self._change()
        with self._database.writing() as connection:
            if _find(connection, canonical) is not None:
                raise DirectoryError(f"there is already an account '{canonical}'")
            connection.execute(
                insert(schema.accounts).values(
                    login=canonical,
                    domain=canonical.partition("@")[2],
                    password_hash=stored,
                    name=name,
                    enabled=True,
                    scope=scope,
                    created=change.at,
                )
            )
            record(connection, change, "account add", canonical)
            return _get(connection, canonical)

    def find(self, login: str) -> Account | None:
        """The account of exactly this login, None where there is none."""
        canonical = parse_login(login)
        with self._database.reading() as connection:
            row = _find(connection, canonical)
        return None if row is None else _account(row)

    def get(self, login: str) -> Account:
        """The account of exactly this login; DirectoryError names one that may be meant."""
        canonical = parse_login(login)
        with self._database.reading() as connection:
            return _get(connection, canonical)

    def list(self) -> list[Account]:
        """Every account, by login."""
        with self._database.reading() as connection:
            return [_account(row) for row in connection.execute(_SELECT.order_by(_login))]

    def holdings(self, login: str) -> Holdings:
        """What would go with the account if it were removed."""
        canonical = parse_login(login)
        with self._database.reading() as connection:
            _get(connection, canonical)
            return _holdings(connection, canonical)

    def remove(self, login: str) -> Holdings:
        """Remove the account, and it from every alias and grant. Says what it had."""
        canonical = parse_login(login)
        change = self._change()
        with self._database.writing() as connection:
            _get(connection, canonical)
            held = _holdings(connection, canonical)
            connection.execute(delete(schema.aliases).where(schema.aliases.c.target == canonical))
            connection.execute(
                delete(schema.grants).where(schema.grants.c.account_id == _id_of(canonical))
            )
            connection.execute(delete(schema.accounts).where(_login == canonical))
            record(connection, change, "account remove", canonical, _held_text(held))
            return held

    def set_password(
        self, login: str, password: str | None = None, *, password_hash: str | None = None
    ) -> None:
        """Replace the password; arguments as for `add`."""
        stored = _stored_password(password, password_hash)
        self._update(login, "account password", "", password_hash=stored)

    def enable(self, login: str) -> None:
        """Let the account log in and act again."""
        self._update(login, "account enable", "", enabled=True)

    def disable(self, login: str) -> None:
        """Keep the account, which can no longer log in and owns nothing."""
        self._update(login, "account disable", "", enabled=False)

    def suspend(self, login: str, reason: str) -> None:
        """Refuse all that the account sends, with `reason` as the text that its user sees."""
        reason = reason.strip()
        if not reason:
            raise DirectoryError("a suspension needs a reason: the user is shown it")
        _check_text("reason", reason, LONGEST_REASON)
        change = self._change()
        self._update(
            login,
            "account suspend",
            reason,
            suspended_reason=reason,
            suspended_by=change.who,
            suspended_at=change.at,
        )

    def resume(self, login: str) -> None:
        """End a suspension."""
        if self.get(login).suspended_reason is None:
            raise DirectoryError(f"'{parse_login(login)}' is not suspended")
        self._update(
            login,
            "account resume",
            "",
            suspended_reason=None,
            suspended_by=None,
            suspended_at=None,
        )

    def _update(self, login: str, action: str, detail: str, **values: object) -> None:
        canonical = parse_login(login)
        change = self._change()
        with self._database.writing() as connection:
            _get(connection, canonical)
            connection.execute(update(schema.accounts).where(_login == canonical).values(values))
            record(connection, change, action, canonical, detail)


def find_credential(connection: Connection, login: str) -> Credential | None:
    """What the account of exactly the login `login` is checked against."""
    columns = (_login, schema.accounts.c.password_hash, schema.accounts.c.enabled)
    row = connection.execute(select(*columns).where(_login == login)).one_or_none()
    return None if row is None else Credential(row.login, row.password_hash, bool(row.enabled))


def refusal_of(connection: Connection, login: str) -> str | None:
    """Why the account of exactly this login may not send at all; None where nothing forbids it."""
    row = _find(connection, login)
    if row is None:
        return None
    account = _account(row)
    if account.suspended_reason is not None:
        return account.suspended_reason
    return None if account.enabled else "This account is disabled"


_login = schema.accounts.c.login
_HIDDEN = ("id", "domain", "password_hash")
_SELECT = select(*(column for column in schema.accounts.c if column.name not in _HIDDEN))


def _find(connection: Connection, login: str) -> Row[tuple[object, ...]] | None:
    return connection.execute(_SELECT.where(_login == login)).one_or_none()


def _get(connection: Connection, login: str) -> Account:
    row = _find(connection, login)
    if row is None:
        logins = connection.execute(select(_login)).scalars()
        raise unknown("account", login, logins)
    return _account(row)


def _account(row: Row[tuple[object, ...]]) -> Account:
    return Account(**row._mapping)


def _id_of(login: str) -> ScalarSelect[int]:
    return select(schema.accounts.c.id).where(_login == login).scalar_subquery()


def _holdings(connection: Connection, login: str) -> Holdings:
    address, target = schema.aliases.c.address, schema.aliases.c.target
    mine = select(address).where(target == login).order_by(address)
    shared = set(
        connection.execute(
            select(address).where(target != login, address.in_(mine.order_by(None)))
        ).scalars()
    )
    held = tuple(connection.execute(mine).scalars())
    granted = (
        select(schema.grants.c.address)
        .where(schema.grants.c.account_id == _id_of(login))
        .order_by(schema.grants.c.address)
    )
    return Holdings(
        aliases=held,
        grants=tuple(connection.execute(granted).scalars()),
        emptied=tuple(alias for alias in held if alias not in shared),
    )


def _held_text(held: Holdings) -> str:
    parts = [f"alias {alias}" for alias in held.aliases] + [f"grant {g}" for g in held.grants]
    return ", ".join(parts)


def _stored_password(password: str | None, password_hash: str | None) -> str | None:
    if password is not None and password_hash is not None:
        raise DirectoryError("give a password or a hash of it, not both")
    if password is not None:
        return hash_password(password)
    if password_hash is not None:
        check_hash(password_hash)
    return password_hash


def _check_text(what: str, text: str, longest: int) -> None:
    """Refuse what would not be one short line of an SMTP reply or of a list."""
    if any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in text):
        raise DirectoryError(f"the {what} has a control character, expected one line of text")
    if len(text.encode()) > longest:
        raise DirectoryError(f"the {what} is over {longest} octets, expected something shorter")
