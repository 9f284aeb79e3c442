"""directory:NAME: the directory as lookup tables.

    smtpd_sender_login_maps = directory:owners
    check_sasl_access directory:suspended

Names:

- `owners`: a sender address → the logins that may use it, joined by ",".
- `local_owners`: the same for addresses in managed domains, and nothing for any other. For a port
  that takes strangers' mail: with `owners`, a grant for everything would make every sender in the
  world somebody's, and strangers be refused as "not logged in".
- `on_behalf`: an address → the logins that may write From: that address beside a Sender: of their
  own, for smtpd_on_behalf_login_maps.
- `accounts`: an address, with or without extension → the login of its account.
- `aliases`: an address → the addresses that its mail goes to, joined by ", " (virtual(5)).
- `domains`: a managed domain → "managed".
- `suspended`: a login, in any spelling → "REJECT reason" where it is suspended or disabled.

All are asked whole keys only, as pattern tables (access(5)): extension (main.cf's
recipient_delimiter), catch-all and grants are found by the table itself, so that a Postfix that
asks by socketmap gets the same answer. A key in any spelling means the same.

Errors: a database that can't be asked is a temporary failure ("retry"), never "not found". An
alias that leads too far is a failure that somebody has to mend ("config").

Source: none in Postfix; the rules are those of maysend.directory.ownership.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import msgspec
from sqlalchemy import Connection

from maysend.directory import ownership
from maysend.directory.accounts import refusal_of
from maysend.directory.addresses import comparable, fold_domain
from maysend.directory.database import Database, State
from maysend.directory.domains import is_managed
from maysend.directory.errors import DirectoryError, DirectoryUnavailable
from maysend.directory.freshness import LONGEST_KEY, Answer, AnswerCache, VersionWatch
from maysend.directory.reading import TransactionReader
from maysend.tables.table import LookupTable, Opener, TableContext, TableError


class Question(msgspec.Struct, frozen=True):
    """One lookup, and the transaction that answers it."""

    key: str
    delimiters: str
    connection: Connection
    reader: TransactionReader


class Found(msgspec.Struct, frozen=True):
    """An answer; `until` is when it runs out (seconds since 1970)."""

    value: str | None
    until: float | None = None


Finder: TypeAlias = Callable[[Question], Found]


def _owners(asked: Question) -> Found:
    owners = ownership.owners(asked.reader, asked.key, asked.delimiters)
    return Found(",".join(owners.logins) or None, owners.until)


def _local_owners(asked: Question) -> Found:
    _, at, domain = comparable(asked.key).rpartition("@")
    return _owners(asked) if at and is_managed(asked.connection, domain) else Found(None)


def _on_behalf(asked: Question) -> Found:
    holders = ownership.on_behalf(asked.reader, asked.key, asked.delimiters)
    return Found(",".join(holders.logins) or None, holders.until)


def _accounts(asked: Question) -> Found:
    return Found(ownership.mailbox(asked.reader, asked.key, asked.delimiters))


def _aliases(asked: Question) -> Found:
    targets = ownership.delivery_targets(asked.reader, asked.key, asked.delimiters)
    return Found(", ".join(targets) or None)


def _domains(asked: Question) -> Found:
    managed = is_managed(asked.connection, fold_domain(asked.key))
    return Found("managed" if managed else None)


def _suspended(asked: Question) -> Found:
    login = ownership.account_behind(asked.reader, asked.key)
    reason = refusal_of(asked.connection, login) if login is not None else None
    return Found(f"REJECT {reason}" if reason is not None else None)


FINDERS: dict[str, Finder] = {
    "owners": _owners,
    "local_owners": _local_owners,
    "on_behalf": _on_behalf,
    "accounts": _accounts,
    "aliases": _aliases,
    "domains": _domains,
    "suspended": _suspended,
}
"""What may follow `directory:`."""


class Answers:
    """What all tables of one directory share: the version watch and the answers kept."""

    def __init__(
        self, database: Database, clock: Callable[[], float], now: Callable[[], float]
    ) -> None:
        self._database = database
        self._now = now
        self._watch = VersionWatch(self._read_state, clock)
        self._cache: AnswerCache[str | None] = AnswerCache()

    def answer(self, name: str, delimiters: str, key: str) -> str | None:
        """What the table `name` says of `key`. DirectoryError where that is unknown."""
        state, now = self._watch.state(), self._now()
        place = (name, delimiters, key)
        kept = self._cache.get(place, state, now)
        if kept is None:
            kept = self._ask(name, delimiters, key, now)
            if len(key) <= LONGEST_KEY:
                self._cache.put(place, kept)
        return kept.value

    def _ask(self, name: str, delimiters: str, key: str, now: float) -> Answer[str | None]:
        # The state's number and all that is read are of one state: they are one transaction.
        with self._database.reading() as connection:
            state = self._database.state(connection)
            reader = TransactionReader(connection, now)
            found = FINDERS[name](Question(key, delimiters, connection, reader))
        return Answer(found.value, state, found.until)

    def _read_state(self) -> State:
        self._database.follow_file()
        with self._database.reading() as connection:
            return self._database.state(connection)


class DirectoryTable:
    """One `directory:NAME` table; see the module's description."""

    pattern = True
    blocking = False

    def __init__(self, name: str, delimiters: str, answers: Answers) -> None:
        self.spec = f"directory:{name}"
        self._name = name
        self._delimiters = delimiters
        self._answers = answers

    def lookup(self, key: str, /) -> str | None:
        """The answer for `key`, None where there is none; TableError where that is unknown."""
        try:
            return self._answers.answer(self._name, self._delimiters, key)
        except DirectoryUnavailable as error:
            raise TableError(self.spec, str(error), "retry") from None
        except DirectoryError as error:
            raise TableError(self.spec, str(error), "config") from None


def table_types(answers: Answers) -> Mapping[str, Opener]:
    """The table type `directory`, over `answers`."""

    def open_directory_table(name: str, context: TableContext) -> LookupTable:
        if name not in FINDERS:
            known = ", ".join(FINDERS)
            raise TableError(
                f"directory:{name}", f"no such table, expected one of {known}", "config"
            )
        delimiters = context.parameters.get("recipient_delimiter", "")
        return DirectoryTable(name, delimiters, answers)

    return {"directory": open_directory_table}
