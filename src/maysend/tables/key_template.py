"""Templates that a key fills in, where several of them belong to one table (memcache:, ldap:).

What one of them needs, the key must have for all: `%d` in search_base and `%u` in query_filter mean
that "bob" and "@example.com" are not asked at all. Source: ldap_table(5), memcache_table(5).
"""

from collections.abc import Callable, Iterable

from maysend.tables.client_file import ClientParameters
from maysend.tables.domain_list import DomainList
from maysend.tables.sql import Address, Template
from maysend.tables.table import TableContext

_DIGITS = frozenset("123456789")
_OF_KEY = frozenset("SUD") | _DIGITS
"""What stands for a part of the key in a result_format too."""


class KeyFilter:
    """Which keys the server of a table has to be asked for: `domain`, and what templates need."""

    def __init__(
        self,
        parameters: ClientParameters,
        context: TableContext,
        *,
        of_key: Iterable[Template],
        of_value: Iterable[Template] = (),
    ) -> None:
        letters: set[str] = set()
        for template in of_key:
            letters |= template.letters
        for template in of_value:
            letters |= template.letters & _OF_KEY
        self._needs_user = bool(letters & set("uU"))
        self._needs_domain = bool(letters & (_DIGITS | set("dD")))
        self._needs_labels = max((int(letter) for letter in letters & _DIGITS), default=0)
        domains = parameters.text("domain")
        self._domains = DomainList(domains, parameters.spec, context) if domains else None
        self._takes_all = self._domains is None and not (self._needs_user or self._needs_domain)

    def takes(self, key: str) -> bool:
        """Whether `key` is asked. Raises TableError where `domain` can't be looked up."""
        if self._takes_all or not key:
            return bool(key)
        address = Address.of(key)
        if self._domains is not None and not (
            address.user and address.domain is not None and self._domains.has(address.domain)
        ):
            return False
        if self._needs_domain and not address.domain:
            return False
        if self._needs_user and not address.user:
            return False
        return len(address.labels) >= self._needs_labels


def filled(template: Template, key: str, quote: Callable[[str], str]) -> str:
    """`template` with the parts of a key that KeyFilter takes, each made harmless by `quote`."""
    address = Address.of(key)

    def part(letter: str) -> str:
        if letter in _DIGITS:
            return quote(address.labels[int(letter) - 1])
        match letter:
            case "u" | "U":
                return quote(address.user)
            case "d" | "D":
                return quote(address.domain or "")
        return quote(key)

    return template.expanded(part)


def formatted(template: Template, value: str, key: str) -> str | None:
    """`template` as a result_format: small letters are parts of `value`, the others of `key`.

    None where `value` lacks a part, so that it does not count.
    """
    if template.copies:
        return value
    of_value, of_key = Address.of(value), Address.of(key)
    if "d" in template.letters and not of_value.domain:
        return None
    if "u" in template.letters and not of_value.user:
        return None

    def part(letter: str) -> str:
        if letter in _DIGITS:
            return of_key.labels[int(letter) - 1]
        address = of_value if letter.islower() else of_key
        match letter:
            case "u" | "U":
                return address.user
            case "d" | "D":
                return address.domain or ""
        return address.text

    return template.expanded(part)
