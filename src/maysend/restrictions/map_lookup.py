"""What login maps and recipient maps answer for an address."""

from collections.abc import Sequence

from maysend.restrictions.address_lookup import find_first, not_empty, owner_keys, whole_keys
from maysend.restrictions.evaluation import Evaluation
from maysend.restrictions.resolved_address import ResolvedAddress
from maysend.tables import OpenedTable


def look_up(
    evaluation: Evaluation, maps: Sequence[OpenedTable], resolved: ResolvedAddress
) -> str | None:
    """The answer for a resolved address, or None where no table knows it.

    Raises TableError where there is no answer now; an empty answer is none.
    """
    site = evaluation.site
    if len(maps) == 1 and maps[0].pattern and site.mydestination.has_only_names:
        # In short what follows: of the keys below such a table sees the whole address only.
        found = evaluation.search(maps[0], whole_keys(resolved))
        return None if found is None else not_empty(maps[0], found.key, found.answer)
    keys = owner_keys(site, evaluation.lookup, resolved.address)
    return find_first(evaluation.lookup, maps, keys)
