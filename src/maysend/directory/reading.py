"""What ownership asks, answered from one transaction."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import BindParameter, Connection, and_, bindparam, or_, select

from maysend.directory.addresses import storable
from maysend.directory.ownership import AliasTarget, Holder
from maysend.directory.schema import accounts, aliases, grants

_CHUNK = 400
"""Names in one statement: databases bound the number of parameters."""

_NAMES: BindParameter[Any] = bindparam("names", expanding=True)

_may_act = and_(accounts.c.enabled, accounts.c.suspended_reason.is_(None))

_SELECT_ACCOUNTS = select(accounts.c.login, _may_act.label("may_act")).where(
    accounts.c.login.in_(_NAMES)
)
_SELECT_ALIASES = (
    select(aliases.c.address, aliases.c.target, aliases.c.send, aliases.c.receive)
    .where(aliases.c.address.in_(_NAMES))
    .order_by(aliases.c.id)
)
_SELECT_HOLDERS = (
    select(accounts.c.login, grants.c.address, grants.c.expires)
    .join_from(grants, accounts)
    .where(
        grants.c.address.in_(_NAMES),
        grants.c.kind == bindparam("kind"),
        or_(grants.c.expires.is_(None), grants.c.expires > bindparam("now")),
        _may_act,
    )
)


class TransactionReader:
    """`ownership.Reader` over one read transaction; `now` is seconds since 1970.

    A transaction sees one state, so what it answered once is not asked again.
    """

    def __init__(self, connection: Connection, now: float) -> None:
        self._connection = connection
        self._now = now
        self._accounts: dict[str, bool | None] = {}
        self._aliases: dict[str, list[AliasTarget]] = {}

    def accounts(self, logins: Collection[str], /) -> Mapping[str, bool]:
        """Those of `logins` that are accounts, and whether each may act."""
        known = self._accounts
        for names in _chunks([login for login in logins if login not in known]):
            known.update(dict.fromkeys(names))
            for row in self._connection.execute(_SELECT_ACCOUNTS, {"names": names}):
                known[row.login] = bool(row.may_act)
        found = ((login, known.get(login)) for login in logins)
        return {login: may_act for login, may_act in found if may_act is not None}

    def aliases(self, addresses: Collection[str], /) -> Mapping[str, Sequence[AliasTarget]]:
        """Those of `addresses` that are aliases, and where they lead, oldest first."""
        known = self._aliases
        for names in _chunks([address for address in addresses if address not in known]):
            known.update((name, []) for name in names)
            for row in self._connection.execute(_SELECT_ALIASES, {"names": names}):
                target = AliasTarget(row.target, bool(row.send), bool(row.receive))
                known[row.address].append(target)
        found = ((address, known.get(address)) for address in addresses)
        return {address: targets for address, targets in found if targets}

    def holders(self, addresses: Collection[str], /, kind: str = "as") -> Sequence[Holder]:
        """The accounts that may act and hold an unexpired grant of `kind` for any of
        `addresses`."""
        given = {"now": self._now, "kind": kind}
        return [
            Holder(row.login, row.address, row.expires)
            for names in _chunks(addresses)
            for row in self._connection.execute(_SELECT_HOLDERS, {"names": names, **given})
        ]


def _chunks(names: Collection[str]) -> Iterator[list[str]]:
    """`names` in bounded pieces, without those that no database could hold."""
    asked = [name for name in names if storable(name)]
    for start in range(0, len(asked), _CHUNK):
        yield asked[start : start + _CHUNK]
