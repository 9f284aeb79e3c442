"""The answer of a cidr table for every address, as ranges: one step for any number of rules.

Networks, their complements, and what several of them have in common are ranges of addresses. So
the rules of a table, with the `if`s around them, cut all addresses into ranges within which the
same rule is the first that applies. They are found once, with a sweep from the lowest address.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from heapq import heappop, heappush
from typing import TypeAlias

from maysend.tables.rules import Rule, guards_of

Range: TypeAlias = tuple[int, int]
"""The first address of a range, and the first one behind it."""


class AnswerRanges:
    """What the addresses of one family answer; `size` is that of an address in bytes."""

    def __init__(self, rules: Sequence[Rule], ranges: Sequence[Iterable[Range]], size: int) -> None:
        """`ranges`: where each condition holds, in the order of the rules."""
        self._starts: list[bytes] = [bytes(size)]
        self._answers: list[str | None] = [None]
        for start, number in _first_rules(_applying(rules, ranges, 1 << 8 * size)):
            answer = None if number is None else _answer(rules[number])
            if start == 0:
                self._answers[0] = answer
            elif start < 1 << 8 * size:
                self._starts.append(start.to_bytes(size, "big"))
                self._answers.append(answer)

    def answer(self, address: bytes) -> str | None:
        """The answer of the first rule that applies to the packed `address`."""
        return self._answers[bisect_right(self._starts, address) - 1]


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
