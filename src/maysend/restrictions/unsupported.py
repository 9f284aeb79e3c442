"""Restrictions of postconf(5) that need DNS or another server: named, and failing closed.

They compile to what smtpd does with a restriction it can't carry out: 451 4.3.5, never a permit.
"""

from maysend.restrictions.evaluation import Check
from maysend.restrictions.restriction import InvalidItem, Item, Restriction
from maysend.restrictions.site import Site


def _needs_more(item: Item, site: Site) -> Check:
    raise InvalidItem(f"{item.name} is not available in this version of maysend")


_ALONE = (
    "reject_unverified_recipient",
    "reject_unverified_sender",
)

RESTRICTIONS: dict[str, Restriction] = {
    **{name: Restriction(_needs_more) for name in _ALONE},
}
