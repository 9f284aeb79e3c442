"""Finds the answer of a cidr table: the address is read, and the range that it is in found."""

from bisect import bisect_right
from socket import AF_INET, AF_INET6, inet_pton
from typing import TYPE_CHECKING

from maysend.tables.compiling import IS_COMPILED
from maysend.tables.network_ranges import AnswerRanges
from maysend.tables.rule_search import RuleSearch
from maysend.tables.text import CheckedTable

if TYPE_CHECKING:
    from mypy_extensions import i64  # an int of C where it is compiled


class NetworkSearch(RuleSearch):
    """The ranges within which IPv4 and IPv6 addresses have the same answer."""

    def __init__(self, ranges: AnswerRanges, ranges6: AnswerRanges) -> None:
        self.plain = all(
            answer is None or answer.isascii() for answer in (*ranges.answers, *ranges6.answers)
        )
        self._starts = [int.from_bytes(start, "big") for start in ranges.starts]
        self._answers = ranges.answers
        self._starts6 = ranges6.starts
        self._answers6 = ranges6.answers
        self._family, self._family6 = int(AF_INET), int(AF_INET6)
        self._after = [bisect_right(self._starts, first << 24) for first in range(257)]

    def lookup(self, key: str, /) -> str | None:
        """The answer of the first rule that applies to the address `key`."""
        number = self._number(key)
        if number >= 0:
            return self._answer(number)
        return self._answer6(key) if ":" in key else None

    def usual(self, key: str, table: CheckedTable) -> str | None:
        """The same, for the addresses of IPv4 at once."""
        number = self._number(key)
        return self._answer(number) if number >= 0 else table.lookup(key)

    def _number(self, key: str) -> int:
        """The IPv4 address `key`, -1 where it is none (inet_pton(3))."""
        if not IS_COMPILED:
            try:
                return int.from_bytes(inet_pton(self._family, key), "big")
            except (OSError, ValueError):
                return -1
        number: i64 = 0
        byte: i64 = -1  # until it has a digit
        dots: i64 = 0
        for place in range(len(key)):
            code: i64 = ord(key[place])
            if 48 <= code <= 57 and byte != 0:
                byte = code - 48 if byte < 0 else 10 * byte + code - 48
                if byte > 255:
                    return -1
            elif code == 46 and byte >= 0 and dots < 3:
                number = number << 8 | byte
                byte = -1
                dots += 1
            else:
                return -1
        return number << 8 | byte if dots == 3 and byte >= 0 else -1

    def _answer(self, number: int) -> str | None:
        starts = self._starts
        if not IS_COMPILED:
            return self._answers[bisect_right(starts, number) - 1]
        first = number >> 24
        low, high = self._after[first], self._after[first + 1]
        while low < high:
            middle = (low + high) >> 1
            if starts[middle] <= number:
                low = middle + 1
            else:
                high = middle
        return self._answers[low - 1]

    def _answer6(self, key: str) -> str | None:
        try:
            address = inet_pton(self._family6, key)
        except (OSError, ValueError):
            return None  # it is no address
        return self._answers6[bisect_right(self._starts6, address) - 1]
