"""The lists: protected recipients, and who may write to each (see `maysend.directory.posting`)."""

import difflib
from collections.abc import Callable, Iterable, Sequence

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from maysend.directory import schema
from maysend.directory.addresses import (
    check_line,
    parse_address,
    parse_alias_address,
    parse_login,
)
from maysend.directory.audit import Change, record
from maysend.directory.database import Database
from maysend.directory.errors import DirectoryError
from maysend.directory.grants import LONGEST_NOTE
from maysend.directory.posting import WORDS
from maysend.directory.suggest import unknown_in


class MailList(msgspec.Struct, frozen=True):
    """A protected recipient; without posters it is closed to everybody."""

    address: str
    posters: tuple[str, ...]
    note: str
    created: int


class Lists:
    """Add, list, remove. Every method raises DirectoryError with what was expected."""

    def __init__(self, database: Database, change: Callable[[], Change]) -> None:
        self._database = database
        self._change = change

    def add(self, address: str, posters: Sequence[str] = (), *, note: str = "") -> MailList:
        """Protect `address`: only `posters` may write to it, nobody where there are none.

        A poster is the login of an account, `@domain`, `members`, `users` or `everyone`.
        """
        name = parse_address(address)
        parsed = [_parse_poster(poster) for poster in posters]
        check_line("note", note, LONGEST_NOTE)
        change = self._change()
        with self._database.writing() as connection:
            if _find(connection, name) is not None:
                raise DirectoryError(
                    f"'{name}' is a list already; to let more write to it: "
                    f"maysend list update {name} --add-poster WHO"
                )
            connection.execute(
                insert(_lists).values(
                    address=name, note=note, created=change.at, origin=change.origin
                )
            )
            _add_posters(connection, name, parsed)
            record(connection, change, "list add", name, " ".join(parsed) or "closed")
            return _get(connection, name)

    def get(self, address: str) -> MailList:
        """The list of exactly this address."""
        name = parse_address(address)
        with self._database.reading() as connection:
            return _get(connection, name)

    def list(self) -> list[MailList]:
        """Every list, by address."""
        with self._database.reading() as connection:
            held: dict[str, list[str]] = {}
            rows = select(_lists.c.address, _posters.c.poster).join_from(_posters, _lists)
            for address, poster in connection.execute(rows.order_by(_posters.c.id)):
                held.setdefault(address, []).append(poster)
            return [
                MailList(row.address, tuple(held.get(row.address, ())), row.note, row.created)
                for row in connection.execute(select(_lists).order_by(_lists.c.address))
            ]

    def update(
        self,
        address: str,
        *,
        add: Sequence[str] = (),
        remove: Sequence[str] = (),
        note: str | None = None,
    ) -> MailList:
        """Let `add` write to the list and `remove` no longer."""
        name = parse_address(address)
        added = [_parse_poster(poster) for poster in add]
        removed = [_parse_poster(poster) for poster in remove]
        if note is not None:
            check_line("note", note, LONGEST_NOTE)
        change = self._change()
        with self._database.writing() as connection:
            here = _get(connection, name)
            for poster in removed:
                if poster not in here.posters:
                    may = ", ".join(here.posters) or "nobody"
                    raise DirectoryError(f"'{poster}' is no poster of '{name}', but {may}")
            found = _id_of(connection, name)
            connection.execute(
                delete(_posters).where(_posters.c.list_id == found, _posters.c.poster.in_(removed))
            )
            _add_posters(connection, name, [p for p in added if p not in here.posters])
            if note is not None:
                connection.execute(update(_lists).where(_lists.c.id == found).values(note=note))
            detail = [f"+{poster}" for poster in added] + [f"-{poster}" for poster in removed]
            record(connection, change, "list update", name, " ".join(detail))
            return _get(connection, name)

    def remove(self, address: str) -> MailList:
        """Stop protecting the address. Returns the list as it was."""
        name = parse_address(address)
        change = self._change()
        with self._database.writing() as connection:
            gone = _get(connection, name)
            connection.execute(delete(_lists).where(_lists.c.address == name))
            record(connection, change, "list remove", name, " ".join(gone.posters))
            return gone


_lists, _posters = schema.lists, schema.posters


def lists_posted_by(connection: Connection, login: str) -> tuple[str, ...]:
    """The lists that name exactly `login` as a poster."""
    rows = select(_lists.c.address).join_from(_posters, _lists).where(_posters.c.poster == login)
    return tuple(connection.execute(rows.order_by(_lists.c.address)).scalars())


def remove_poster(connection: Connection, login: str) -> None:
    """Take `login` from every list; one without posters left is closed."""
    connection.execute(delete(_posters).where(_posters.c.poster == login))


def _parse_poster(text: str) -> str:
    if text.lower() in WORDS:
        return text.lower()
    return parse_alias_address(text) if text.startswith("@") else parse_login(text)


def _add_posters(connection: Connection, address: str, posters: Iterable[str]) -> None:
    list_id = _id_of(connection, address)
    for poster in dict.fromkeys(posters):
        if poster not in WORDS and not poster.startswith("@"):
            _check_account_exists(connection, poster)
        connection.execute(insert(_posters).values(list_id=list_id, poster=poster))


def _check_account_exists(connection: Connection, login: str) -> None:
    column = schema.accounts.c.login
    if connection.execute(select(column).where(column == login)).one_or_none() is None:
        if "@" not in login and (meant := difflib.get_close_matches(login, WORDS, n=1)):
            raise DirectoryError(
                f"'{login}' is no account's login; did you mean '{meant[0]}'? A poster is LOGIN, "
                f"@DOMAIN, {', '.join(WORDS)}"
            )
        raise unknown_in(connection, "account", login, column)


def _id_of(connection: Connection, address: str) -> int:
    return int(
        connection.execute(select(_lists.c.id).where(_lists.c.address == address)).scalar_one()
    )


def _find(connection: Connection, address: str) -> MailList | None:
    row = connection.execute(select(_lists).where(_lists.c.address == address)).one_or_none()
    if row is None:
        return None
    held = select(_posters.c.poster).where(_posters.c.list_id == row.id).order_by(_posters.c.id)
    posters = tuple(connection.execute(held).scalars())
    return MailList(row.address, posters, row.note, row.created)


def _get(connection: Connection, address: str) -> MailList:
    found = _find(connection, address)
    if found is None:
        raise unknown_in(connection, "list", address, _lists.c.address)
    return found
