"""Pattern tables of 10 to 10,000 rules beside postmap -q -, on the same files and keys.

Prints `NAME ours=… peer=… ratio=…` in microseconds of CPU time a key (see beside_postmap), and at
the end how much more a key costs us with 10,000 patterns than with 10. Of ten patterns one is a
plain address; the others are unanchored, alternating, classed, with groups, or inside an IF and
negated there. Half of the keys are hits, most of the others miss by little.
"""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from beside_postmap import KEYS, Measured, measure

KEYS_OF_PEER = {("regexp", 10_000): 4000}
"""postmap takes 4 ms for each, and the shell's patience is limited; all others get all keys."""

Rule = tuple[str, str, str]
"""The rule, a key that it matches, and one that it misses by little; `#` is the rule's number."""

RULES: Sequence[Rule] = (
    ("/^user#@example#\\.com$/ alice#", "User#@example#.com", "user#@example#.org"),
    ("/^sales#(\\+[^@]*)?@shop#\\.example$/ bob#", "sales#+spring@shop#.example",
     "sales#@shop#.example.org"),
    ("/@list#\\.example\\.org$/ OK #", "someone.else@list#.example.org", "x@list#.example.com"),
    ("/^(info|abuse)#@/ postmaster", "abuse#@example.com", "infos#@example.com"),
    ("/^[a-z]+#-(request|bounces)@lists\\.example\\.net$/ lists",
     "devel#-bounces@lists.example.net", "devel#-owner@lists.example.net"),
    ("/team#\\.[a-z]+@(east|west)\\.example$/ team", "old-team#.jane@west.example",
     "team#.jane@north.example"),
    ("/^([^@]+)@dept#\\.example\\.com$/ $1", "jane.doe@dept#.example.com",
     "jane.doe@dept#.example.co"),
    ("/^bulk#[0-9]{3,}@/ REJECT bulk", "bulk#2024@news.example", "bulk#a@news.example"),
    ("if /@tenant#\\.example$/\n!/^(postmaster|abuse)@/ REJECT\nendif", "joe@tenant#.example",
     "abuse@tenant#.example"),
    ("/(^|\\.)host#\\.example\\.net$/ RELAY", "mail.host#.example.net", "mailhost#.example.net"),
)  # fmt: skip


def main() -> None:
    """Measure all tables."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        for kind, sizes in (("pcre", (10, 1000, 10_000)), ("regexp", (10, 1000, 10_000))):
            costs = {}
            for size in sizes:
                measured = _patterns(kind, size, directory)
                costs[size] = measured.our_cost
                print(measured.line(f"{kind}_{size}"), flush=True)
            growth = costs[10_000] / costs[10]
            print(f"{kind}_growth_10_to_10000 {growth:.1f}")
        for size in (100, 10_000):
            print(_networks(size, directory).line(f"cidr_{size}"), flush=True)


def _patterns(kind: str, size: int, directory: Path) -> Measured:
    random = Random(size)
    path = directory / f"{size}.{kind}"
    numbers = random.sample(range(10 * size), size)
    lines = [RULES[place % len(RULES)][0].replace("#", str(n)) for place, n in enumerate(numbers)]
    path.write_text("\n".join(lines) + "\n")

    def key(hit: bool) -> str:
        place = random.randrange(size)
        text = RULES[place % len(RULES)][1 if hit else 2]
        return text.replace("#", str(numbers[place]))

    keys = _keys(random, key, lambda: f"u{random.randrange(10**6)}@host{random.randrange(999)}.de")
    limit = KEYS_OF_PEER.get((kind, size), KEYS)
    return measure(f"{kind}:{path}", keys, directory, min(limit, KEYS))


def _networks(size: int, directory: Path) -> Measured:
    random = Random(size)
    lines: list[str] = []
    starts: list[int] = []
    while len(lines) < size:
        length = random.choice((12, 16, 20, 24, 24, 24, 28, 32))
        start = random.getrandbits(32) >> (32 - length) << (32 - length)
        starts.append(start)
        if random.random() < 0.02:
            lines.append(f"if {_dotted(start >> 24 << 24)}/8\n{_dotted(start)}/{length} OK\nendif")
        elif random.random() < 0.1:
            lines.append(f"2001:db8:{random.randrange(65536):x}::/48 OK")
        else:
            lines.append(f"{_dotted(start)}/{length} REJECT {len(lines)}")
    path = directory / f"{size}.cidr"
    path.write_text("\n".join(lines) + "\n")

    def key(hit: bool) -> str:
        return _dotted(random.choice(starts) if hit else random.getrandbits(32))

    return measure(f"cidr:{path}", _keys(random, key, lambda: "2001:db8:1::1"), directory)


def _keys(random: Random, key: Callable[[bool], str], other: Callable[[], str]) -> list[str]:
    """Half of them hits, the others near misses and, one of ten, something else."""
    return [
        key(True) if chance < 0.5 else key(False) if chance < 0.9 else other()
        for chance in (random.random() for _ in range(KEYS))
    ]


def _dotted(number: int) -> str:
    return ".".join(str(byte) for byte in number.to_bytes(4, "big"))


if __name__ == "__main__":
    main()
