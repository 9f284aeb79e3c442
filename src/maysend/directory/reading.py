"""What ownership asks, answered from one transaction."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import BindParameter, Connection, Row, bindparam, or_, select

from maysend.directory.addresses import storable
from maysend.directory.domains import kind_of
from maysend.directory.names import AliasTarget, Holder
from maysend.directory.patterns import PatternRow, PatternTable
from maysend.directory.schema import accounts, aliases, grants, lists, posters

_CHUNK = 400
"""Names in one statement: databases bound the number of parameters."""

_NAMES: BindParameter[Any] = bindparam("names", expanding=True)

_STANDING = (
    accounts.c.login,
    accounts.c.enabled,
    accounts.c.suspended_reason.is_not(None).label("suspended"),
    accounts.c.suspended_until,
)
_SELECT_ACCOUNTS = select(*_STANDING).where(accounts.c.login.in_(_NAMES))
_TARGETS = (aliases.c.address, aliases.c.target, aliases.c.send, aliases.c.receive)
_SELECT_ALIASES = select(*_TARGETS).where(aliases.c.address.in_(_NAMES)).order_by(aliases.c.id)
_SELECT_PATTERNS = select(*_TARGETS).where(aliases.c.pattern).order_by(aliases.c.id)
_SELECT_HOLDERS = (
    select(*_STANDING, grants.c.address, grants.c.expires)
    .join_from(grants, accounts)
    .where(
        grants.c.address.in_(_NAMES),
        grants.c.kind == bindparam("kind"),
        or_(grants.c.expires.is_(None), grants.c.expires > bindparam("now")),
    )
)
_SELECT_POSTERS = (
    select(lists.c.address, posters.c.poster)
    .join_from(lists, posters, isouter=True)
    .where(lists.c.address.in_(_NAMES))
    .order_by(posters.c.id)
)


class Patterns:
    """The compiled patterns, kept for as long as they stay what they are."""

    def __init__(self) -> None:
        self._table = PatternTable(())

    def of(self, rows: Sequence[PatternRow]) -> PatternTable:
        """The table of `rows`."""
        table = self._table
        if table.rows != tuple(rows):
            table = self._table = PatternTable(rows)
        return table


class TransactionReader:
    """`names.Reader` over one read transaction; `now` is seconds since 1970.

    A transaction sees one state, so what it answered once is not asked again. `until` is when the
    first suspension or grant that was met runs out: nothing answered is good for longer.
    """

    def __init__(
        self, connection: Connection, now: float, patterns: Patterns | None = None
    ) -> None:
        self.until: float | None = None
        self.connection = connection
        self._now = now
        self._patterns = patterns or Patterns()
        self._pattern_table: PatternTable | None = None
        self._accounts: dict[str, bool | None] = {}
        self._aliases: dict[str, list[AliasTarget]] = {}
        self._kinds: dict[str, str] = {}

    def accounts(self, logins: Collection[str], /) -> Mapping[str, bool]:
        """Those of `logins` that are accounts, and whether each may act."""
        known = self._accounts
        for names in _chunks([login for login in logins if login not in known]):
            known.update(dict.fromkeys(names))
            for row in self.connection.execute(_SELECT_ACCOUNTS, {"names": names}):
                known[row.login] = self._may_act(row)
        found = ((login, known.get(login)) for login in logins)
        return {login: may_act for login, may_act in found if may_act is not None}

    def aliases(self, addresses: Collection[str], /) -> Mapping[str, Sequence[AliasTarget]]:
        """Those of `addresses` that are aliases, and where they lead, oldest first."""
        known = self._aliases
        for names in _chunks([address for address in addresses if address not in known]):
            known.update((name, []) for name in names)
            for row in self.connection.execute(_SELECT_ALIASES, {"names": names}):
                known[row.address].append(_target(row))
        found = ((address, known.get(address)) for address in addresses)
        return {address: targets for address, targets in found if targets}

    def holders(self, addresses: Collection[str], /, kind: str = "as") -> Sequence[Holder]:
        """The accounts that may act and hold an unexpired grant of `kind` for any of
        `addresses`."""
        given = {"now": self._now, "kind": kind}
        held = []
        for names in _chunks(addresses):
            for row in self.connection.execute(_SELECT_HOLDERS, {"names": names, **given}):
                self._note_end(row.expires)
                if self._may_act(row):
                    held.append(Holder(row.login, row.address, row.expires))
        return held

    def matching(self, address: str, /) -> Sequence[AliasTarget]:
        """Where the first pattern that `address` matches leads."""
        if self._pattern_table is None:
            rows = self.connection.execute(_SELECT_PATTERNS)
            self._pattern_table = self._patterns.of(
                [PatternRow(row.address, _target(row)) for row in rows]
            )
        return self._pattern_table.matching(address)

    def domain_kind(self, domain: str, /) -> str:
        """One of `domain_kinds.KINDS`, "" for a domain that is none of ours."""
        kind = self._kinds.get(domain)
        if kind is None:
            kind = self._kinds[domain] = kind_of(self.connection, domain)
        return kind

    def posters(self, addresses: Collection[str], /) -> Mapping[str, Sequence[str]]:
        """Those of `addresses` that are protected lists, and who may write to each."""
        found: dict[str, list[str]] = {}
        for names in _chunks(addresses):
            for row in self.connection.execute(_SELECT_POSTERS, {"names": names}):
                here = found.setdefault(row.address, [])
                if row.poster is not None:
                    here.append(row.poster)
        return found

    def _may_act(self, row: Row[*tuple[Any, ...]]) -> bool:
        if not row.suspended:
            return bool(row.enabled)
        until = row.suspended_until
        if until is None or until > self._now:
            self._note_end(until)
            return False
        return bool(row.enabled)

    def _note_end(self, moment: int | None) -> None:
        if moment is not None and (self.until is None or moment < self.until):
            self.until = moment


def _target(row: Row[*tuple[Any, ...]]) -> AliasTarget:
    return AliasTarget(row.target, bool(row.send), bool(row.receive))


def _chunks(names: Collection[str]) -> Iterator[list[str]]:
    """`names` in bounded pieces, without those that no database could hold."""
    asked = [name for name in names if storable(name)]
    for start in range(0, len(asked), _CHUNK):
        yield asked[start : start + _CHUNK]
