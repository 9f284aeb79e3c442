"""What the session has proved: a login, encryption (postconf(5), SASL_README, TLS_README)."""

from maysend.restrictions.evaluation import Check, Evaluation
from maysend.restrictions.outcome import Outcome
from maysend.restrictions.outcomes import DUNNO, OK
from maysend.restrictions.restriction import Item
from maysend.restrictions.site import Site


def permit_sasl_authenticated(item: Item, site: Site) -> Check:
    """Permit a client that has logged in; without SASL it says nothing."""

    def check(evaluation: Evaluation) -> Outcome:
        login = evaluation.dialogue.sasl_username
        if site.sasl_is_active and login:
            evaluation.note(f"logged in as {login}")
            return OK
        evaluation.note("not logged in" if site.sasl_is_active else "SASL is off: ignored")
        return DUNNO

    return check


def reject_plaintext_session(item: Item, site: Site) -> Check:
    """Reject a session that is not encrypted, with $plaintext_reject_code."""
    code = site.code("plaintext_reject_code")

    def check(evaluation: Evaluation) -> Outcome:
        if evaluation.dialogue.encryption_protocol:
            return DUNNO
        return evaluation.refuse(code, "4.7.1", "Session encryption is required")

    return check


def reject_unauth_pipelining(item: Item, site: Site) -> Check:
    """Reject a client that sends commands ahead of time where it must not (RFC 2920)."""

    def check(evaluation: Evaluation) -> Outcome:
        if not evaluation.dialogue.pipelined_too_early:
            return DUNNO
        subject = evaluation.subject
        return evaluation.refuse(
            503,
            "5.5.0",
            f"<{subject.name}>: {subject.words} rejected: Improper use of SMTP command pipelining",
        )

    return check
