"""The `=d.d.d.d` behind the name of a list in DNS: which of its answers count.

Each d is a number, or numbers and ranges in brackets: `127.0.0.[2;4..11]`. Source: postconf(5)
"reject_rbl_client". Any answer that matches will do.
"""

import re
from collections.abc import Iterable
from typing import TypeAlias

_NUMBER = re.compile(r"[0-9]+")
_OCTETS = 4

Octet: TypeAlias = frozenset[int]


class FilterError(ValueError):
    """The filter can't be read; the text says what was expected and where."""


class BlocklistFilter:
    """A compiled filter. Raises FilterError."""

    def __init__(self, written: str) -> None:
        self._written = written
        self._position = 0
        self._octets = tuple(self._all_octets())

    def matches(self, addresses: Iterable[str]) -> bool:
        """Whether one of these IPv4 addresses counts."""
        return any(self._matches(address) for address in addresses)

    def _matches(self, address: str) -> bool:
        numbers = map(int, address.split("."))
        return all(number in octet for number, octet in zip(numbers, self._octets, strict=True))

    def _all_octets(self) -> Iterable[Octet]:
        for index in range(_OCTETS):
            if index and not self._take("."):
                raise self._expected('"."')
            yield self._several() if self._take("[") else frozenset((self._number(' or "["'),))
        if self._position < len(self._written):
            raise self._expected("nothing more")

    def _several(self) -> Octet:
        octet: set[int] = set()
        while True:
            first = last = self._number()
            if self._take(".."):
                last = self._number()
                if last < first:
                    raise self._expected("a range from low to high before this")
            octet.update(range(first, last + 1))
            if self._take("]"):
                return frozenset(octet)
            if not self._take(";"):
                raise self._expected('";" or "]"')

    def _number(self, otherwise: str = "") -> int:
        match = _NUMBER.match(self._written, self._position)
        if match is None or int(match[0]) > 255:
            raise self._expected(f"a number from 0 to 255{otherwise}")
        self._position = match.end()
        return int(match[0])

    def _take(self, text: str) -> bool:
        if not self._written.startswith(text, self._position):
            return False
        self._position += len(text)
        return True

    def _expected(self, what: str) -> FilterError:
        before, after = self._written[: self._position], self._written[self._position :]
        return FilterError(f'expected {what} at "{before}>{after}"')
