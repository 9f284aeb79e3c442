"""Random keys and answers: what addresses, domains and hostile clients look like."""

from collections.abc import Sequence
from random import Random

SHAPES = (
    "plain", "case", "extension", "unicode", "invalid UTF-8", "quoted", "very long", "empty",
    "special characters", "address literal",
)  # fmt: skip

_USERS = ("a", "b", "bob", "alice", "sales", "info", "x.y", "owner-list", "o'brien", "postmaster")
_DOMAINS = ("example.com", "example.net", "a.b.example.com", "com", "x", "sub.example.com", "b.co")
_UNICODE = ("jörg", "İstanbul", "ß", "ΣΑΣ", "ǅ", "日本", "é", "ﬀ", "𐐀", "Ⅷ", "K", "ſ", "e\u0301")
_IPV6 = ("::", "::1", "2001:db8::", "2001:DB8::1", "fe80::1", "1:2:3:4:5:6:7:8")
_SPECIAL = " !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~\t\x01\x7f\x0b\r"
_BROKEN = ("\udcff", "\udcc3", "\udced\udca0\udc80", "\udcc0\udcaf", "\udcf5\udc80\udc80\udc80")


def address(random: Random) -> str:
    """A user, a domain, or both."""
    kind = random.random()
    if kind < 0.15:
        return random.choice(_USERS)
    if kind < 0.3:
        return random.choice(_DOMAINS)
    if kind < 0.4:
        return "@" + random.choice(_DOMAINS)
    return f"{random.choice(_USERS)}@{random.choice(_DOMAINS)}"


def ip_address(random: Random) -> str:
    """An address, sometimes in a form that is none."""
    if random.random() < 0.5:
        text = ".".join(str(random.choice((0, 1, 2, 10, 127, 192, 255))) for _ in range(4))
    else:
        text = random.choice(
            ("::", "::1", "2001:db8::", "2001:DB8::1", "fe80::1", "1:2:3:4:5:6:7:8")
        )
        if random.random() < 0.3:
            text = f"2001:db8:{random.randrange(65536):x}::{random.randrange(65536):x}"
    if random.random() < 0.08:
        text = random.choice(("[%s]", "%s.", " %s", "0%s", "%s%%lo", "::ffff:%s")) % text
    return text


def key(random: Random, known: Sequence[str]) -> tuple[str, str]:
    """A key and its shape; often one of `known`, or near one of them."""
    base = random.choice(known) if known and random.random() < 0.7 else address(random)
    shape = random.choices(SHAPES, (30, 12, 8, 8, 4, 4, 1, 2, 8, 6))[0]
    return _without_line_ends(_shaped(random, shape, base)), shape


def text(random: Random) -> str:
    """An answer."""
    return random.choice((
        "OK", "REJECT", "550 5.7.1 no", "alice", "bob, alice", "a b  c", "é", "ÉA", "x" * 300,
        "smtp:[a.example]:25", "1,2,,3", '"q"', "\\", address(random), address(random),
    ))  # fmt: skip


def _shaped(random: Random, shape: str, base: str) -> str:
    user, at, domain = base.rpartition("@")
    match shape:
        case "case":
            return "".join(random.choice((c.upper(), c.lower(), c.swapcase())) for c in base)
        case "extension":
            return f"{user or 'bob'}+{random.choice(('x', '', 'a+b'))}@{domain}"
        case "unicode":
            return random.choice((base + "%s", "%s" + base, "%s", "%s@" + domain)).replace(
                "%s", random.choice(_UNICODE)
            )
        case "invalid UTF-8":
            cut = random.randint(0, len(base))
            return base[:cut] + random.choice(_BROKEN) + base[cut:]
        case "quoted":
            return f'"{user or base} x"{at}{domain}' if random.random() < 0.7 else f'"{base}"'
        case "very long":
            return base + random.choice("ab.@x") * random.choice((250, 511, 512, 2000, 5000))
        case "empty":
            return ""
        case "special characters":
            return base + "".join(random.choices(_SPECIAL, k=random.randint(1, 4)))
        case "address literal":
            return ip_address(random)
    return base


def _without_line_ends(text: str) -> str:
    """postmap reads one key a line."""
    return text.replace("\n", " ")
