"""Addresses that don't exist here: reject_unlisted_{sender,recipient}.

Source: postconf(5), LOCAL_RECIPIENT_README, ADDRESS_CLASS_README. A domain of ours with a
recipient map that is not empty knows all its recipients; canonical(5) and virtual(5) entries count
as known. Also applied without being written, by $smtpd_reject_unlisted_{sender,recipient}.
"""

from collections.abc import Sequence

import msgspec

from maysend.restrictions.evaluation import Check, Evaluation
from maysend.restrictions.map_lookup import look_up
from maysend.restrictions.outcome import Outcome
from maysend.restrictions.outcomes import DUNNO
from maysend.restrictions.replies import RECIPIENT, SENDER, split_enhanced_status, status_for
from maysend.restrictions.resolved_address import AddressClass, ResolvedAddress, Undeliverable
from maysend.restrictions.restriction import Item
from maysend.restrictions.site import Site
from maysend.tables import OpenedTable, TableError


class _Listing(msgspec.Struct, frozen=True):
    """Where the recipients of one address class are listed, and the reply for the others."""

    maps: tuple[OpenedTable, ...]
    is_complete: bool
    code: int
    where: str


def reject_unlisted_sender(item: Item, site: Site) -> Check:
    """Reject a sender in a domain of ours that would not exist as a recipient."""
    reject_unlisted = _ListingCheck(
        site, SENDER, ("recipient_canonical_maps", "sender_canonical_maps")
    )

    def check(evaluation: Evaluation) -> Outcome:
        sender = evaluation.dialogue.sender
        if not sender or evaluation.sender_was_checked:
            return DUNNO
        evaluation.sender_was_checked = not evaluation.only_warns
        return reject_unlisted(evaluation, sender)

    return check


def reject_unlisted_recipient(item: Item, site: Site) -> Check:
    """Reject a recipient in a domain of ours that does not exist."""
    reject_unlisted = _ListingCheck(site, RECIPIENT, ("recipient_canonical_maps",))

    def check(evaluation: Evaluation) -> Outcome:
        recipient = evaluation.dialogue.recipient
        if not recipient or evaluation.recipient_was_checked:
            return DUNNO
        evaluation.recipient_was_checked = not evaluation.only_warns
        return reject_unlisted(evaluation, recipient)

    return check


class _ListingCheck:
    """The check of one address against the listings of its class."""

    def __init__(self, site: Site, words: str, canonical: Sequence[str]) -> None:
        self._words = words
        rewriting = (*canonical, "canonical_maps", "virtual_alias_maps")
        listed = [site.tables(name) for name in rewriting]
        self._rewriting_maps = tuple([maps for maps in listed if maps])
        self._listings = _listings(site)

    def __call__(self, evaluation: Evaluation, address: str) -> Outcome:
        resolved = evaluation.resolved(address)
        try:
            for maps in self._rewriting_maps:
                if self._knows(evaluation, maps, resolved):
                    return DUNNO
            if resolved.undeliverable is not None:
                return self._refuse_undeliverable(
                    evaluation, address, resolved.address_class, resolved.undeliverable
                )
            listing = self._listings.get(resolved.address_class)
            if listing is None or not listing.is_complete:
                return DUNNO
            if resolved.address_class is AddressClass.LOCAL and _is_always_local(
                evaluation.site, resolved.address
            ):
                return DUNNO
            if self._knows(evaluation, listing.maps, resolved):
                return DUNNO
        except TableError as error:
            return evaluation.table_fault(error, address)
        status = "5.1.1" if self._words == RECIPIENT else "5.1.0"
        if resolved.address_class is AddressClass.VIRTUAL_ALIAS:
            status = status_for(self._words, "5.1.1")
        return evaluation.refuse(
            listing.code,
            status,
            f"<{address}>: {self._words} rejected: User unknown{listing.where}",
        )

    def _refuse_undeliverable(
        self,
        evaluation: Evaluation,
        address: str,
        address_class: AddressClass,
        undeliverable: Undeliverable,
    ) -> Outcome:
        """Refuse with the transport's text; a virtual alias domain has its own code."""
        code = 450 if undeliverable.may_pass else 550
        if address_class is AddressClass.VIRTUAL_ALIAS:
            code = self._listings[address_class].code
        default = "5.1.1" if self._words == RECIPIENT else "5.1.0"
        status, text = split_enhanced_status(undeliverable.text, default)
        if status != default:
            status = status_for(self._words, status)
        return evaluation.refuse(code, status, f"<{address}>: {self._words} rejected: {text}")

    @staticmethod
    def _knows(
        evaluation: Evaluation, maps: Sequence[OpenedTable], resolved: ResolvedAddress
    ) -> bool:
        return look_up(evaluation, maps, resolved) is not None


def _listings(site: Site) -> dict[AddressClass, _Listing]:
    named = site.parameters.boolean("show_user_unknown_table_name")

    def listing(parameter: str, code: str, where: str) -> _Listing:
        return _Listing(
            site.tables(parameter),
            bool(site.parameters[parameter].strip()),
            site.code(code),
            f" in {where} table" if named else "",
        )

    return {
        AddressClass.LOCAL: listing(
            "local_recipient_maps", "unknown_local_recipient_reject_code", "local recipient"
        ),
        AddressClass.VIRTUAL_MAILBOX: listing(
            "virtual_mailbox_maps", "unknown_virtual_mailbox_reject_code", "virtual mailbox"
        ),
        AddressClass.RELAY: listing(
            "relay_recipient_maps", "unknown_relay_recipient_reject_code", "relay recipient"
        ),
        # Asked already, with the maps that rewrite: whoever is left is unknown.
        AddressClass.VIRTUAL_ALIAS: _Listing(
            (),
            True,
            site.code("unknown_virtual_alias_reject_code"),
            " in virtual alias table" if named else "",
        ),
    }


def _is_always_local(site: Site, address: str) -> bool:
    """Addresses that Postfix itself generates and absorbs, listed or not."""
    local = address.rpartition("@")[0].lower()
    bounce = site.parameters["double_bounce_sender"].lower()
    return local in (bounce, "postmaster", "mailer-daemon")
