"""Transports that deliver nothing: error:text and retry:text refuse an address (error(8)).

Source: transport(5), postconf(5) "transport_maps", "local_transport", "relay_transport",
"virtual_transport", "default_transport".
"""

from collections.abc import Iterator
from typing import Final

from maysend.address import split_extension
from maysend.restrictions.address_lookup import Key, parents
from maysend.restrictions.resolved_address import Undeliverable
from maysend.restrictions.site import Site
from maysend.tables.match_list import Ask

REFUSING: Final = ("error", "retry")
_NO_TEXT: Final = "Address is undeliverable"


class Transports:
    """The transports of one site, as far as they refuse mail."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._maps = site.tables("transport_maps")
        parameters = site.parameters
        self._by_class = {
            "mydestination": parameters["local_transport"],
            "virtual_mailbox_domains": parameters["virtual_transport"],
            "relay_domains": parameters["relay_transport"],
            "default": parameters["default_transport"],
        }
        self._parents = site.subdomains("transport_maps")
        self.may_refuse = bool(self._maps) or any(
            value.partition(":")[0] in REFUSING for value in self._by_class.values()
        )

    def refusal(self, address: str, address_class: str, ask: Ask) -> Undeliverable | None:
        """Why the address is undeliverable, or None.

        `address_class` is the name of the list that decides it (ADDRESS_CLASS_README). Raises
        TableError where transport_maps has no answer now.
        """
        transport, _, nexthop = self._by_class.get(address_class, "").partition(":")
        answer = self._answer(address, ask)
        if answer is not None:
            mapped, _, to = answer.partition(":")
            transport, nexthop = mapped or transport, to if mapped else to or nexthop
        if transport not in REFUSING:
            return None
        return Undeliverable(nexthop.strip() or _NO_TEXT, transport == "retry")

    def _answer(self, address: str, ask: Ask) -> str | None:
        """The first answer, also an empty one: here that means the usual transport."""
        for key, is_partial in self._keys(address):
            for table in self._maps:
                if is_partial and table.pattern:
                    continue
                answer = ask(table, key)
                if answer is not None:
                    return answer
        return None

    def _keys(self, address: str) -> Iterator[Key]:
        """The keys of transport(5): the address, without extension, the domain, parents, and *.

        A pattern table is asked for * as well, although transport(5) says that it is asked
        whole addresses only.
        """
        local, _, domain = address.rpartition("@")
        user, extension = split_extension(local, self._site.recipient_delimiter)
        yield address, False
        if extension is not None:
            yield f"{user}@{domain}", True
        for name in parents(domain, self._parents):
            yield name, True
        yield "*", False
