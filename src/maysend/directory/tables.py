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
- `domains`: a managed domain, or an address in one → "managed", or "local" (see
  `maysend domain`). Nothing for a send-only or excluded domain, whatever accounts are in it.
- `posters`: a recipient → who may write to it, where it is a protected list or leads to one, for
  smtpd_recipient_login_maps: logins, `@domain`, `*` for every login; `<nobody>` for a closed list.
- `scopes`: a login, in any spelling → the domains that it may write to, for
  smtpd_recipient_scope_maps. Nothing where it may write anywhere.
- `suspended`: a login, in any spelling → "REJECT reason" where it is suspended or disabled.
- `suspended_senders`: an address → "REJECT reason" where it or its domain is suspended.
- `suspended_clients`: an IP address → "REJECT reason" where it is in a suspended network.

All are asked whole keys only, as pattern tables (access(5)): extension (main.cf's
recipient_delimiter), catch-all and grants are found by the table itself, so that a Postfix that
asks by socketmap gets the same answer. A key in any spelling means the same.

Errors: a database that can't be asked is a temporary failure ("retry"), never "not found". An
alias that leads too far is a failure that somebody has to mend ("config").

Source: none in Postfix; the rules are those of maysend.directory.ownership and
maysend.directory.posting.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import msgspec
from sqlalchemy import Connection

from maysend.directory import ownership, posting
from maysend.directory.accounts import refusal_of, scope_of
from maysend.directory.addresses import comparable, fold_domain
from maysend.directory.answer_cache import Answer
from maysend.directory.answers import Answers, DirectoryTable
from maysend.directory.database import Database
from maysend.directory.domain_kinds import is_ours
from maysend.directory.freshness import PolledVersion, VersionWatch
from maysend.directory.reading import Patterns, TransactionReader
from maysend.directory.scopes import scope_answer
from maysend.directory.suspensions import Refusal, suspended_client, suspended_sender
from maysend.tables.table import LookupTable, Opener, TableContext, TableError


class Question(msgspec.Struct, frozen=True):
    """One lookup, and the transaction that answers it; `now` is seconds since 1970."""

    key: str
    delimiters: str
    now: float
    connection: Connection
    reader: TransactionReader


class Found(msgspec.Struct, frozen=True):
    """An answer; `until` is when it runs out at the latest (seconds since 1970)."""

    value: str | None
    until: float | None = None


Finder: TypeAlias = Callable[[Question], Found]


def _owners(asked: Question) -> Found:
    owners = ownership.owners(asked.reader, asked.key, asked.delimiters)
    return Found(",".join(owners.logins) or None)


def _local_owners(asked: Question) -> Found:
    _, at, domain = comparable(asked.key).rpartition("@")
    return _owners(asked) if at and is_ours(asked.reader.domain_kind(domain)) else Found(None)


def _on_behalf(asked: Question) -> Found:
    holders = ownership.on_behalf(asked.reader, asked.key, asked.delimiters)
    return Found(",".join(holders.logins) or None)


def _accounts(asked: Question) -> Found:
    return Found(ownership.mailbox(asked.reader, asked.key, asked.delimiters))


def _aliases(asked: Question) -> Found:
    targets = ownership.delivery_targets(asked.reader, asked.key, asked.delimiters)
    return Found(", ".join(targets) or None)


def _domains(asked: Question) -> Found:
    kind = asked.reader.domain_kind(fold_domain(asked.key.rpartition("@")[2]))
    return Found(kind if is_ours(kind) else None)


def _posters(asked: Question) -> Found:
    answer = posting.posters(asked.reader, asked.key, asked.delimiters)
    if answer is None:
        return Found(None)
    return Found(",".join(answer) or posting.NOBODY)


def _scopes(asked: Question) -> Found:
    login = ownership.account_behind(asked.reader, asked.key)
    return Found(scope_answer(scope_of(asked.connection, login)) if login is not None else None)


def _suspended(asked: Question) -> Found:
    login = ownership.account_behind(asked.reader, asked.key)
    if login is None:
        return Found(None)
    return _rejection(refusal_of(asked.connection, login, asked.now))


def _suspended_senders(asked: Question) -> Found:
    refusal = suspended_sender(asked.connection, asked.key, asked.delimiters, asked.now)
    return _rejection(refusal)


def _suspended_clients(asked: Question) -> Found:
    return _rejection(suspended_client(asked.connection, asked.key, asked.now))


def _rejection(refusal: Refusal | None) -> Found:
    if refusal is None:
        return Found(None)
    return Found(f"REJECT {refusal.reason}", refusal.until)


FINDERS: dict[str, Finder] = {
    "owners": _owners,
    "local_owners": _local_owners,
    "on_behalf": _on_behalf,
    "accounts": _accounts,
    "aliases": _aliases,
    "domains": _domains,
    "posters": _posters,
    "scopes": _scopes,
    "suspended": _suspended,
    "suspended_senders": _suspended_senders,
    "suspended_clients": _suspended_clients,
}
"""What may follow `directory:`."""


def answers_of(database: Database, clock: Callable[[], float], now: Callable[[], float]) -> Answers:
    """The answers of one database; `clock` never goes back, `now` is seconds since 1970."""
    patterns = Patterns()

    def find(name: str, delimiters: str, key: str, now: float) -> Answer:
        # The state's number and all that is read are of one state: they are one transaction.
        identity = database.identity  # before it is asked: it may be replaced meanwhile
        with database.answering() as connection:
            reader = TransactionReader(connection, now, patterns)
            found = FINDERS[name](Question(key, delimiters, now, connection, reader))
            state = (*identity, reader.version)
        ends = [moment for moment in (found.until, reader.until) if moment is not None]
        return Answer(found.value, state, min(ends, default=None))

    watch = PolledVersion if database.is_remote else VersionWatch
    watching = watch(database.read_state, clock)
    database.after_change = watching.forget
    return Answers(find, watching, now, may_wait=database.is_remote)


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
