"""What an address comes to: rewritten, resolved, and the address class of its domain.

Source: ADDRESS_CLASS_README, ADDRESS_REWRITING_README, trivial-rewrite(8).
"""

from functools import partial

from maysend.address import fold, is_plain, resolve, rewrite
from maysend.restrictions.address_lookup import find_first, owner_keys
from maysend.restrictions.resolved_address import AddressClass, ResolvedAddress, Undeliverable
from maysend.restrictions.site import Site
from maysend.restrictions.transports import Transports
from maysend.tables import TableError
from maysend.tables.match_list import Ask


class AddressResolver:
    """Resolves addresses of one site, asking tables through the `ask` of each call."""

    def __init__(self, site: Site, transports: Transports) -> None:
        self._site = site
        self._transports = transports
        classes = (
            (site.virtual_alias_domains, AddressClass.VIRTUAL_ALIAS),
            (site.virtual_mailbox_domains, AddressClass.VIRTUAL_MAILBOX),
            (site.relay_domains, AddressClass.RELAY),
        )
        self._classes = tuple(pair for pair in classes if not pair[0].is_always_empty)
        self._may_be_local = not site.mydestination.is_always_empty
        self._elsewhere = AddressClass.DEFAULT
        self._may_be_undeliverable = transports.may_refuse or bool(site.relocated_maps)
        self._asks_tables = self._may_be_local or bool(self._classes) or self._may_be_undeliverable

    def resolve_unasked(self, address: str) -> ResolvedAddress | None:
        """What `resolve` gives, where no table has to be asked and nothing is rewritten."""
        if self._asks_tables or not is_plain(address):
            return None
        folded = address.lower()
        return ResolvedAddress(folded, folded[folded.find("@") + 1 :], self._elsewhere, plain=True)

    def resolve(self, address: str, ask: Ask) -> ResolvedAddress:
        """Rewrite and resolve an address in internal form, as smtpd_resolve_addr() does."""
        if is_plain(address):
            return self._resolve_plain(address, ask)
        site = self._site
        rewritten = rewrite(address, site.rewriting)
        domain, invalid = "", False
        try:
            found = resolve(rewritten, site.rewriting, partial(site.is_local, ask=ask))
            domain, invalid = found.domain, found.error
            if found.failed:
                raise TableError(address, "no end of routes in this address")
            address_class = AddressClass.LOCAL if found.local else self._class_of(found.domain, ask)
            recipient = fold(found.recipient)
            undeliverable = self._undeliverable(found.recipient, address_class, ask)
        except TableError:
            return ResolvedAddress(
                rewritten, domain, AddressClass.DEFAULT, invalid=invalid, failed=True
            )
        return ResolvedAddress(
            recipient,
            recipient[recipient.rfind("@") + 1 :],
            address_class,
            found.routed,
            invalid,
            undeliverable=undeliverable,
        )

    def _resolve_plain(self, address: str, ask: Ask) -> ResolvedAddress:
        """The same for an address that nothing rewrites: only its domain's class is asked."""
        folded = address.lower()
        at = address.find("@") + 1
        address_class, undeliverable = self._elsewhere, None
        try:
            if self._may_be_local and self._site.is_local(address[at:], ask):
                address_class = AddressClass.LOCAL
            elif self._classes:
                address_class = self._class_of(address[at:], ask)
            if self._may_be_undeliverable:
                undeliverable = self._undeliverable(address, address_class, ask)
        except TableError:
            return ResolvedAddress(address, address[at:], self._elsewhere, failed=True)
        return ResolvedAddress(
            folded, folded[at:], address_class, undeliverable=undeliverable, plain=True
        )

    def _undeliverable(
        self, recipient: str, address_class: AddressClass, ask: Ask
    ) -> Undeliverable | None:
        """What its transport says, unless a virtual alias domain has none; relocated(5) wins."""
        if not self._may_be_undeliverable:
            return None
        refusal = None
        if self._transports.may_refuse and address_class is not AddressClass.VIRTUAL_ALIAS:
            refusal = self._transports.refusal(recipient, address_class.value, ask)
        if self._site.relocated_maps:
            keys = owner_keys(self._site, ask, recipient)
            moved_to = find_first(ask, self._site.relocated_maps, keys)
            if moved_to is not None:
                return Undeliverable(f"5.1.6 User has moved to {moved_to}")
        return refusal

    def _class_of(self, domain: str, ask: Ask) -> AddressClass:
        for domains, address_class in self._classes:
            if domains.match_name(domain, ask) is not None:
                return address_class
        return self._elsewhere


def is_suspicious(resolved: ResolvedAddress, site: Site) -> bool:
    """Whether a route in the address could lead anywhere, and allow_untrusted_routing is off."""
    return resolved.routed and not site.allows_untrusted_routing
