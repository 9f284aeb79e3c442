"""The accounts: who can log in."""

from collections.abc import Callable, Iterator

import msgspec
from sqlalchemy import Connection, Row, func, insert, select, update

from maysend.directory import schema
from maysend.directory.addresses import check_line, parse_login
from maysend.directory.audit import Change, record
from maysend.directory.database import Database
from maysend.directory.errors import DirectoryError
from maysend.directory.passwords import check_hash, hash_password
from maysend.directory.removal import Holdings, holdings, remove_account
from maysend.directory.scopes import parse_scope, spelled_scope
from maysend.directory.suggest import unknown_in
from maysend.directory.suspensions import LONGEST_REASON, Refusal, check_suspension

__all__ = ["LONGEST_REASON", "Account", "Accounts", "Holdings"]

LONGEST_NAME = 200


class Account(msgspec.Struct, frozen=True):
    """An account as others may see it: without its password. Times are seconds since 1970."""

    login: str
    name: str
    enabled: bool
    suspended_reason: str | None
    suspended_by: str | None
    suspended_at: int | None
    suspended_until: int | None
    scope: str
    created: int

    def is_suspended(self, now: float) -> bool:
        """Whether a suspension is there that is not over."""
        over = self.suspended_until is not None and self.suspended_until <= now
        return self.suspended_reason is not None and not over


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
        in here: for accounts whose passwords are kept elsewhere. `scope` is what the account may
        write to (`maysend.directory.scopes`); empty is anywhere.
        """
        canonical = parse_login(login)
        check_line("name", name, LONGEST_NAME)
        allowed = parse_scope([scope]) if scope else ""
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
                    scope=allowed,
                    created=change.at,
                    origin=change.origin,
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
        return list(self.stream())

    def stream(self) -> Iterator[Account]:
        """`list`, a row at a time: a million of them need no more memory than one."""
        with self._database.reading() as connection:
            rows = connection.execution_options(yield_per=1000).execute(_SELECT.order_by(_login))
            for row in rows:
                yield _account(row)

    def count(self) -> int:
        """How many there are."""
        with self._database.reading() as connection:
            return int(connection.execute(select(func.count(_login))).scalar_one())

    def beginning(self, start: str, most: int) -> tuple[str, ...]:
        """At most `most` logins that begin with `start`."""
        found = select(_login).where(_login.startswith(start, autoescape=True))
        with self._database.reading() as connection:
            return tuple(connection.execute(found.order_by(_login).limit(most)).scalars())

    def holdings(self, login: str, delimiters: str = "+") -> Holdings:
        """What would go with the account if it were removed."""
        canonical = parse_login(login)
        with self._database.reading() as connection:
            _get(connection, canonical)
            return holdings(connection, canonical, delimiters)

    def remove(self, login: str, delimiters: str = "+") -> Holdings:
        """Remove the account, and it from every alias, grant and list. Says what it had.

        `delimiters` is main.cf's recipient_delimiter: alias targets `bob+tag@` are bob's too.
        """
        canonical = parse_login(login)
        change = self._change()
        with self._database.writing() as connection:
            _get(connection, canonical)
            return remove_account(connection, change, canonical, delimiters)

    def update(self, login: str, *, name: str | None = None, scope: str | None = None) -> Account:
        """Give the account another name, another scope."""
        values: dict[str, object] = {}
        if name is not None:
            check_line("name", name, LONGEST_NAME)
            values["name"] = name
        if scope is not None:
            values["scope"] = parse_scope([scope])
        if not values:
            raise DirectoryError("nothing to change was given: a name, or a scope")
        told = {**values, **({"scope": spelled_scope(str(values["scope"]))} if scope else {})}
        detail = " ".join(f"{key}={value}" for key, value in told.items())
        return self._update(login, "account update", detail, **values)

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

    def suspend(self, login: str, reason: str, until: int | None = None) -> Account:
        """Refuse all that the account sends, with `reason` as the text that its user sees.

        `until` (seconds since 1970) ends it by itself.
        """
        reason = reason.strip()
        change = self._change()
        check_suspension(reason, until, change.at)
        return self._update(
            login,
            "account suspend",
            reason,
            suspended_reason=reason,
            suspended_by=change.origin or change.who,
            suspended_at=change.at,
            suspended_until=until,
        )

    def resume(self, login: str) -> Account:
        """End a suspension."""
        if self.get(login).suspended_reason is None:
            raise DirectoryError(f"'{parse_login(login)}' is not suspended")
        return self._update(
            login,
            "account resume",
            "",
            suspended_reason=None,
            suspended_by=None,
            suspended_at=None,
            suspended_until=None,
        )

    def _update(self, login: str, action: str, detail: str, **values: object) -> Account:
        canonical = parse_login(login)
        change = self._change()
        with self._database.writing() as connection:
            _get(connection, canonical)
            connection.execute(update(schema.accounts).where(_login == canonical).values(values))
            record(connection, change, action, canonical, detail)
            return _get(connection, canonical)


def find_credential(connection: Connection, login: str) -> Credential | None:
    """What the account of exactly the login `login` is checked against."""
    columns = (_login, schema.accounts.c.password_hash, schema.accounts.c.enabled)
    row = connection.execute(select(*columns).where(_login == login)).one_or_none()
    return None if row is None else Credential(row.login, row.password_hash, bool(row.enabled))


def neighbours_hash(connection: Connection, login: str) -> str | None:
    """The stored password of the next account in alphabetical order, None where there is none.

    For one login it is the same each time, for all logins it is as schemes are spread here.
    """
    column = schema.accounts.c.password_hash
    hashes = select(column).where(column.is_not(None)).order_by(_login).limit(1)
    for question in (hashes.where(_login >= login), hashes):
        found: str | None = connection.execute(question).scalar_one_or_none()
        if found is not None:
            return found
    return None


def refusal_of(connection: Connection, login: str, now: float) -> Refusal | None:
    """Why the account of exactly this login may not send at all; None where nothing forbids it."""
    row = _find(connection, login)
    if row is None:
        return None
    account = _account(row)
    if account.suspended_reason is not None and account.is_suspended(now):
        return Refusal(account.suspended_reason, account.suspended_until)
    return None if account.enabled else Refusal("This account is disabled", None)


def scope_of(connection: Connection, login: str) -> str:
    """The stored scope of the account of exactly this login; "" where there is none."""
    found = connection.execute(select(schema.accounts.c.scope).where(_login == login))
    return found.scalar_one_or_none() or ""


_login = schema.accounts.c.login
_HIDDEN = ("id", "domain", "password_hash", "origin")
_SELECT = select(*(column for column in schema.accounts.c if column.name not in _HIDDEN))


def _find(connection: Connection, login: str) -> Row[tuple[object, ...]] | None:
    return connection.execute(_SELECT.where(_login == login)).one_or_none()


def _get(connection: Connection, login: str) -> Account:
    row = _find(connection, login)
    if row is None:
        raise unknown_in(connection, "account", login, _login)
    return _account(row)


def _account(row: Row[tuple[object, ...]]) -> Account:
    return Account(**row._mapping)


def _stored_password(password: str | None, password_hash: str | None) -> str | None:
    if password is not None and password_hash is not None:
        raise DirectoryError("give a password or a hash of it, not both")
    if password is not None:
        return hash_password(password)
    if password_hash is not None:
        check_hash(password_hash)
    return password_hash
