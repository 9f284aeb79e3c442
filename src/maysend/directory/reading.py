"""What ownership asks, answered from one transaction."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Boolean,
    ColumnElement,
    Connection,
    Row,
    Select,
    Text,
    bindparam,
    cast,
    exists,
    literal_column,
    null,
    or_,
    select,
    union_all,
)

from maysend.directory.addresses import EVERYTHING, storable
from maysend.directory.database import READ_VERSION
from maysend.directory.domain_kinds import MANAGED
from maysend.directory.domains import kind_of
from maysend.directory.names import AliasTarget, Holder
from maysend.directory.patterns import PatternRow, PatternTable
from maysend.directory.schema import (
    accounts,
    aliases,
    domains,
    grants,
    lists,
    parameter,
    posters,
    version,
)

_CHUNK = 400
"""Names in one statement: databases bound the number of parameters."""

_NAMES: BindParameter[Any] = bindparam("names", expanding=True)

_TARGETS = (aliases.c.address, aliases.c.target, aliases.c.send, aliases.c.receive)

_ACCOUNT, _ALIAS, _GRANT, _DOMAIN, _VERSION = range(5)


def _part(
    what: int,
    name: ColumnElement[Any],
    first: ColumnElement[Any] | None = None,
    second: ColumnElement[Any] | None = None,
    until: ColumnElement[Any] | None = None,
    text: ColumnElement[Any] | None = None,
    kind: ColumnElement[Any] | None = None,
    expires: ColumnElement[Any] | None = None,
    place: ColumnElement[Any] | None = None,
) -> Select[Any]:
    """One kind of row of a reading: PostgreSQL wants the type of each column, also where empty."""
    return select(
        literal_column(str(what)).label("what"),
        cast(name, Text).label("name"),
        (cast(null(), Boolean) if first is None else first).label("first"),
        (cast(null(), Boolean) if second is None else second).label("second"),
        cast(null() if until is None else until, BigInteger).label("until"),
        cast(null() if text is None else text, Text).label("text"),
        cast(null() if kind is None else kind, Text).label("kind"),
        cast(null() if expires is None else expires, BigInteger).label("expires"),
        cast(literal_column("0") if place is None else place, BigInteger).label("place"),
    )


_SUSPENDED = accounts.c.suspended_reason.is_not(None)

# All in one statement, because a database on another host takes a round trip for each.
_SELECT_NAMED = union_all(
    _part(
        _ACCOUNT, accounts.c.login, accounts.c.enabled, _SUSPENDED, accounts.c.suspended_until
    ).where(accounts.c.login.in_(_NAMES)),
    _part(
        _ALIAS,
        aliases.c.address,
        aliases.c.send,
        aliases.c.receive,
        text=aliases.c.target,
        place=aliases.c.id,
    ).where(aliases.c.address.in_(_NAMES)),
    _part(
        _GRANT,
        grants.c.address,
        accounts.c.enabled,
        _SUSPENDED,
        accounts.c.suspended_until,
        accounts.c.login,
        grants.c.kind,
        grants.c.expires,
    )
    .join_from(grants, accounts)
    .where(
        grants.c.address.in_(_NAMES),
        or_(grants.c.expires.is_(None), grants.c.expires > parameter("now")),
    ),
    _part(_DOMAIN, domains.c.domain, text=domains.c.kind).where(
        domains.c.domain == parameter("domain")
    ),
    _part(_DOMAIN, parameter("domain"), text=literal_column("''")).where(
        exists().where(accounts.c.domain == parameter("domain"))
    ),
    _part(_VERSION, literal_column("''"), place=version.c.number),
).order_by("place")
_SELECT_PATTERNS = select(*_TARGETS).where(aliases.c.pattern).order_by(aliases.c.id)
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


class _Granted(NamedTuple):
    """A grant for some address, and how its account stands."""

    login: str
    kind: str
    expires: int | None
    enabled: bool
    suspended: bool
    suspended_until: int | None


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
        self._grants: dict[str, list[_Granted]] = {}
        self._kinds: dict[str, str] = {}
        self._version: int | None = None

    @property
    def version(self) -> int:
        """The directory's version number in this transaction."""
        if self._version is None:
            self._version = int(self.connection.execute(READ_VERSION).scalar_one())
        return self._version

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

    def holders(self, addresses: Collection[str], /, kind: str = "as") -> Sequence[Holder]:
        """The accounts that may act and hold an unexpired grant of `kind` for any of
        `addresses`."""
        self._read(addresses)
        held = []
        for address in addresses:
            for grant in self._grants.get(address, ()):
                if grant.kind != kind:
                    continue
                self._note_end(grant.expires)
                if self._may_act(grant.enabled, grant.suspended, grant.suspended_until):
                    held.append(Holder(grant.login, address, grant.expires))
        return held

    def _read(self, names: Collection[str]) -> None:
        """Learn what `names` are, where that is not known yet: accounts, aliases, granted."""
        if not any(name not in self._known for name in names):
            return
        # Grants for everything are asked of every address: they come with the first question.
        wanted = (*(name for name in names if name not in self._known), EVERYTHING)
        domain = next((name.rpartition("@")[2] for name in names if "@" in name), "")
        if domain in self._kinds or not storable(domain):
            domain = ""
        for asked in _chunks([name for name in wanted if name not in self._known]):
            given = {"names": asked, "now": self._now, "domain": domain}
            rows = self.connection.execute(_SELECT_NAMED, given).all()
            self._known.update(asked)
            for row in rows:
                self._learn(row)
            if domain:
                self._kinds.setdefault(domain, "")
        self._known.update(names)

    def _learn(self, row: Row[*tuple[Any, ...]]) -> None:
        if row.what == _ACCOUNT:
            self._accounts[row.name] = self._may_act(row.first, row.second, row.until)
        elif row.what == _ALIAS:
            target = AliasTarget(row.text, bool(row.first), bool(row.second))
            self._aliases.setdefault(row.name, []).append(target)
        elif row.what == _GRANT:
            standing = (bool(row.first), bool(row.second), row.until)
            granted = _Granted(row.text, row.kind, row.expires, *standing)
            self._grants.setdefault(row.name, []).append(granted)
        elif row.what == _DOMAIN:
            # What is registered counts, whatever accounts are in it.
            self._kinds[row.name] = row.text or self._kinds.get(row.name) or MANAGED
        else:
            self._version = int(row.place)

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
