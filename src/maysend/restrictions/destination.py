"""Relay control: is the recipient's domain ours or one we relay for? (SMTPD_ACCESS_README)"""

from maysend.restrictions.evaluation import Check, Evaluation
from maysend.restrictions.outcome import Outcome
from maysend.restrictions.outcomes import DUNNO, OK
from maysend.restrictions.replies import RECIPIENT
from maysend.restrictions.resolution import is_suspicious
from maysend.restrictions.resolved_address import AddressClass
from maysend.restrictions.restriction import Item
from maysend.restrictions.site import Site


def permit_auth_destination(item: Item, site: Site) -> Check:
    """Permit a recipient that is ours, or in $relay_domains."""

    def check(evaluation: Evaluation) -> Outcome:
        recipient = evaluation.dialogue.recipient
        if recipient is None or not is_authorized(evaluation, recipient):
            return DUNNO
        return OK

    return check


def reject_unauth_destination(item: Item, site: Site) -> Check:
    """Reject a recipient that is neither ours nor in $relay_domains."""
    return _refuse_unauthorized(site.code("relay_domains_reject_code"), "5.7.1")


def defer_unauth_destination(item: Item, site: Site) -> Check:
    """Like reject_unauth_destination, for now: 454 leaves room to mend a mistake."""
    return _refuse_unauthorized(site.code("relay_domains_reject_code") - 100, "4.7.1")


def check_relay_domains(item: Item, site: Site) -> Check:
    """The old reject_unauth_destination: permits what it does not reject."""
    code = site.code("relay_domains_reject_code")

    def check(evaluation: Evaluation) -> Outcome:
        recipient = evaluation.dialogue.recipient
        if recipient is None:
            return DUNNO
        if is_authorized(evaluation, recipient):
            return OK
        return evaluation.refuse(
            code, "5.7.1", f"<{recipient}>: {RECIPIENT} rejected: Relay access denied"
        )

    return check


def _refuse_unauthorized(code: int, dsn: str) -> Check:
    def check(evaluation: Evaluation) -> Outcome:
        recipient = evaluation.dialogue.recipient
        if recipient is None or is_authorized(evaluation, recipient):
            return DUNNO
        return evaluation.refuse(code, dsn, f"<{recipient}>: Relay access denied")

    return check


def is_authorized(evaluation: Evaluation, recipient: str) -> bool:
    """Whether mail for this recipient is delivered here or relayed for its domain.

    A source-routed remote address is neither: the next host could send it anywhere.
    """
    resolved = evaluation.resolved(recipient)
    if is_suspicious(resolved, evaluation.site):
        evaluation.note(f"{resolved.address} is routed")
        return False
    if resolved.address_class is AddressClass.DEFAULT:
        evaluation.note(f"{resolved.domain} is not a domain of this server")
        return False
    evaluation.note(f"{resolved.domain} is in {resolved.address_class.value}")
    return True
