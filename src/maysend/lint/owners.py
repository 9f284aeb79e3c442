"""Whom each table of the login maps names as an owner, and who of them is never seen."""

from collections.abc import Iterator, Sequence

import msgspec

from maysend.address import fold
from maysend.policy import Policy
from maysend.restrictions.address_lookup import Key, find, owner_keys
from maysend.restrictions.evaluation import Evaluation
from maysend.restrictions.sender_login import split_owners
from maysend.tables import OpenedTable, TableError


class Shadowed(msgspec.Struct, frozen=True):
    """An owner of `address` by the table number `table`, hidden by the table number `by`."""

    address: str
    owner: str
    table: int
    by: int


class OwnerMaps:
    """The tables of smtpd_sender_login_maps, asked one by one."""

    def __init__(self, policy: Policy, tables: Sequence[OpenedTable]) -> None:
        self._tables = tables
        self._site = policy.site
        self._evaluation = Evaluation(policy.stages.rules, policy.session().dialogue)

    def shadowed(self, address: str) -> Iterator[Shadowed]:
        """The owners of the address that only a table names which is not asked."""
        resolution = self._evaluation.resolution_of(address)
        if resolution.failed:
            return
        ask = self._evaluation.lookup
        try:
            keys = list(owner_keys(self._site, ask, resolution.address))
        except TableError:
            return
        first = self._first_answer(keys)
        if first is None:
            return
        by, owners = first
        seen = set(map(fold, split_owners(owners)))
        for number, table in enumerate(self._tables):
            for owner in self._owners_alone(table, keys):
                if number != by and fold(owner) not in seen:
                    yield Shadowed(address, owner, number, by)

    def _first_answer(self, keys: Sequence[Key]) -> tuple[int, str] | None:
        """The number of the table that answers, and what it says; None where one fails."""
        for key in keys:
            for number, table in enumerate(self._tables):
                try:
                    answer = find(self._evaluation.lookup, (table,), key)
                except TableError:
                    return None
                if answer is not None:
                    return number, answer
        return None

    def _owners_alone(self, table: OpenedTable, keys: Sequence[Key]) -> Iterator[str]:
        """The owners that a table would name if it were the only one."""
        for key in keys:
            try:
                answer = find(self._evaluation.lookup, (table,), key)
            except TableError:
                return
            if answer is not None:
                yield from split_owners(answer)
                return
