"""The number of recipients: reject_multi_recipient_bounce (postconf(5), RFC 5321 4.5.5)."""

from typing import Final

from maysend.restrictions.evaluation import Check, Evaluation
from maysend.restrictions.outcome import Outcome
from maysend.restrictions.outcomes import DUNNO
from maysend.restrictions.restriction import Item
from maysend.restrictions.site import Site

AFTER_ALL_RECIPIENTS: Final = ("smtpd_data_restrictions", "smtpd_end_of_data_restrictions")
"""Elsewhere the recipient in question comes on top of those already accepted."""


def reject_multi_recipient_bounce(item: Item, site: Site) -> Check:
    """Reject the null sender with several recipients: a bounce goes to one."""
    code = site.code("multi_recipient_bounce_reject_code")

    def check(evaluation: Evaluation) -> Outcome:
        dialogue = evaluation.dialogue
        most = 1 if evaluation.stage in AFTER_ALL_RECIPIENTS else 0
        if dialogue.sender != "" or dialogue.recipient_count <= most:
            return DUNNO
        subject = evaluation.subject
        return evaluation.refuse(
            code, "5.5.3", f"<{subject.name}>: {subject.words} rejected: Multi-recipient bounce"
        )

    return check
