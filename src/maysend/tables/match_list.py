"""Lists of domains, hosts and addresses: mydestination, relay_domains, mynetworks, `domain`.

Source: postconf(5) "mynetworks", "relay_domains", "mydestination", "debug_peer_list", and
string_list(3) for the `domain` of a database table. The first pattern that matches decides,
`!pattern` says no, `/file` stands for its lines, `type:table` is asked, and "#" ends a line.
"""

import ipaddress
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from maysend.maincf import tokens
from maysend.tables.network_ranges import FirstNetwork
from maysend.tables.opened import OpenedTable
from maysend.tables.reloading import Reloading
from maysend.tables.sources import Sources
from maysend.tables.table import TableError, Warn, ignore
from maysend.tables.text import fold

Ask: TypeAlias = Callable[[OpenedTable, str], str | None]
Subdomains: TypeAlias = Literal["none", "dot", "parent"]
"""Which names below a listed one match: none; those of ".name"; those of "name" itself."""

_ENDS_OF_NETWORKS: Final = frozenset("0123456789]")
"""What a network may end in; a name that does not is none of those that are written."""

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class Pattern:
    """One compiled pattern: a `table`, or a `text` that may be meant as a `network`, too.

    A `failure` says what can't be read; beside a text, only addresses can't be compared with it.
    """

    written: str
    matches: bool
    text: str = ""
    network: Network | None = None
    table: OpenedTable | None = None
    failure: str = ""


@dataclass(frozen=True)
class Patterns:
    """A whole list, compiled.

    `plain` is all of it as a set where it has nothing but names; `networks` where it has nothing
    but networks.
    """

    ordered: tuple[Pattern, ...]
    plain: frozenset[str] | None
    networks: FirstNetwork | None

    @property
    def failures(self) -> list[str]:
        """What can't be read."""
        return [pattern.failure for pattern in self.ordered if pattern.failure]


class MatchList:
    """A compiled list. Raises TableError from a match whose table or file can't be read.

    A list with files is read again when they change; `warn` is told where that fails, and what
    Postfix would log while it reads the list. `utf8` is smtputf8_enable.
    """

    def __init__(
        self,
        name: str,
        value: str,
        open_table: Callable[[str], OpenedTable],
        subdomains: Subdomains = "none",
        *,
        utf8: bool = True,
        warn: Warn = ignore,
    ) -> None:
        self.name = name
        self._value = value
        self._open_table = open_table
        self._subdomains: Subdomains = subdomains
        self._utf8 = utf8
        sources = Sources()
        self._patterns = self._read(sources, warn)
        self._files = (
            Reloading(self._patterns, sources, self._read_again, warn) if sources else None
        )

    @property
    def unreadable(self) -> str:
        """Why a part of the list can't be read; empty where all can."""
        for pattern in self.patterns:
            if pattern.failure and not pattern.text:
                return pattern.failure
        return ""

    @property
    def is_always_empty(self) -> bool:
        """Whether nothing is listed, nor can be later."""
        return self._files is None and not self._patterns.ordered

    @property
    def has_only_names(self) -> bool:
        """Whether it is written with names alone, so that no match fails or asks a table."""
        return self._files is None and self._patterns.plain is not None

    @property
    def patterns(self) -> tuple[Pattern, ...]:
        """The patterns in their order, with those of files in their place."""
        return self._now().ordered

    def match_name(self, name: str, ask: Ask) -> str | None:
        """The pattern that decides for a domain or host name, or None: not in the list."""
        patterns = self._now()
        if patterns.plain is not None:
            if not patterns.plain:
                return None
            name = fold(name, utf8=self._utf8)
            return name if name in patterns.plain else None
        name = fold(name, utf8=self._utf8)
        for pattern in patterns.ordered:
            if self._name_matches(pattern, name, ask):
                return pattern.written if pattern.matches else None
        return None

    def match_address(self, address: str, ask: Ask) -> str | None:
        """The pattern that decides for an IP address, or None: not in the list."""
        return self.match_host("", address, ask)

    def match_host(self, name: str, address: str, ask: Ask) -> str | None:
        """The pattern that decides for a client by name or address, as for mynetworks."""
        patterns = self._now()
        if patterns.networks is not None and not (name and name[-1] in _ENDS_OF_NETWORKS):
            number = patterns.networks.number_of(address)
            if number is None or not patterns.ordered[number].matches:
                return None
            return patterns.ordered[number].written
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            parsed = None
        name = fold(name, utf8=self._utf8)
        for pattern in patterns.ordered:
            if (name and self._name_matches(pattern, name, ask)) or self._address_matches(
                pattern, address, parsed, ask
            ):
                return pattern.written if pattern.matches else None
        return None

    def _now(self) -> Patterns:
        return self._patterns if self._files is None else self._files.now()

    def _read(self, sources: Sources, warn: Warn) -> Patterns:
        return self._grouped(tuple(self._compiled(self._value, sources, warn, frozenset())))

    def _read_again(self, sources: Sources, warn: Warn) -> Patterns:
        """The list as its files are now. Raises TableError where more of it fails than before."""
        patterns = self._read(sources, warn)
        before = self._patterns if self._files is None else self._files.value
        if news := [failure for failure in patterns.failures if failure not in before.failures]:
            raise TableError(self.name, news[0], "config")
        return patterns

    def _grouped(self, patterns: tuple[Pattern, ...]) -> Patterns:
        plain = self._subdomains != "parent" and all(
            p.matches and p.text and not p.text.startswith(".") for p in patterns
        )
        networks = [p.network for p in patterns if p.network is not None]
        return Patterns(
            patterns,
            frozenset(p.text for p in patterns) if plain else None,
            FirstNetwork(networks) if len(networks) == len(patterns) else None,
        )

    def _compiled(
        self, value: str, sources: Sources, warn: Warn, files: frozenset[str]
    ) -> Iterable[Pattern]:
        for token in tokens.split(value):
            written = token.text
            bare = written.lstrip("!")
            matches = (len(written) - len(bare)) % 2 == 0
            if written.startswith("#"):
                warn(
                    f"{self.name}: comment at end of line is not supported: {value[token.start :]}"
                )
                return
            if bare.startswith("/"):
                for pattern in self._from_file(written, bare, sources, warn, files):
                    # "!/file" turns round what its lines say.
                    yield replace(pattern, matches=pattern.matches is matches)
            elif not bare:
                yield Pattern(written, matches, failure="no pattern after '!'")
            elif ":" in bare and not bare.startswith("["):
                yield self._table_pattern(written, bare, matches)
            else:
                yield self._address_or_name(written, bare, matches)

    def _from_file(
        self, written: str, path: str, sources: Sources, warn: Warn, files: frozenset[str]
    ) -> Iterable[Pattern]:
        if path in files:
            yield Pattern(written, True, failure=f"{path} includes itself")
            return
        sources.note(path)
        try:
            with open(path, "rb") as file:
                lines = file.read().decode("utf-8", "surrogateescape").split("\n")
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            yield Pattern(written, True, failure=f"open file {path}: {reason}")
            return
        for line in lines:
            if not line.startswith("#"):
                yield from self._compiled(line, sources, warn, files | {path})

    def _table_pattern(self, written: str, spec: str, matches: bool) -> Pattern:
        if _is_network(spec):  # to Postfix, too, this is a table, of an unknown type
            return Pattern(written, matches, failure=f"{spec}: IPv6 addresses need [ ] around them")
        return Pattern(written, matches, table=self._open_table(spec))

    def _address_or_name(self, written: str, bare: str, matches: bool) -> Pattern:
        """An address, a network or a name. A network with host bits set is refused."""
        unbracketed = bare
        if bare.startswith("["):
            address, _, rest = bare[1:].partition("]")
            unbracketed = address + rest
        text = fold(bare, utf8=self._utf8)
        try:
            return Pattern(written, matches, text, network=ipaddress.ip_network(unbracketed))
        except ValueError as error:
            if _is_network(unbracketed):
                return Pattern(written, matches, text, failure=str(error))
        return Pattern(written, matches, text)

    def _name_matches(self, pattern: Pattern, name: str, ask: Ask) -> bool:
        if pattern.failure and not pattern.text:
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

    def _name_in_table(self, table: OpenedTable, name: str, ask: Ask) -> bool:
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
