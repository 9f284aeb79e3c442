"""Addresses without a full domain: reject_non_fqdn_{sender,recipient} (postconf(5))."""

from maysend.restrictions.evaluation import Check, Evaluation
from maysend.restrictions.outcome import Outcome
from maysend.restrictions.outcomes import DUNNO
from maysend.restrictions.replies import RECIPIENT, SENDER
from maysend.restrictions.restriction import Item
from maysend.restrictions.site import Site


def reject_non_fqdn_sender(item: Item, site: Site) -> Check:
    """Reject a MAIL FROM address whose domain is not fully qualified."""
    code = site.code("non_fqdn_reject_code")

    def check(evaluation: Evaluation) -> Outcome:
        sender = evaluation.dialogue.sender
        return _reject_non_fqdn(evaluation, sender, SENDER, code) if sender else DUNNO

    return check


def reject_non_fqdn_recipient(item: Item, site: Site) -> Check:
    """Reject a RCPT TO address whose domain is not fully qualified."""
    code = site.code("non_fqdn_reject_code")

    def check(evaluation: Evaluation) -> Outcome:
        recipient = evaluation.dialogue.recipient
        if not recipient:
            return DUNNO
        return _reject_non_fqdn(evaluation, recipient, RECIPIENT, code)

    return check


def _reject_non_fqdn(evaluation: Evaluation, address: str, words: str, code: int) -> Outcome:
    if evaluation.resolution_of(address).plain:
        return DUNNO
    _, _, domain = address.rpartition("@") if "@" in address else ("", "", "")
    if domain.startswith("[") and domain.endswith("]"):
        return DUNNO
    trimmed = domain[:-1] if domain.endswith(".") else domain
    if "." in trimmed and evaluation.is_hostname(trimmed):
        return DUNNO
    return evaluation.refuse(
        code, "4.5.2", f"<{address}>: {words} rejected: need fully-qualified address"
    )
