"""What ownership asks, answered from one transaction."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Connection,
    Row,
    bindparam,
    cast,
    literal,
    null,
    or_,
    select,
    union_all,
)

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
_TARGETS = (aliases.c.address, aliases.c.target, aliases.c.send, aliases.c.receive)

# Both in one statement, because a database on another host takes a round trip for each.
_SELECT_NAMED = union_all(
    select(
        accounts.c.login.label("name"),
        accounts.c.enabled.label("first"),
        accounts.c.suspended_reason.is_not(None).label("second"),
        accounts.c.suspended_until.label("suspended_until"),
        null().label("target"),
        literal(0).label("place"),
    ).where(accounts.c.login.in_(_NAMES)),
    select(
        aliases.c.address,
        aliases.c.send,
        aliases.c.receive,
        cast(null(), BigInteger),
        aliases.c.target,
        aliases.c.id,
    ).where(aliases.c.address.in_(_NAMES)),
).order_by("place")
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
        self._known: set[str] = set()
        self._accounts: dict[str, bool] = {}
        self._aliases: dict[str, list[AliasTarget]] = {}
        self._kinds: dict[str, str] = {}

    def accounts(self, logins: Collection[str], /) -> Mapping[str, bool]:
        """Those of `logins` that are accounts, and whether each may act."""
        self._read(logins)
        known = self._accounts
        return {login: known[login] for login in logins if login in known}

    def aliases(self, addresses: Collection[str], /) -> Mapping[str, Sequence[AliasTarget]]:
        """Those of `addresses` that are aliases, and where they lead, oldest first."""
        self._read(addresses)
        known = self._aliases
        return {address: known[address] for address in addresses if address in known}

    def _read(self, names: Collection[str]) -> None:
        """Learn which of `names` are accounts and aliases, where that is not known yet."""
        for asked in _chunks([name for name in names if name not in self._known]):
            self._known.update(asked)
            for row in self.connection.execute(_SELECT_NAMED, {"names": asked}):
                if row.target is None:
                    may_act = self._may_act(row.first, row.second, row.suspended_until)
                    self._accounts[row.name] = may_act
                else:
                    target = AliasTarget(row.target, bool(row.first), bool(row.second))
                    self._aliases.setdefault(row.name, []).append(target)

    def holders(self, addresses: Collection[str], /, kind: str = "as") -> Sequence[Holder]:
        """The accounts that may act and hold an unexpired grant of `kind` for any of
        `addresses`."""
        given = {"now": self._now, "kind": kind}
        held = []
        for names in _chunks(addresses):
            for row in self.connection.execute(_SELECT_HOLDERS, {"names": names, **given}):
                self._note_end(row.expires)
                if self._may_act(row.enabled, row.suspended, row.suspended_until):
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

    def _may_act(self, enabled: object, suspended: object, until: int | None) -> bool:
        if suspended and (until is None or until > self._now):
            self._note_end(until)
            return False
        return bool(enabled)

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
