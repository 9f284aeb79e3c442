"""Sender addresses worth trying against login maps: those that the tables themselves name."""

from collections.abc import Iterable, Iterator
from itertools import islice

from maysend.lint.contents import entries
from maysend.restrictions.site import Site
from maysend.tables import LookupTable, TableError

MOST = 20_000
"""Addresses tried; a table with more keys is judged by as many of them."""

NOBODYS_NAME = "maysend-lint"
"""A local part that no key is likely to have, for what only a catch-all answers."""


def addresses_named(
    site: Site, tables: Iterable[LookupTable], samples: Iterable[str] = ()
) -> list[str]:
    """The addresses that the keys of tables that can be listed stand for, and `samples`.

    A bare local part stands for the address in every domain that is local, "@domain" for every
    known local part there and one that nobody has. At most MOST. Tables that can't be read now
    are left out.
    """
    keys = [key for table in tables for key in _keys(table)]
    keys += samples
    return list(dict.fromkeys(islice(_addresses(site, keys), MOST)))


def _keys(table: LookupTable) -> Iterable[str]:
    try:
        return entries(table) or ()
    except TableError:
        return ()


def _addresses(site: Site, keys: list[str]) -> Iterator[str]:
    local_parts = dict.fromkeys([*(_local_part(key) for key in keys), NOBODYS_NAME])
    local_parts.pop("", None)
    local_domains = tuple(_local_domains(site))
    yield from (key for key in keys if "@" in key and _local_part(key) and key[-1] != "@")
    for key in keys:
        if key.startswith("@") and len(key) > 1:
            yield from (f"{local}{key}" for local in local_parts)
        elif "@" not in key:
            yield from (f"{key}@{domain}" for domain in local_domains)


def _local_part(key: str) -> str:
    local, at, _ = key.rpartition("@")
    return local if at else key


def _local_domains(site: Site) -> Iterator[str]:
    """The domains in which bare keys are asked, as far as they are named one by one."""
    yield site.myorigin.lower()
    for word in site.parameters["mydestination"].replace(",", " ").split():
        if not word.startswith(("/", "!")) and ":" not in word:
            yield word.lower()
