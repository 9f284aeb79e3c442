"""What login maps and recipient maps answer for an address."""

from collections.abc import Sequence

from maysend.restrictions.address_lookup import (
    Keys,
    find_first,
    not_empty,
    owner_keys,
    whole_keys,
)
from maysend.restrictions.evaluation import Evaluation, KeyKind
from maysend.tables import LookupTable


def look_up(evaluation: Evaluation, maps: Sequence[LookupTable], address: str) -> str | None:
    """The answer for a resolved address, or None where no table knows it.

    Raises TableError where there is no answer now; an empty answer is none.
    """
    site = evaluation.site
    if len(maps) != 1 or not site.mydestination.has_only_names:
        keys = owner_keys(site, evaluation.lookup, address)
        return find_first(evaluation.lookup, maps, keys)
    # One table is a plain search, as the keys can't depend on what a lookup answers.
    (table,) = maps
    found = evaluation.search(table, evaluation.keys_for(table, address, _OWNED))
    return None if found is None else not_empty(table, found.key, found.answer)


def _owner_keys(evaluation: Evaluation, address: str) -> Keys:
    keys = owner_keys(evaluation.site, evaluation.lookup, address)
    return Keys(tuple([key for key, _ in keys if key]), address.isascii())


_OWNED = KeyKind(_owner_keys, lambda evaluation, address: whole_keys(address))
