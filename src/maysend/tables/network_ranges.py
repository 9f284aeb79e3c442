"""The answer of a cidr table or a list of networks for every address: one step for any number.

Networks, their complements, and what several of them have in common are ranges of addresses. So
the rules of a table, with the `if`s around them, cut all addresses into ranges within which the
same rule is the first that applies. They are found once, with a sweep from the lowest address.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from heapq import heappop, heappush
from ipaddress import IPv4Network, IPv6Network
from typing import TypeAlias

from maysend.tables.rules import Rule, guards_of

Range: TypeAlias = tuple[int, int]
"""The first address of a range, and the first one behind it."""


class AnswerRanges:
    """What the addresses of one family answer; `size` is that of an address in bytes.

    From each of the packed addresses `starts` on, the lowest one first, that of `answers` counts.
    """

    def __init__(self, rules: Sequence[Rule], ranges: Sequence[Iterable[Range]], size: int) -> None:
        """`ranges`: where each condition holds, in the order of the rules."""
        self.starts: list[bytes] = [bytes(size)]
        self.answers: list[str | None] = [None]
        for start, number in _first_rules(_applying(rules, ranges, 1 << 8 * size)):
            answer = None if number is None else _answer(rules[number])
            if start == 0:
                self.answers[0] = answer
            elif start < 1 << 8 * size:
                self.starts.append(start.to_bytes(size, "big"))
                self.answers.append(answer)


class FirstNetwork:
    """Which one of some networks is the first that has an address (mynetworks)."""

    def __init__(self, networks: Sequence[IPv4Network | IPv6Network]) -> None:
        from socket import AF_INET, AF_INET6, inet_pton

        self._packed = inet_pton
        self._family, self._family6 = int(AF_INET), int(AF_INET6)
        self._places, self._numbers = _placed(networks, 4)
        self._places6, self._numbers6 = _placed(networks, 6)

    def number_of(self, address: str) -> int | None:
        """The place of that network among them; None where none has it, or it is no address."""
        try:
            if ":" in address:
                packed = self._packed(self._family6, address)
                return self._numbers6[bisect_right(self._places6, packed)]
            packed = self._packed(self._family, address)
            return self._numbers[bisect_right(self._places, packed)]
        except (OSError, ValueError):
            return None


def _placed(
    networks: Sequence[IPv4Network | IPv6Network], version: int
) -> tuple[list[bytes], list[int | None]]:
    """Where another network is the first, and which: the first number is for what is before."""
    applying = sorted(
        (int(network.network_address), number, int(network.broadcast_address) + 1)
        for number, network in enumerate(networks)
        if network.version == version
    )
    size = 4 if version == 4 else 16
    changes = [change for change in _first_rules(applying) if change[0] < 1 << 8 * size]
    places = [place.to_bytes(size, "big") for place, _ in changes]
    return places, [None, *(number for _, number in changes)]


def _answer(rule: Rule) -> str | None:
    return None if rule.answer is None else rule.answer(())


def _applying(
    rules: Sequence[Rule], ranges: Sequence[Iterable[Range]], end: int
) -> list[tuple[int, int, int]]:
    """First address, number of the rule, and first address behind: where each rule applies."""
    applying: list[tuple[int, int, int]] = []
    for number, guards in enumerate(guards_of(rules)):
        if rules[number].answer is None:
            continue
        found = list(ranges[number])
        for guard in guards:
            found = _common(found, list(ranges[guard]))
        applying += [(start, number, behind) for start, behind in found]
    return sorted(applying)


def _common(first: Sequence[Range], second: Sequence[Range]) -> list[Range]:
    common = (
        (max(start, other_start), min(behind, other_behind))
        for start, behind in first
        for other_start, other_behind in second
    )
    return [(start, behind) for start, behind in common if start < behind]


def _first_rules(applying: Sequence[tuple[int, int, int]]) -> list[tuple[int, int | None]]:
    """From which address on which rule is the first that applies, None for no rule."""
    changes: list[tuple[int, int | None]] = []
    reaching: list[tuple[int, int]] = []  # rules that apply here, or did: number, where they end
    places = sorted({place for start, _, behind in applying for place in (start, behind)})
    following = 0
    for place in places:
        while following < len(applying) and applying[following][0] == place:
            _, number, behind = applying[following]
            heappush(reaching, (number, behind))
            following += 1
        while reaching and reaching[0][1] <= place:
            heappop(reaching)
        number_here = reaching[0][0] if reaching else None
        if not changes or changes[-1][1] != number_here:
            changes.append((place, number_here))
    return changes
