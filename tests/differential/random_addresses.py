"""Random addresses of every shape that a hostile or an old mail system may send."""

import random
import re
from collections import Counter

LOCAL_DOMAINS = "example.com, mail.example.com, localhost, local, Ü.example, example"
"""mydestination of the instances that are asked."""

_CHARACTERS = [*'aab.@@:"\\ %!()<>[],;+-|\t\r\x7f\x0b', "é", "ü", "\udcff"]
_PIECES = [
    "..",
    "@a:",
    "@@",
    "a@b",
    "<a@b>",
    '"q r"',
    '\\"',
    "(c d)",
    "bob+news",
    "owner-list",
    "list-request",
    "postmaster",
    "MAILER-DAEMON",
    ".com",
    "example",
    "local",
    "@example.com",
    "@EXAMPLE.com.",
    "@localhost",
    "@other.example",
    "@ü.example",
    "@ß",
    "@é.example",
    "@[127.0.0.1]",
    "@127.0.0.1",
    "[1.2.3.4]",
    "1.2.3.4",
    "[IPv6:::1]",
    "::1",
    "x" * 70,
]
_NAMES = [
    *"aB1-_..9:* ",
    *("é", "ß", "Ü", "。", "☺", "א", "中", "ﬁ", "\u0301", "\u200d", "\xad", "\udcff"),
    *("a" * 63, "b" * 40, ".com", "255", "256", "00", "1.2.3.4", "IPv6:", "ffff", "12345", "::"),
    *("[", "]", "xn--tda", "xn--", "0."),
]

SHAPES = {
    "empty": re.compile(r""),
    "plain": re.compile(r"[a-z]+@[a-z.]+\.[a-z]+"),
    "bare": re.compile(r"[^@%!]+"),
    "extension": re.compile(r"[^@]+\+[^@]*(@.*)?"),
    "quoted": re.compile(r'.*".*', re.DOTALL),
    "route": re.compile(r"@[^:]*:.*", re.DOTALL),
    "percent": re.compile(r"[^%]+%.*", re.DOTALL),
    "bang": re.compile(r"[^!]+!.*", re.DOTALL),
    "two domains": re.compile(r".*@.*@.*", re.DOTALL),
    "literal": re.compile(r".*@\[.*\].*", re.DOTALL),
    "numeric domain": re.compile(r".*@[0-9.]+", re.DOTALL),
    "final dot": re.compile(r".*@.*\.", re.DOTALL),
    "no domain": re.compile(r".+@", re.DOTALL),
    "no local part": re.compile(r"@.+", re.DOTALL),
    "UTF-8": re.compile(r".*[\x80-\uffff].*", re.DOTALL),
    "not UTF-8": re.compile(r".*[\udc80-\udcff].*", re.DOTALL),
    "control": re.compile(r".*[\x00-\x1f\x7f].*", re.DOTALL),
    "long": re.compile(r".{64,}", re.DOTALL),
}
"""What an address may be, several at once; each has to occur in a run."""


def address(dice: random.Random) -> str:
    """One address in no particular form, between nothing and some hundred characters."""
    kind = dice.random()
    if kind < 0.08:
        return dice.choice(["bob", "ann.smith", "x"]) + dice.choice(
            ["@example.com", "@mail.example.com", "@other.example", "@é.example", ""]
        )
    pieces = dice.randint(0, dice.choice((3, 5, 9)))
    words = (dice.choice(_CHARACTERS if dice.random() < 0.6 else _PIECES) for _ in range(pieces))
    return "".join(words)


def host_name(dice: random.Random) -> str:
    """Something between a host name, an address and an address literal."""
    return "".join(dice.choice(_NAMES) for _ in range(dice.randint(0, 7)))


def shapes(text: str) -> list[str]:
    """The names of the shapes that an address has."""
    return [name for name, pattern in SHAPES.items() if pattern.fullmatch(text)]


class Coverage:
    """How often each shape was asked."""

    def __init__(self) -> None:
        self._counts = Counter(dict.fromkeys(SHAPES, 0))

    def count(self, text: str) -> None:
        """Note one address."""
        self._counts.update(shapes(text))

    def never(self) -> list[str]:
        """The shapes that did not occur."""
        return [name for name, count in self._counts.items() if count == 0]

    def __str__(self) -> str:
        return ", ".join(f"{name} {count}" for name, count in self._counts.items())
