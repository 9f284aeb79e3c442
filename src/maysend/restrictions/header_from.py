"""reject_header_from_login_mismatch: whom the header says a message is from.

    smtpd_sender_login_maps = directory:owners
    smtpd_on_behalf_login_maps = directory:on_behalf
    smtpd_end_of_data_restrictions = reject_header_from_login_mismatch

maysend's own word, for a list that only maysend reads: smtpd would answer 451 to everybody. It
needs the message's header, which the gateway and the milter have at the end of the data; where
there is none it answers "451 4.3.5 Server configuration error".

What must be owned by the login, through the same smtpd_sender_login_maps as the envelope sender:

- every mailbox in From:, those in groups too;
- every mailbox in Sender:, Resent-From: and Resent-Sender:, where these are present;
- every address that a display name or comment of these fields shows, encoded words decoded: many
  mail clients show nothing else.

A login that smtpd_on_behalf_login_maps names for an address may use it in From: beside a Sender:
that it owns. Where there is no Sender: one is added (PREPEND): the envelope sender if the login
owns that, else the login itself.

A domain that is not ASCII is asked as written, then with A-labels, then with U-labels.

Clients that have not logged in are not looked at: mailing lists send strangers' mail from our
users. With SASL off it is ignored, as the other login restrictions are.

Replies:

- `554 5.7.1 <a>: Header From address rejected: not owned by user U`
- `554 5.7.1 <a>: Header From display name rejected: not owned by user U`
- `554 5.7.1 <a>: Header From address rejected: user U may use it only beside a Sender: of its own`
- `554 5.6.0 Header From rejected: …` for a header with a defect: missing or repeated From:, or one
  that can't be read; obsolete syntax is a defect, an unquoted dot in a display name is none.
- `451 4.3.0 <a>: Temporary lookup failure` where a map has no answer now.

Bounds, each of which refuses: maysend.header.defects.

Source: RFC 5322 3.6.2, 3.6.6; RFC 6532; RFC 6854; RFC 5891; SASL_README for the owners.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

from maysend.header import Field, HeaderDefect, Mailbox, Originator, read_originators
from maysend.header.domains import spellings
from maysend.header.originators import SENDER_OF, read_originator
from maysend.restrictions.evaluation import Check, Evaluation
from maysend.restrictions.outcome import Outcome
from maysend.restrictions.outcomes import DUNNO
from maysend.restrictions.restriction import Item
from maysend.restrictions.sender_login import is_owner, look_up_owners
from maysend.restrictions.site import Site
from maysend.tables import OpenedTable

REMEMBERED: Final = 4096
LONGEST_REMEMBERED: Final = 256
"""Fields that are kept as read, and their characters."""
ON_BEHALF_MAPS: Final = "smtpd_on_behalf_login_maps"
WHOLE_HEADER: Final = "the message's header is not known here: the gateway and the milter have it"


def reject_header_from_login_mismatch(item: Item, site: Site) -> Check:
    """Reject a message of a logged-in client whose header is from somebody else, or has a defect;
    maysend's own word, for smtpd_end_of_data_restrictions."""
    maps = site.tables("smtpd_sender_login_maps")
    read = _remembering()
    on_behalf = site.tables(ON_BEHALF_MAPS) if site.parameters.get(ON_BEHALF_MAPS) else ()

    def check(evaluation: Evaluation) -> Outcome:
        dialogue = evaluation.dialogue
        if not site.sasl_is_active:
            evaluation.note("SASL is off: ignored")
            return DUNNO
        if not dialogue.sasl_username:
            evaluation.note("not logged in")
            return DUNNO
        if dialogue.header is None:
            return evaluation.server_fault(WHOLE_HEADER)
        try:
            originators = read_originators(dialogue.header, utf8=dialogue.smtputf8, read=read)
        except HeaderDefect as defect:
            return evaluation.refuse(554, "5.6.0", str(defect))
        return _Claims(evaluation, maps, on_behalf).check(originators)

    return check


def _remembering() -> Callable[[Field, bool], Originator]:
    """Reads a field once: who sends much sends the same From: again and again."""
    remembered = lru_cache(REMEMBERED)(read_originator)

    def read(field: Field, utf8: bool) -> Originator:
        short = len(field.value) <= LONGEST_REMEMBERED
        return remembered(field, utf8) if short else read_originator(field, utf8)

    return read


class _Claims:
    """What one header claims, held against what one login owns."""

    def __init__(
        self,
        evaluation: Evaluation,
        maps: Sequence[OpenedTable],
        on_behalf: Sequence[OpenedTable],
    ) -> None:
        self._evaluation = evaluation
        self._maps = maps
        self._on_behalf = on_behalf
        self._login = evaluation.dialogue.sasl_username
        self._needs_sender = False

    def check(self, originators: Sequence[Originator]) -> Outcome:
        """The first claim that is not the login's refuses."""
        present = {originator.field for originator in originators}
        for originator in originators:
            outcome = self._check_field(originator, present)
            if outcome is not DUNNO:
                return outcome
        if self._needs_sender:
            sender = self._own_address()
            self._evaluation.act_on_message("PREPEND", f"Sender: <{sender}>")
            self._evaluation.note(f"{self._login} writes on behalf: Sender: <{sender}> added")
        else:
            self._evaluation.note(f"{self._login} owns every address in the header")
        return DUNNO

    def _check_field(self, originator: Originator, present: set[str]) -> Outcome:
        claims = [(mailbox, "address") for mailbox in originator.mailboxes]
        claims += [(_mailbox(text), "display name") for text in originator.shown]
        for mailbox, kind in claims:
            words = f"<{mailbox.address}>: Header {originator.field} {kind} rejected"
            if self._owned(mailbox, self._maps):
                continue
            sender = SENDER_OF.get(originator.field)
            if sender is None or not self._owned(mailbox, self._on_behalf):
                text = f"{words}: not owned by user {self._login}"
                return self._evaluation.refuse(554, "5.7.1", text)
            if sender not in present:
                if sender != "Sender" or not self._own_address():
                    text = (
                        f"{words}: user {self._login} may use it only beside a {sender}: of its own"
                    )
                    return self._evaluation.refuse(554, "5.7.1", text)
                self._needs_sender = True
        return DUNNO

    def _own_address(self) -> str:
        """What may stand in a Sender: that is added; "" where the login owns nothing fitting."""
        for address in (self._evaluation.dialogue.sender, self._login):
            if address and _is_plain(address) and self._owned(_mailbox(address), self._maps):
                return address
        return ""

    def _owned(self, mailbox: Mailbox, maps: Sequence[OpenedTable]) -> bool:
        """Whether the login is among those that the first spelling known to the maps names."""
        for domain in spellings(mailbox.domain):
            address = f"{mailbox.local_part}@{domain}"
            owners = look_up_owners(self._evaluation, maps, address)
            if owners is not None:
                return is_owner(self._login, owners)
        return False


def _mailbox(address: str) -> Mailbox:
    local_part, _, domain = address.rpartition("@")
    return Mailbox(local_part, domain)


def _is_plain(address: str) -> bool:
    """Whether an address may stand in a header as it is: ASCII, a dot-atom, a domain."""
    local_part, _, domain = address.rpartition("@")
    words = local_part.split(".")
    return (
        address.isascii()
        and "" not in words
        and all(
            word.replace("+", "a").replace("-", "a").replace("_", "a").isalnum() for word in words
        )
        and all(label.replace("-", "a").isalnum() for label in domain.split("."))
    )
