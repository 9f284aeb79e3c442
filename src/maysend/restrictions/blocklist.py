"""Lists in DNS: reject_rbl_client, reject_rhsbl_*, permit_dnswl_client, permit_rhswl_client.

`reject_rbl_client zen.example=127.0.0.[2..11]` asks for the A records of the client's address
turned round below zen.example; `reject_rhsbl_sender` asks for the sender's domain below its list.
A list that has no answer now rejects nobody; where it would permit, a later rejection becomes a
deferral (450 4.7.1). The reply is made by `blocklist_reply`. Source: postconf(5).

    smtpd_recipient_restrictions = reject_unauth_destination, reject_rbl_client zen.example
"""

from collections.abc import Callable
from ipaddress import ip_address
from typing import TypeAlias

from maysend.maincf import tokens
from maysend.restrictions import replies
from maysend.restrictions.blocklist_filter import BlocklistFilter, FilterError
from maysend.restrictions.blocklist_reply import BlocklistReply, joined_texts
from maysend.restrictions.destination import is_authorized
from maysend.restrictions.dialogue import Dialogue
from maysend.restrictions.dns_lookup import Found, Status, find_records, in_ascii
from maysend.restrictions.evaluation import Check, Evaluation
from maysend.restrictions.outcome import Outcome
from maysend.restrictions.outcomes import DUNNO, OK
from maysend.restrictions.restriction import Compile, InvalidItem, Item
from maysend.restrictions.site import Site

NameOf: TypeAlias = Callable[[Dialogue], str]
"""The name or address of a dialogue that is looked up; "" where there is none."""

LISTS_AT_RCPT = ("smtpd_relay_restrictions", "smtpd_recipient_restrictions")
LISTS_DELAYED_TO_RCPT = (
    "smtpd_client_restrictions",
    "smtpd_helo_restrictions",
    "smtpd_sender_restrictions",
)


class Blocklist:
    """One list in DNS, as written: `zen.example=127.0.0.2`. Raises InvalidItem."""

    def __init__(self, written: str) -> None:
        self.written = written
        self._domain, equals, pattern = written.partition("=")
        try:
            self._filter = BlocklistFilter(pattern) if equals else None
        except FilterError as error:
            raise InvalidItem(f"{written}: {error}") from error

    def find(self, evaluation: Evaluation, label: str) -> Found:
        """The answers for what has this label in the list; NOT_FOUND where none counts."""
        found = find_records(evaluation, f"{label}.{self._domain}", "A")
        if found.status is not Status.FOUND or self._filter is None:
            return found
        if self._filter.matches(record.data for record in found.records):
            return found
        evaluation.note("listed, with another answer")
        return Found(Status.NOT_FOUND)

    def reason(self, evaluation: Evaluation, label: str) -> str:
        """Why it is listed, in the list's own words."""
        found = find_records(evaluation, f"{label}.{self._domain}", "TXT")
        return joined_texts(found.records)


def reject_rbl_client(item: Item, site: Site) -> Check:
    """Reject a client whose address is in the list."""
    blocklist, reply = Blocklist(item.argument), BlocklistReply(site)

    def check(evaluation: Evaluation) -> Outcome:
        return _reject_listed_client(evaluation, blocklist, reply)

    return check


def reject_maps_rbl(item: Item, site: Site) -> Check:
    """The old reject_rbl_client, for every list in $maps_rbl_domains."""
    names = [token.text for token in tokens.split(site.parameters["maps_rbl_domains"])]
    blocklists, reply = [Blocklist(name) for name in names], BlocklistReply(site)

    def check(evaluation: Evaluation) -> Outcome:
        for blocklist in blocklists:
            outcome = _reject_listed_client(evaluation, blocklist, reply)
            if outcome is not DUNNO:
                return outcome
        return DUNNO

    return check


def permit_dnswl_client(item: Item, site: Site) -> Check:
    """Permit a client whose address is in the list, to recipients that we take mail for."""
    blocklist = Blocklist(item.argument)

    def check(evaluation: Evaluation) -> Outcome:
        address = evaluation.dialogue.client_address
        return _permit_listed(evaluation, blocklist, address, _address_label(address))

    return check


def permit_rhswl_client(item: Item, site: Site) -> Check:
    """Permit a client whose name is in the list, to recipients that we take mail for."""
    blocklist = Blocklist(item.argument)

    def check(evaluation: Evaluation) -> Outcome:
        name = _client_name(evaluation.dialogue)
        return _permit_listed(evaluation, blocklist, name, _domain_label(name))

    return check


def _rejecting(name_of: NameOf, words: str, about: str) -> Compile:
    """A restriction that rejects where the domain of a name is in the list."""

    def compile(item: Item, site: Site) -> Check:
        blocklist, reply = Blocklist(item.argument), BlocklistReply(site)

        def check(evaluation: Evaluation) -> Outcome:
            name = name_of(evaluation.dialogue)
            label = _domain_label(name)
            return _reject_listed(evaluation, blocklist, reply, (name, label, words))

        return check

    compile.__doc__ = f"Reject where the domain of {about} is in the list."
    return compile


def _client_name(dialogue: Dialogue) -> str:
    return _known(dialogue.client_name)


def _reverse_client_name(dialogue: Dialogue) -> str:
    return _known(dialogue.reverse_client_name)


def _helo_name(dialogue: Dialogue) -> str:
    return dialogue.helo_name or ""


def _sender(dialogue: Dialogue) -> str:
    return dialogue.sender or ""


def _recipient(dialogue: Dialogue) -> str:
    return dialogue.recipient or ""


def _known(name: str) -> str:
    return "" if name.lower() == "unknown" else name


reject_rhsbl_client: Compile = _rejecting(_client_name, replies.CLIENT, "the client's name")
reject_rhsbl_reverse_client: Compile = _rejecting(
    _reverse_client_name, replies.REVERSE_CLIENT, "the client's unverified name"
)
reject_rhsbl_helo: Compile = _rejecting(_helo_name, replies.HELO, "the HELO name")
reject_rhsbl_sender: Compile = _rejecting(_sender, replies.SENDER, "the MAIL FROM address")
reject_rhsbl_recipient: Compile = _rejecting(_recipient, replies.RECIPIENT, "the RCPT TO address")


def _reject_listed_client(
    evaluation: Evaluation, blocklist: Blocklist, reply: BlocklistReply
) -> Outcome:
    address = evaluation.dialogue.client_address
    subject = (address, _address_label(address), replies.CLIENT)
    return _reject_listed(evaluation, blocklist, reply, subject)


def _reject_listed(
    evaluation: Evaluation,
    blocklist: Blocklist,
    reply: BlocklistReply,
    subject: tuple[str, str, str],
) -> Outcome:
    """Reject where the list has the label of `subject`: its name, label and words."""
    what, label, words = subject
    if not label or blocklist.find(evaluation, label).status is not Status.FOUND:
        return DUNNO
    reason = blocklist.reason(evaluation, label)
    return reply.refuse(evaluation, blocklist.written, what, words, reason)


def _permit_listed(evaluation: Evaluation, blocklist: Blocklist, what: str, label: str) -> Outcome:
    recipient = evaluation.dialogue.recipient
    if not label:
        return DUNNO
    if recipient and _is_at_rcpt(evaluation) and not is_authorized(evaluation, recipient):
        return DUNNO
    status = blocklist.find(evaluation, label).status
    if status is Status.FOUND:
        return OK
    if status is Status.NOT_FOUND:
        return DUNNO
    text = f"<{what}>: {replies.CLIENT} rejected: Service unavailable"
    return evaluation.defer_instead_of_reject(450, "4.7.1", text)


def _is_at_rcpt(evaluation: Evaluation) -> bool:
    """Whether the command is RCPT TO: at others there is no recipient to be careful of."""
    if evaluation.stage in LISTS_AT_RCPT:
        return True
    return evaluation.site.delays_rejects and evaluation.stage in LISTS_DELAYED_TO_RCPT


def _address_label(address: str) -> str:
    """192.0.2.7 as 7.2.0.192, an IPv6 address by its hexadecimal digits (RFC 5782)."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return ""
    return parsed.reverse_pointer.removesuffix(".in-addr.arpa").removesuffix(".ip6.arpa")


def _domain_label(name: str) -> str:
    """The domain of an address, or a name; nothing for literals and what ends in a number."""
    _, at, domain = name.rpartition("@")
    if not domain or (at and domain.startswith("[")) or domain.rpartition(".")[2].isdecimal():
        return ""
    return in_ascii(domain)
