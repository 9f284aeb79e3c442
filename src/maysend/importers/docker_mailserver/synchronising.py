"""Making the directory hold what the files ask for: whole or not at all, and again and again.

Only rows that an import wrote are changed or removed; what a person wrote by hand stays, and comes
first where both name the same.
"""

import msgspec
from sqlalchemy import Connection, Table, select

from maysend.directory import Directory, DirectoryError, schema
from maysend.directory.addresses import parse_domain
from maysend.directory.domain_kinds import LOCAL
from maysend.importers.docker_mailserver.wanted import ORIGIN, Wanted

SUSPENDED = "You may not send mail"
"""The reason that users are shown: the files give none."""


class Outcome(msgspec.Struct):
    """What an import changed, in words: "+account bob@example.com"."""

    changes: list[str] = []


def synchronise(directory: Directory, wanted: Wanted, *, may_remove_all: bool = True) -> Outcome:
    """Make the directory hold `wanted`. Writes nothing where it does already.

    DirectoryError where the accounts file is gone but its accounts are not: a folder that is not
    mounted must not remove everybody. The same for one without accounts, unless `may_remove_all`.
    """
    with directory.reader() as reader:
        if not _Difference(reader.connection, wanted).exists:
            return Outcome()
    with directory.together(ORIGIN) as connection:
        difference = _Difference(connection, wanted)
        if not wanted.has_accounts_file and difference.old_accounts:
            raise DirectoryError(
                f"postfix-accounts.cf is gone, {len(difference.old_accounts)} accounts came from "
                "it: nothing was changed; an empty file would remove them"
            )
        if not wanted.accounts and difference.old_accounts and not may_remove_all:
            raise DirectoryError(
                f"postfix-accounts.cf has no accounts any more, {len(difference.old_accounts)} "
                "came from it: nothing was changed; `maysend import docker-mailserver` without "
                "--follow removes them"
            )
        return _Applying(directory, wanted, difference).done()


class _Difference:
    """What the directory holds of earlier imports, and of hand-made rows that are in the way."""

    def __init__(self, connection: Connection, wanted: Wanted) -> None:
        self._connection = connection
        accounts = schema.accounts
        rows = connection.execute(
            select(accounts.c.login, accounts.c.password_hash, accounts.c.origin,
                   accounts.c.suspended_reason, accounts.c.suspended_by)
        ).all()  # fmt: skip
        self.old_accounts = {r.login: r.password_hash for r in rows if r.origin == ORIGIN}
        self.by_hand = {r.login for r in rows if r.origin != ORIGIN}
        self.old_suspended = {
            r.login for r in rows if r.suspended_reason is not None and r.suspended_by == ORIGIN
        }
        self.suspended = {r.login for r in rows if r.suspended_reason is not None}
        self.accounts = {k: v for k, v in wanted.accounts.items() if k not in self.by_hand}
        aliases = schema.aliases
        found = connection.execute(select(aliases.c.address, aliases.c.target, aliases.c.origin))
        self.old_aliases: set[tuple[str, str]] = set()
        kept: set[tuple[str, str]] = set()
        for address, target, origin in found:
            (self.old_aliases if origin == ORIGIN else kept).add((address, target))
        pairs = [(a, t) for a, targets in wanted.aliases.items() for t in targets]
        self.aliases = [pair for pair in pairs if pair not in kept]
        self.old_senders, hand_senders = self._split(schema.suspensions, "subject")
        self.senders = wanted.suspended_senders - hand_senders
        self.old_closed, hand_closed = self._split(schema.lists, "address")
        self.closed = wanted.closed - hand_closed
        self.old_domains, hand_domains = self._split(schema.domains, "domain")
        self.domains = {parse_domain(d) for d in wanted.local_domains} - hand_domains
        known = self.accounts.keys() | self.by_hand
        self.logins = {login for login in wanted.suspended_logins if login in known}

    @property
    def exists(self) -> bool:
        """Whether anything is to be changed."""
        return (
            self.old_accounts != self.accounts
            or self.old_aliases != set(self.aliases)
            or self.old_senders != self.senders
            or self.old_closed != self.closed
            or self.old_domains != self.domains
            or bool(self.old_suspended - self.logins)
            or bool(self.logins - self.suspended)
        )

    def _split(self, table: Table, column: str) -> tuple[set[str], set[str]]:
        """The names that an import wrote, and those that a person did."""
        rows = self._connection.execute(select(table.c[column], table.c.origin)).all()
        return (
            {row[0] for row in rows if row[1] == ORIGIN},
            {row[0] for row in rows if row[1] != ORIGIN},
        )


class _Applying:
    """The changes, inside one transaction: first what goes, then what comes."""

    def __init__(self, directory: Directory, wanted: Wanted, difference: _Difference) -> None:
        self._directory = directory
        self._wanted = wanted
        self._difference = difference
        self._outcome = Outcome()

    def done(self) -> Outcome:
        """Make every change."""
        self._aliases_that_go()
        self._accounts()
        self._aliases_that_come()
        self._suspensions()
        self._lists_and_domains()
        return self._outcome

    def _note(self, text: str) -> None:
        self._outcome.changes.append(text)

    def _aliases_that_go(self) -> None:
        for address, target in sorted(self._difference.old_aliases - set(self._difference.aliases)):
            self._directory.aliases.remove(address, [target])
            self._note(f"-alias {address} -> {target}")

    def _accounts(self) -> None:
        old, new = self._difference.old_accounts, self._difference.accounts
        for login in sorted(old.keys() - new.keys()):
            self._directory.accounts.remove(login)
            self._note(f"-account {login}")
        for login, stored in new.items():
            try:
                if login not in old:
                    self._directory.accounts.add(login, password_hash=stored)
                    self._note(f"+account {login}")
                elif old[login] != stored:
                    self._directory.accounts.set_password(login, password_hash=stored)
                    self._note(f"~password of {login}")
            except DirectoryError as error:
                self._wanted.remark("postfix-accounts.cf", 0, "skipped", f"{login}: {error}")

    def _aliases_that_come(self) -> None:
        coming = [p for p in self._difference.aliases if p not in self._difference.old_aliases]
        # A name without a domain must be there before another alias leads to it.
        coming.sort(key=lambda pair: pair[0] not in self._wanted.local_names)
        for address, target in _leading_last(coming, self._wanted.local_names):
            try:
                is_local = address in self._wanted.local_names
                self._directory.aliases.add(address, [target], local=is_local)
            except DirectoryError as error:
                self._wanted.remark("aliases", 0, "skipped", f"{address}: {error}")
                continue
            self._note(f"+alias {address} -> {target}")

    def _suspensions(self) -> None:
        difference = self._difference
        for login in sorted(difference.old_suspended - difference.logins):
            if login in difference.accounts or login in difference.by_hand:
                self._directory.accounts.resume(login)
                self._note(f"-suspension of {login}")
        for login in sorted(difference.logins - difference.suspended):
            if self._directory.accounts.find(login) is None:
                continue  # its line could not be read
            self._directory.accounts.suspend(login, SUSPENDED)
            self._note(f"+suspension of {login}")
        for subject in sorted(difference.old_senders - difference.senders):
            self._directory.suspensions.remove(subject)
            self._note(f"-suspension of {subject}")
        for subject in sorted(difference.senders - difference.old_senders):
            self._directory.suspensions.add(subject, SUSPENDED)
            self._note(f"+suspension of {subject}")

    def _lists_and_domains(self) -> None:
        difference = self._difference
        for address in sorted(difference.old_closed - difference.closed):
            self._directory.lists.remove(address)
            self._note(f"-closed {address}")
        for address in sorted(difference.closed - difference.old_closed):
            self._directory.lists.add(address)
            self._note(f"+closed {address}")
        for domain in sorted(difference.old_domains - difference.domains):
            self._directory.domains.remove(domain)
            self._note(f"-domain {domain}")
        for domain in sorted(difference.domains - difference.old_domains):
            self._directory.domains.add(domain, LOCAL)
            self._note(f"+domain {domain}")


def _leading_last(pairs: list[tuple[str, str]], local: set[str]) -> list[tuple[str, str]]:
    """`pairs`, those that lead to another local name last."""
    return sorted(pairs, key=lambda pair: pair[1] in local)
