"""Names that DNS does not know: reject_unknown_{sender,recipient}_domain and _helo_hostname.

A domain needs an MX or address record, and must not say that it takes no mail (RFC 7505). Where
DNS fails for now, $unknown_address_tempfail_action or $unknown_helo_hostname_tempfail_action says
whether to defer at once or only what would be permitted. Replies: $unknown_address_reject_code,
$unknown_hostname_reject_code; 550 5.7.27 and 556 5.1.10 for a null MX. Source: postconf(5).
"""

from collections.abc import Callable
from typing import TypeAlias

from maysend.restrictions.dns_lookup import Status, find_any, in_ascii
from maysend.restrictions.evaluation import Check, Evaluation
from maysend.restrictions.helo_name import reject_invalid_literal
from maysend.restrictions.outcome import Outcome
from maysend.restrictions.outcomes import DUNNO
from maysend.restrictions.replies import HELO, RECIPIENT, SENDER
from maysend.restrictions.resolved_address import AddressClass
from maysend.restrictions.restriction import Item
from maysend.restrictions.site import Site

MALFORMED = "Malformed DNS server reply"
DELIVERED_HERE = (
    AddressClass.LOCAL,
    AddressClass.VIRTUAL_ALIAS,
    AddressClass.VIRTUAL_MAILBOX,
)
"""Their mail leaves without DNS."""

DeferFor: TypeAlias = Callable[[Evaluation, str, str], Outcome]


def reject_unknown_sender_domain(item: Item, site: Site) -> Check:
    """Reject a MAIL FROM address whose domain has neither MX nor address, or a null MX."""
    reject_unknown = _DomainCheck(site, SENDER, "4.1.8", (550, "5.7.27"))

    def check(evaluation: Evaluation) -> Outcome:
        sender = evaluation.dialogue.sender
        return reject_unknown(evaluation, sender) if sender else DUNNO

    return check


def reject_unknown_recipient_domain(item: Item, site: Site) -> Check:
    """Reject a RCPT TO address whose domain has neither MX nor address, or a null MX."""
    reject_unknown = _DomainCheck(site, RECIPIENT, "4.1.2", (556, "5.1.10"))

    def check(evaluation: Evaluation) -> Outcome:
        recipient = evaluation.dialogue.recipient
        return reject_unknown(evaluation, recipient) if recipient else DUNNO

    return check


def reject_unknown_helo_hostname(item: Item, site: Site) -> Check:
    """Reject a HELO name that has neither address nor MX."""
    code = site.code("unknown_hostname_reject_code")
    invalid_code = site.code("invalid_hostname_reject_code")
    defer = _deferral(site, "unknown_helo_hostname_tempfail_action")

    def check(evaluation: Evaluation) -> Outcome:
        name = evaluation.dialogue.helo_name
        if name is None:
            return DUNNO
        if name.startswith("["):
            return reject_invalid_literal(evaluation, name, invalid_code)
        status = find_any(evaluation, name, ("A", "AAAA", "MX")).status
        if status in (Status.FOUND, Status.FILTERED, Status.NULL_MX):
            return DUNNO  # a host that sends may well take no mail
        text = f"<{name}>: {HELO} rejected: "
        if status is Status.FAILED:
            return defer(evaluation, "4.7.1", text + "Host not found")
        reason = MALFORMED if status is Status.INVALID else "Host not found"
        return evaluation.refuse(code, "4.7.1", text + reason)

    return check


class _DomainCheck:
    """The check of the domain of an address that is `words`."""

    def __init__(self, site: Site, words: str, dsn: str, no_mail: tuple[int, str]) -> None:
        self._words = words
        self._dsn = dsn
        self._no_mail = no_mail
        self._code = site.code("unknown_address_reject_code")
        self._defer = _deferral(site, "unknown_address_tempfail_action")

    def __call__(self, evaluation: Evaluation, address: str) -> Outcome:
        resolved = evaluation.resolved(address)
        domain = in_ascii(resolved.domain)
        if "@" not in resolved.address or resolved.address_class in DELIVERED_HERE:
            return DUNNO
        if domain.startswith("[") and domain.endswith("]"):
            return DUNNO
        status = find_any(evaluation, domain, ("MX", "A", "AAAA")).status
        if status in (Status.FOUND, Status.FILTERED):
            return DUNNO
        text = f"<{address}>: {self._words} rejected: "
        if status is Status.NULL_MX:
            return evaluation.refuse(
                *self._no_mail, f"{text}Domain {domain} does not accept mail (nullMX)"
            )
        if status is Status.FAILED:
            return self._defer(evaluation, self._dsn, text + "Domain not found")
        reason = MALFORMED if status is Status.INVALID else "Domain not found"
        return evaluation.refuse(self._code, self._dsn, text + reason)


def _deferral(site: Site, parameter: str) -> DeferFor:
    """What to do where DNS fails for now, by the parameter that says so."""
    at_once = site.parameters[parameter].lower() == "defer"

    def defer(evaluation: Evaluation, dsn: str, text: str) -> Outcome:
        if at_once:
            return evaluation.refuse(450, dsn, text)
        return evaluation.defer_unless_rejected(450, dsn, text)

    return defer
