"""The name that the client gives itself: reject_{invalid,non_fqdn}_helo_hostname (postconf(5))."""

from maysend.address.hostname import (
    is_valid_address,
    is_valid_address_literal,
    is_valid_hostname,
)
from maysend.restrictions.evaluation import Check, Evaluation
from maysend.restrictions.outcome import Outcome
from maysend.restrictions.outcomes import DUNNO, OK
from maysend.restrictions.replies import HELO
from maysend.restrictions.restriction import Item
from maysend.restrictions.site import Site


def reject_invalid_helo_hostname(item: Item, site: Site) -> Check:
    """Reject a HELO name that is neither a host name nor an address in its syntax."""
    code = site.code("invalid_hostname_reject_code")

    def check(evaluation: Evaluation) -> Outcome:
        name = evaluation.dialogue.helo_name
        if name is None:
            return DUNNO
        if name.startswith("["):
            return reject_invalid_literal(evaluation, name, code)
        trimmed = name[:-1] if name.endswith(".") else name
        if is_valid_hostname(trimmed) or is_valid_address(trimmed):
            return DUNNO
        return evaluation.refuse(code, "5.5.2", f"<{name}>: {HELO} rejected: Invalid name")

    return check


def reject_non_fqdn_helo_hostname(item: Item, site: Site) -> Check:
    """Reject a HELO name that is no fully-qualified host name or address literal."""
    code = site.code("non_fqdn_reject_code")
    invalid_code = site.code("invalid_hostname_reject_code")

    def check(evaluation: Evaluation) -> Outcome:
        name = evaluation.dialogue.helo_name
        if name is None:
            return DUNNO
        if name.startswith("["):
            return reject_invalid_literal(evaluation, name, invalid_code)
        trimmed = name[:-1] if name.endswith(".") else name
        if evaluation.is_hostname(trimmed) and "." in trimmed:
            return DUNNO
        return evaluation.refuse(
            code, "5.5.2", f"<{name}>: {HELO} rejected: need fully-qualified hostname"
        )

    return check


def permit_naked_ip_address(item: Item, site: Site) -> Check:
    """Permit a HELO name that is an address without brackets; obsolete, and easily said."""
    code = site.code("invalid_hostname_reject_code")

    def check(evaluation: Evaluation) -> Outcome:
        name = evaluation.dialogue.helo_name
        if name is None or name.strip("0123456789.:"):
            return DUNNO
        if is_valid_address(name):
            return OK
        return evaluation.refuse(code, "5.5.2", f"<{name}>: {HELO} rejected: invalid ip address")

    return check


def reject_invalid_literal(evaluation: Evaluation, name: str, code: int) -> Outcome:
    """Refuse what begins as an address literal and is none."""
    if is_valid_address_literal(name):
        return DUNNO
    return evaluation.refuse(code, "5.5.2", f"<{name}>: {HELO} rejected: invalid ip address")
