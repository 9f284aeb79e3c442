"""Lists of domains, hosts and addresses: mydestination, relay_domains, mynetworks.

Source: postconf(5) "mynetworks", "relay_domains", "mydestination", "debug_peer_list"; the first
pattern that matches decides, `!pattern` says no, `/file` stands for its lines, and `type:table`
is asked.
"""

import ipaddress
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec
from msgspec import structs

from maysend.address import fold
from maysend.maincf import tokens
from maysend.tables.network_ranges import FirstNetwork
from maysend.tables.table import LookupTable, TableError

Ask: TypeAlias = Callable[[LookupTable, str], str | None]
Subdomains: TypeAlias = Literal["none", "dot", "parent"]
"""Which names below a listed one match: none; those of ".name"; those of "name" itself."""

_ENDS_OF_NETWORKS = frozenset("0123456789]")
"""What a network may end in; a name that does not is none of those that are written."""

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


class Pattern(msgspec.Struct, frozen=True, gc=False):
    """One compiled pattern: exactly one of `text`, `network`, `table` and `failure` is set."""

    written: str
    matches: bool
    text: str = ""
    network: Network | None = None
    table: LookupTable | None = None
    failure: str = ""


class MatchList:
    """A compiled list. Raises TableError from a match whose table or file can't be read."""

    def __init__(
        self,
        name: str,
        value: str,
        open_table: Callable[[str], LookupTable],
        subdomains: Subdomains = "none",
    ) -> None:
        self.name = name
        self._open_table = open_table
        self._subdomains: Subdomains = subdomains
        self.patterns = tuple(self._compiled(value, set()))
        self._plain = self._plain_names()
        networks = [p.network for p in self.patterns if p.network is not None]
        self._networks = FirstNetwork(networks) if len(networks) == len(self.patterns) else None

    def match_name(self, name: str, ask: Ask) -> str | None:
        """The pattern that decides for a domain or host name, or None: not in the list."""
        if self._plain is not None:
            if not self._plain:
                return None
            name = fold(name)
            return name if name in self._plain else None
        name = fold(name)
        for pattern in self.patterns:
            if self._name_matches(pattern, name, ask):
                return pattern.written if pattern.matches else None
        return None

    def match_address(self, address: str, ask: Ask) -> str | None:
        """The pattern that decides for an IP address, or None: not in the list."""
        return self.match_host("", address, ask)

    def match_host(self, name: str, address: str, ask: Ask) -> str | None:
        """The pattern that decides for a client by name or address, as for mynetworks."""
        if self._networks is not None and not (name and name[-1] in _ENDS_OF_NETWORKS):
            number = self._networks.number_of(address)
            if number is None or not self.patterns[number].matches:
                return None
            return self.patterns[number].written
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            parsed = None
        for pattern in self.patterns:
            if (name and self._name_matches(pattern, fold(name), ask)) or self._address_matches(
                pattern, address, parsed, ask
            ):
                return pattern.written if pattern.matches else None
        return None

    def _plain_names(self) -> frozenset[str] | None:
        """The whole list as a set, where nothing but names to compare is in it."""
        if self._subdomains == "parent":
            return None
        plain = all(p.matches and p.text and not p.text.startswith(".") for p in self.patterns)
        return frozenset(p.text for p in self.patterns) if plain else None

    def _compiled(self, value: str, files: set[str]) -> Iterable[Pattern]:
        for token in tokens.split(value):
            written = token.text
            bare = written.lstrip("!")
            matches = (len(written) - len(bare)) % 2 == 0
            if bare.startswith("/"):
                for pattern in self._from_file(written, bare, files):
                    # "!/file" turns round what its lines say.
                    yield structs.replace(pattern, matches=pattern.matches is matches)
            elif not bare:
                yield Pattern(written, matches, failure="no pattern after '!'")
            elif ":" in bare and not bare.startswith("[") and not _is_network(bare):
                yield Pattern(written, matches, table=self._open_table(bare))
            else:
                yield _address_or_name(written, bare, matches)

    def _from_file(self, written: str, path: str, files: set[str]) -> Iterable[Pattern]:
        if path in files:
            yield Pattern(written, True, failure=f"{path} includes itself")
            return
        try:
            lines = Path(path).read_text("utf-8", "surrogateescape").splitlines()
        except OSError as error:
            yield Pattern(written, True, failure=f"{path}: {error.strerror}")
            return
        text = " ".join(line for line in lines if not line.lstrip().startswith("#"))
        yield from self._compiled(text, files | {path})

    def _name_matches(self, pattern: Pattern, name: str, ask: Ask) -> bool:
        if pattern.failure:
            raise TableError(self.name, pattern.failure)
        if pattern.table is not None:
            return self._name_in_table(pattern.table, name, ask)
        if not pattern.text:
            return False
        if name == pattern.text:
            return True
        if self._subdomains == "parent":
            return name.endswith("." + pattern.text)
        return pattern.text.startswith(".") and name.endswith(pattern.text)

    def _name_in_table(self, table: LookupTable, name: str, ask: Ask) -> bool:
        if self._subdomains == "none":
            return ask(table, name) is not None
        key = name
        while True:
            if (key == name or not table.pattern) and ask(table, key) is not None:
                return True
            dot = key.find(".", 1)
            if dot < 0:
                return False
            key = key[dot:] if self._subdomains == "dot" else key[dot + 1 :]

    def _address_matches(
        self,
        pattern: Pattern,
        address: str,
        parsed: ipaddress.IPv4Address | ipaddress.IPv6Address | None,
        ask: Ask,
    ) -> bool:
        if pattern.failure:
            raise TableError(self.name, pattern.failure)
        if pattern.table is not None:
            return ask(pattern.table, address) is not None
        if pattern.network is not None:
            return parsed is not None and parsed in pattern.network
        return pattern.text == address.lower()


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _address_or_name(written: str, bare: str, matches: bool) -> Pattern:
    """An address, a network or a name. A network with host bits set is refused, as in Postfix."""
    unbracketed = bare
    if bare.startswith("["):
        address, _, rest = bare[1:].partition("]")
        unbracketed = address + rest
    try:
        return Pattern(written, matches, network=ipaddress.ip_network(unbracketed))
    except ValueError as error:
        if _is_network(unbracketed):
            return Pattern(written, matches, failure=str(error))
    return Pattern(written, matches, text=fold(bare))
