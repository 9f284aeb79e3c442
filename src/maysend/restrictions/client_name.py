"""Clients without a name: reject_unknown_[reverse_]client_hostname (postconf(5))."""

from maysend.restrictions.evaluation import Check, Evaluation
from maysend.restrictions.outcome import Outcome
from maysend.restrictions.outcomes import DUNNO
from maysend.restrictions.restriction import Item
from maysend.restrictions.site import Site


def reject_unknown_client_hostname(item: Item, site: Site) -> Check:
    """Reject where the address has no name, or the name does not lead back to the address."""
    code = site.code("unknown_client_reject_code")

    def check(evaluation: Evaluation) -> Outcome:
        dialogue = evaluation.dialogue
        if dialogue.client_name_status == "ok":
            return DUNNO
        return evaluation.refuse(
            code if dialogue.client_name_status == "none" else 450,
            "4.7.25",
            f"Client host rejected: cannot find your hostname, [{dialogue.client_address}]",
        )

    return check


def reject_unknown_reverse_client_hostname(item: Item, site: Site) -> Check:
    """Reject where the client's address has no name at all."""
    code = site.code("unknown_client_reject_code")

    def check(evaluation: Evaluation) -> Outcome:
        dialogue = evaluation.dialogue
        if dialogue.reverse_client_name_status == "ok":
            return DUNNO
        return evaluation.refuse(
            code if dialogue.reverse_client_name_status == "none" else 450,
            "4.7.1",
            f"Client host rejected: cannot find your reverse hostname, [{dialogue.client_address}]",
        )

    return check
