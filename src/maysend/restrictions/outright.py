"""Restrictions that answer without looking: permit, reject, defer and the conditional deferrals.

Source: postconf(5) "smtpd_recipient_restrictions", generic restrictions.
"""

from maysend.restrictions.evaluation import Check, Evaluation
from maysend.restrictions.outcome import Outcome
from maysend.restrictions.outcomes import OK
from maysend.restrictions.restriction import InvalidItem, Item
from maysend.restrictions.site import Site


def permit(item: Item, site: Site) -> Check:
    """Permit the request: this stage's list ends."""
    return _permit


def _permit(evaluation: Evaluation) -> Outcome:
    return OK


def reject(item: Item, site: Site) -> Check:
    """Reject the request with $reject_code."""
    code = site.code("reject_code")

    def check(evaluation: Evaluation) -> Outcome:
        subject = evaluation.subject
        return evaluation.refuse(
            code, "5.7.1", f"<{subject.name}>: {subject.words} rejected: Access denied"
        )

    return check


def defer(item: Item, site: Site) -> Check:
    """Tell the client to try again later, with $defer_code."""
    code = site.code("defer_code")

    def check(evaluation: Evaluation) -> Outcome:
        subject = evaluation.subject
        return evaluation.refuse(
            code, "4.3.2", f"<{subject.name}>: {subject.words} rejected: Try again later"
        )

    return check


def defer_if_permit(item: Item, site: Site) -> Check:
    """Defer the request if some later restriction would permit it."""

    def check(evaluation: Evaluation) -> Outcome:
        subject = evaluation.subject
        return evaluation.defer_unless_rejected(
            450,
            "4.7.0",
            f"<{subject.name}>: {subject.words} rejected: defer_if_permit requested",
        )

    return check


def defer_if_reject(item: Item, site: Site) -> Check:
    """Defer the request if some later restriction would reject it."""

    def check(evaluation: Evaluation) -> Outcome:
        subject = evaluation.subject
        return evaluation.defer_instead_of_reject(
            450,
            "4.7.0",
            f"<{subject.name}>: {subject.words} rejected: defer_if_reject requested",
        )

    return check


def sleep(item: Item, site: Site) -> Check:
    """Make the client wait: an action for the server to carry out, in seconds."""
    if not item.argument.isdigit():
        raise InvalidItem(f"sleep {item.argument}: expected a number of seconds")
    seconds = item.argument

    def check(evaluation: Evaluation) -> Outcome:
        return evaluation.act("SLEEP", seconds)

    return check
