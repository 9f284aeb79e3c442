"""In which order the keys of an address are asked, and of which tables.

Source: access(5) "EMAIL ADDRESS PATTERNS", postconf(5) "smtpd_sender_login_maps", and the order
that a live smtpd asks (tests/differential). Each key is asked of every table before the next key;
the first answer ends the search.
"""

from collections.abc import Iterator, Sequence
from typing import Literal, TypeAlias

from maysend.address import quote_local, split_extension
from maysend.address.characters import is_ascii
from maysend.restrictions.keys import Keys
from maysend.restrictions.resolved_address import ResolvedAddress
from maysend.restrictions.site import Site
from maysend.tables import OpenedTable, TableError
from maysend.tables.match_list import Ask

Key: TypeAlias = tuple[str, bool]
"""A key, and whether it is only a part of what is looked up: pattern tables see no parts."""


def find(ask: Ask, tables: Sequence[OpenedTable], key: Key) -> str | None:
    """The first table's answer for one key. Raises TableError; an empty answer is one too."""
    text, partial = key
    if not text:
        return None  # maps_find(3) asks no table for nothing
    for table in tables:
        if partial and table.pattern:
            continue
        answer = ask(table, text)
        if answer is not None:
            return not_empty(table, text, answer)
    return None


def not_empty(table: OpenedTable, key: str, answer: str) -> str:
    """The answer; an empty one is an error that somebody has to mend (maps_find(3))."""
    if not answer:
        raise TableError(table.spec, f"lookup of {key} returns an empty string", "config")
    return answer


def find_first(ask: Ask, tables: Sequence[OpenedTable], keys: Iterator[Key]) -> str | None:
    """The answer for the first key that any table knows."""
    for key in keys:
        answer = find(ask, tables, key)
        if answer is not None:
            return answer
    return None


def quoted_first(text: str) -> tuple[str, ...]:
    """An address key in its external form, then unquoted where that differs."""
    at = text.rfind("@")
    if at >= 0:
        external = text if text[:at].isalnum() else quote_local(text)
    else:
        # A bare local part: quoted as if a domain followed.
        external = text if text.isalnum() else quote_local(text + "@x")[:-2]
    return (text,) if external == text else (external, text)


def owner_keys(site: Site, ask: Ask, address: str) -> Iterator[Key]:
    """The keys of login maps and recipient maps for a resolved address.

    `user+ext@domain`, `user@domain`, then the bare `user+ext` and `user` where the domain is
    local, then `@domain`. There are no parent domains.
    """
    for key in quoted_first(address):
        yield key, False
    local, at, domain = address.rpartition("@")
    if not at:
        return
    user, extension = split_extension(local, site.recipient_delimiter)
    if extension is not None:
        for key in quoted_first(f"{user}@{domain}"):
            yield key, True
    if domain == site.myorigin.lower() or site.is_local(domain, ask):
        for key in quoted_first(local):
            yield key, True
        if extension is not None:
            for key in quoted_first(user):
                yield key, True
    yield "@" + domain, True


def whole_keys(resolved: ResolvedAddress) -> Keys:
    """The keys of a resolved address that tables of patterns are asked: these fold nothing."""
    address = resolved.address
    return Keys((address,) if resolved.plain else quoted_first(address))


def access_keys(site: Site, address: str) -> Keys:
    """The keys of an access table for a resolved address: `user+ext@domain`, `user@domain`,
    the domain and its parents, then `user+ext@` and `user@` (access(5))."""
    local, _, domain = address.rpartition("@")
    user, extension = split_extension(local, site.recipient_delimiter)
    domains = parents(domain, site.access_parents)
    if extension is None and local.isalnum():  # in short what follows: nothing to quote
        return Keys((address, *domains, f"{local}@"), is_ascii(address))
    whole = quoted_first(address)
    if extension is None:
        return Keys((*whole, *domains, *quoted_first(f"{local}@")), is_ascii(address))
    shorter = quoted_first(f"{user}@{domain}")
    locals = (*quoted_first(f"{local}@"), *quoted_first(f"{user}@"))
    return Keys((*whole, *shorter, *domains, *locals), is_ascii(address))


def parents(domain: str, style: Literal["none", "dot", "parent"]) -> Iterator[str]:
    """A domain and its parents: as "b.c" where subdomains match by their parent, else ".b.c"."""
    name = domain
    while name:
        yield name
        dot = name.find(".", 1)
        if dot < 0:
            return
        name = name[dot + 1 :] if style == "parent" else name[dot:]
