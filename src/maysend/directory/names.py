"""Which name of the directory decides about an address.

The names tried are the full address, then the address without its extension; then, in a domain of
kind "local", the same without the domain (root, postmaster: aliases(5)), and `postmaster` in every
managed domain (RFC 5321 4.5.1); then the patterns, in the order in which they were added; then the
catch-all `@domain`. The first that names an account or an alias decides, even where that gives no
owner: a receive-only alias, or a suspended account, hides its address from the catch-all's owner.

In a domain of kind "excluded" nothing decides: addresses there belong to nobody here.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

import msgspec

from maysend.address.extension import split_extension
from maysend.directory.domain_kinds import EXCLUDED, LOCAL, is_ours

POSTMASTER = "postmaster"


class AliasTarget(msgspec.Struct, frozen=True):
    """Where an alias leads, and what that gives its target."""

    target: str
    send: bool
    receive: bool


class Holder(msgspec.Struct, frozen=True):
    """A login that is granted an address, until `expires` (seconds since 1970) if that is set."""

    login: str
    address: str
    expires: int | None


class Reader(Protocol):
    """What is asked of the directory; every name is in the form of `addresses.comparable`."""

    def accounts(self, logins: Collection[str], /) -> Mapping[str, bool]:
        """Those of `logins` that are accounts, and whether each may act (not disabled, …)."""
        ...

    def aliases(self, addresses: Collection[str], /) -> Mapping[str, Sequence[AliasTarget]]:
        """Those of `addresses` that are aliases, and where they lead."""
        ...

    def holders(self, addresses: Collection[str], /, kind: str = "as") -> Sequence[Holder]:
        """The accounts that may act and hold an unexpired grant of `kind` for any of
        `addresses`."""
        ...

    def matching(self, address: str, /) -> Sequence[AliasTarget]:
        """Where the first pattern that `address` matches leads; () where it matches none."""
        ...

    def domain_kind(self, domain: str, /) -> str:
        """One of `domain_kinds.KINDS`, "" for a domain that is none of ours."""
        ...

    def posters(self, addresses: Collection[str], /) -> Mapping[str, Sequence[str]]:
        """Those of `addresses` that are protected lists, and who may write to each."""
        ...


class Decided(msgspec.Struct, frozen=True):
    """The name that decides: whether it is an account, and where it leads as an alias.

    By a pattern it is the address itself.
    """

    name: str
    is_account: bool
    targets: Sequence[AliasTarget]
    by_pattern: bool = False


def candidates(address: str, delimiters: str) -> tuple[str, ...]:
    """The names of `address` that are looked up, in order; patterns come before the last."""
    local_part, at, domain = address.rpartition("@")
    if not at:
        local_part = address
    base = split_extension(local_part, delimiters)[0] if delimiters else local_part
    names = [address]
    if base != local_part:
        names.append(f"{base}{at}{domain}")
    if at:
        names.append(local_part)
        if base != local_part:
            names.append(base)
        names.append(f"@{domain}")
    return tuple(names)


def decide(
    reader: Reader,
    names: Sequence[str],
    accounts: Mapping[str, bool],
    aliases: Mapping[str, Sequence[AliasTarget]],
) -> Decided | None:
    """The first of the candidates `names` that counts, given what is known of them."""
    address = names[0]
    domain = address.rpartition("@")[2] if "@" in address else ""
    if domain and reader.domain_kind(domain) == EXCLUDED:
        return None
    for name in names:
        if name.startswith("@"):
            targets = reader.matching(address)
            if targets:
                return Decided(address, False, targets, by_pattern=True)
        if name not in accounts and name not in aliases:
            continue
        if "@" in name or not domain or _counts_without_domain(reader, name, domain):
            return Decided(name, name in accounts, aliases.get(name, ()))
    return None


def decide_alone(reader: Reader, address: str, delimiters: str) -> Decided | None:
    """`decide` for one address, with what it has to know."""
    names = candidates(address, delimiters)
    return decide(reader, names, reader.accounts(names), reader.aliases(names))


def led_to(address: str, row: AliasTarget) -> str:
    """Where `row` leads `address`; `@domain` keeps the name before the "@" (virtual(5))."""
    if row.target.startswith("@"):
        return address.rpartition("@")[0] + row.target
    return row.target


def _counts_without_domain(reader: Reader, name: str, domain: str) -> bool:
    kind = reader.domain_kind(domain)
    return kind == LOCAL or (name == POSTMASTER and is_ours(kind))
