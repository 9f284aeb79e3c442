"""# cidr: networks

## What it does
Compares the key, an IP address, with networks in the order of the file; the first that contains
it gives the answer. It is a pattern table: it is asked whole keys only.

## Arguments
`cidr:FILE`, or `cidr:{ {rule}, {rule} }`. Lines are

- `network/length answer` or `address answer`. Brackets around the address, or around all of it,
  are allowed. The bits behind the length must be zero.
- `!network/length answer`: every other address of the same family.
- `if network/length` or `if !network/length`, and `endif`; they nest.
- A line that starts with whitespace continues the line before.

## Replies
The answer of the first rule that applies; nothing in it is replaced. A key that is not an address
is not found.

## Errors
- A file that can't be read, broken braces: the table is unavailable (retry).
- A line that is no rule: skipped with a warning that names file and line. (Postfix lets a length
  of 4294967328 wrap round to 32; here it is wrong.)

## Example
    192.168.0.0/16      OK
    2001:db8::/32       REJECT documentation only

## Source
cidr_table(5); `!` and if/endif since Postfix 3.2.
"""

from collections.abc import Callable, Sequence

import msgspec

from maysend.maincf.lines import WHITESPACE
from maysend.tables.lines import read_rules
from maysend.tables.network_ranges import AnswerRanges
from maysend.tables.network_search import NetworkSearch
from maysend.tables.rule_search import PatternTable
from maysend.tables.rules import Condition, Rule, RuleError, compile_rules, is_word, search
from maysend.tables.table import TableContext

_DIGITS = frozenset("0123456789")


class Network(msgspec.Struct, frozen=True):
    """A network, or with `negated` all other addresses of its family (told by `size`, in bytes)."""

    address: int
    length: int
    size: int
    negated: bool

    def groups(self, key: bytes, /) -> Sequence[bytes] | None:
        """Nothing where the packed address `key` is meant, None where it is not."""
        if len(key) != self.size:
            return None
        host_bits = 8 * self.size - self.length
        inside = int.from_bytes(key, "big") >> host_bits == self.address >> host_bits
        return () if inside is not self.negated else None

    def ranges(self, size: int) -> Sequence[tuple[int, int]]:
        """Which addresses of `size` bytes are meant: first one, and first one behind."""
        if size != self.size:
            return ()
        behind = self.address + (1 << 8 * size - self.length)
        if not self.negated:
            return ((self.address, behind),)
        return ((0, self.address), (behind, 1 << 8 * size))


class CidrSyntax:
    """Reads `network/length answer`."""

    def is_match(self, text: str, /) -> bool:
        """Whether the line is neither if nor endif."""
        return not is_word(text, "if") and not is_word(text, "endif")

    def match(self, text: str, warn: Callable[[str], None], /) -> Rule:
        """Read a network and its answer. Raises RuleError."""
        start = 0
        while start < len(text) and text[start] in f"!{WHITESPACE}":
            start += 1
        end = start
        while end < len(text) and text[end] not in WHITESPACE:
            end += 1
        network = parse_network(text[start:end], negated=text[:start].count("!") % 2 == 1)
        answer = text[end:].lstrip(WHITESPACE)
        if not answer:
            raise RuleError(
                "no lookup result: expected network/length and an answer: skipping this rule"
            )
        return Rule(0, network, lambda groups: answer)

    def condition(self, text: str, /) -> tuple[Condition, str]:
        """Read the network behind `if`, which has the line to itself. Raises RuleError."""
        network = text.lstrip(f"!{WHITESPACE}")
        bangs = text[: len(text) - len(network)]
        return parse_network(network, negated=bangs.count("!") % 2 == 1), ""

    def check_endif(self, rest: str, warn: Callable[[str], None], /) -> None:
        """Text behind endif makes it void. Raises RuleError."""
        raise RuleError("garbage after ENDIF: skipping this rule")


def parse_network(text: str, *, negated: bool = False) -> Network:
    """Read `address`, `network/length`, `[address]`, `[network]/length` or `[network/length]`.

    Raises RuleError, which says what was expected.
    """
    if not text:
        raise RuleError("no address pattern: skipping this rule")
    pattern = _unbracketed(text)
    network, slash, length_text = pattern.partition("/")
    if slash and not (length_text and _DIGITS.issuperset(length_text)):
        raise RuleError(f'bad mask value in "{text}": skipping this rule')
    address = packed(network)
    if address is None:
        raise RuleError(
            f'bad address pattern: "{text}": expected an IP address: skipping this rule'
        )
    bits = 8 * len(address)
    length = int(length_text[-9:]) if slash else bits
    if length > bits or length_text[:-9].strip("0"):
        raise RuleError(f'bad mask length in "{text}": expected 0 to {bits}: skipping this rule')
    number = int.from_bytes(address, "big")
    if number & ((1 << (bits - length)) - 1):
        raise RuleError(f'non-null host address bits in "{text}": skipping this rule')
    return Network(number, length, len(address), negated)


def packed(address: str) -> bytes | None:
    """The address in network byte order, None where it is none (inet_pton(3))."""
    from socket import AF_INET, AF_INET6, inet_pton  # loaded only where a network is compared

    try:
        return inet_pton(AF_INET6 if ":" in address else AF_INET, address)
    except (OSError, ValueError):
        return None


def _unbracketed(text: str) -> str:
    if not text.startswith("["):
        return text
    inside, closing, rest = text[1:].partition("]")
    if not closing:
        raise RuleError(f"missing ']' character after \"{text}\": skipping this rule")
    if rest and not rest.startswith("/"):
        raise RuleError(f'garbage after "[{inside}]": skipping this rule')
    return inside + rest


def open_cidr(name: str, context: TableContext) -> PatternTable:
    """Open `cidr:name`. Raises TableError (config) where the rules can't be read."""
    spec = f"cidr:{name}"
    rules = compile_rules(read_rules(name, spec, context), CidrSyntax(), spec, context)

    def search_all(key: str) -> str | None:
        address = packed(key)
        return None if address is None else search(rules, address, spec, context)

    ranges = None if context.trace is not None else _search(rules)
    return PatternTable(spec, rules, search_all, ranges)


def _search(rules: Sequence[Rule]) -> NetworkSearch:
    ranges, ranges6 = (
        AnswerRanges(
            rules,
            [rule.condition.ranges(size) for rule in rules if isinstance(rule.condition, Network)],
            size,
        )
        for size in (4, 16)
    )
    return NetworkSearch(ranges, ranges6)
