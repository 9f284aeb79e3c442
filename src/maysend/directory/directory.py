"""The directory: accounts, aliases, grants, lists and domains in one database."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from sqlalchemy import Connection

from maysend.directory import ownership
from maysend.directory.accounts import Accounts, Credential, find_credential, neighbours_hash
from maysend.directory.addresses import storable
from maysend.directory.aliases import Aliases
from maysend.directory.audit import AuditEntry, Change, read_trail
from maysend.directory.database import Database
from maysend.directory.domains import Domains
from maysend.directory.grants import Grants
from maysend.directory.lists import Lists
from maysend.directory.opening import open_database
from maysend.directory.passwords import verify_nobody, verify_password
from maysend.directory.reading import TransactionReader
from maysend.directory.suspensions import Suspensions
from maysend.directory.tables import answers_of, table_types
from maysend.tables.table import Opener


class Directory:
    """An open directory, for any number of threads. `Directory.open` makes one."""

    def __init__(
        self,
        database: Database,
        *,
        actor: str = "",
        source: str = "",
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._actor = actor
        self._source = source
        self._origin = ""
        self._now = now
        self._answers = answers_of(database, clock, now)
        self.accounts = Accounts(database, self._change)
        self.aliases = Aliases(database, self._change)
        self.grants = Grants(database, self._change)
        self.domains = Domains(database, self._change)
        self.lists = Lists(database, self._change)
        self.suspensions = Suspensions(database, self._change)

    @classmethod
    def open(
        cls,
        url: str | Path,
        *,
        create: bool = True,
        actor: str = "",
        source: str = "",
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> "Directory":
        """Open, and where need be create and migrate, the directory at `url`.

        `url` is "sqlite:///file", a file name or "postgresql://…"; `actor` and `source` are who
        and from where the audit trail names; `clock` counts seconds and never goes back; `now` is
        seconds since 1970. DirectoryError says what is wrong with the URL or the database.
        """
        database = open_database(url, create=create)
        return cls(database, actor=actor, source=source, clock=clock, now=now)

    @contextmanager
    def together(self, origin: str = "") -> Iterator[Connection]:
        """Make what this thread changes inside one change: all of it or nothing.

        `origin` says what it is made for, so that the same can find its own rows again.
        """
        before = self._origin
        try:
            with self._database.together() as connection:
                self._origin = origin
                yield connection
        finally:
            self._origin = before

    def authenticate(self, login: str, password: str, *, realm: str = "") -> str | None:
        """The canonical login where `password` is right and the account enabled, else None.

        An alias that leads to exactly one account logs in as that account. `realm` is the domain
        of a login without one that is no account by itself. A suspended account logs in: what it
        sends is refused with the reason, by check_sasl_access. An unknown login costs what a known
        one does. DirectoryUnavailable where the directory can't be asked.
        """
        credential = self.credential(login, realm=realm)
        if credential is None or credential.password_hash is None:
            verify_nobody(password, self._neighbours_hash(login))
            return None
        right = verify_password(password, credential.password_hash)
        return credential.login if right and credential.enabled else None

    def _neighbours_hash(self, login: str) -> str | None:
        if not storable(login):
            return None
        with self._database.reading() as connection:
            return neighbours_hash(connection, login)

    def credential(self, login: str, *, realm: str = "") -> Credential | None:
        """What `login` is checked against, for mechanisms that see no password (CRAM-MD5, SCRAM).

        Who uses it has to look at `enabled`. Names are understood as `authenticate` does.
        """
        with self._database.reading() as connection:
            reader = TransactionReader(connection, self._now())
            account = ownership.account_behind(reader, login)
            if account is None and realm and "@" not in login:
                account = ownership.account_behind(reader, f"{login}@{realm}")
            if account is None or not storable(account):
                return None
            return find_credential(connection, account)

    def objection(self, login: str) -> str | None:
        """Why the account of this login may send nothing at all, None where it may.

        Suspended, disabled, or removed; at most as old as the directory's tables are.
        DirectoryUnavailable where that is not known.
        """
        refusal = self._answers.of_table("suspended", "").answer(login)
        if refusal is not None:
            return refusal.removeprefix("REJECT ")
        known = self._answers.of_table("accounts", "").answer(login) is not None
        return None if known else "This account does not exist any more"

    def has_to_wait_for_objection(self, login: str) -> bool:
        """Whether `objection` would have to ask a database on another host."""
        return self._answers.may_wait and not all(
            self._answers.of_table(name, "").keeps(login) for name in ("suspended", "accounts")
        )

    def owners(self, address: str, delimiters: str = "") -> ownership.Owners:
        """Who may send as `address` just now; asked afresh, past every cache."""
        with self._database.reading() as connection:
            reader = TransactionReader(connection, self._now())
            return ownership.owners(reader, address, delimiters)

    def table_types(self) -> Mapping[str, Opener]:
        """The table type `directory`, for TableContext.extra_types."""
        return table_types(self._answers)

    def trail(
        self, *, about: str = "", who: str = "", since: int | None = None, most: int | None = None
    ) -> list[AuditEntry]:
        """The changes that were made, oldest first; arguments as for `audit.read_trail`."""
        return read_trail(self._database, about=about, who=who, since=since, most=most)

    def now(self) -> float:
        """The time that suspensions and grants are compared with, in seconds since 1970."""
        return self._now()

    @contextmanager
    def reader(self) -> Iterator[TransactionReader]:
        """What ownership and posting ask, from one state of the directory."""
        with self._database.reading() as connection:
            yield TransactionReader(connection, self._now())

    def close(self) -> None:
        """Let go of the database."""
        self._answers.close()
        self._database.close()

    def __enter__(self) -> "Directory":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _change(self) -> Change:
        return Change(self._actor, int(self._now()), self._source, self._origin)
