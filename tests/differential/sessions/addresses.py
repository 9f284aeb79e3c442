"""Addresses of every shape, as a client writes them between < and >."""

from collections.abc import Callable
from random import Random

import msgspec

LOCAL_PARTS = ("bob", "alice", "info", "sales", "nobody", "x")
DOMAINS = (
    "example.com",
    "example.com",
    "mail.example.com",
    "alias.example",
    "mailbox.example",
    "relay.example",
    "sub.relay.example",
    "example.org",
    "a.sub.example.org",
    "example.net",
    "localhost",
)


class Address(msgspec.Struct, frozen=True):
    """What is written, and which of SHAPES it was made as."""

    text: str
    shape: str


def _local(random: Random) -> str:
    return random.choice(LOCAL_PARTS)


def _domain(random: Random) -> str:
    return random.choice(DOMAINS)


def _plain(random: Random) -> str:
    return f"{_local(random)}@{_domain(random)}"


def _extension(random: Random) -> str:
    return (
        f"{_local(random)}{random.choice('+++-')}{random.choice(['x', 'y', ''])}@{_domain(random)}"
    )


def _quoted(random: Random) -> str:
    inside = random.choice(
        ["bob", "bob smith", "bob+x", "a@b", "bob%x", "x!y", 'q\\"q', "a\\\\b", "", ".bob", "a,b"]
    )
    return f'"{inside}"@{_domain(random)}'


def _routed(random: Random) -> str:
    return random.choice(["@a.example:", "@a.example,@b.example:", "@:"]) + random.choice(
        [_plain(random), _local(random), _percent(random)]
    )


def _percent(random: Random) -> str:
    tail = random.choice(["", f"@{_domain(random)}"])
    return f"{_local(random)}%{_domain(random)}{tail}"


def _bang(random: Random) -> str:
    tail = random.choice(["", f"@{_domain(random)}"])
    return f"{_domain(random)}!{_local(random)}{tail}"


def _utf8(random: Random) -> str:
    return (
        random.choice(["jürgen", "bob", "Ünal+x", "почта"])
        + "@"
        + random.choice(["example.com", "bücher.example", "example.org"])
    )


def _literal(random: Random) -> str:
    host = random.choice(
        ["127.0.0.1", "192.0.2.9", "IPv6:2001:db8::1", "IPv6:::1", "999.1.1.1", "ipv6:::1", "x", ""]
    )
    return f"{_local(random)}@[{host}]"


def _upper(random: Random) -> str:
    return random.choice([str.upper, str.title])(_plain(random))


def _dots(random: Random) -> str:
    plain = _plain(random)
    return random.choice(
        [
            f"{plain}.",
            f"{plain}..",
            f".{plain}",
            "b..b@example.com",
            "bob.@example.com",
            "bob@.example.com",
            "bob@example..com",
            "bob@.",
        ]
    )


def _odd(random: Random) -> str:
    return random.choice(
        [
            "a@b@example.com",
            "bob@",
            "@example.com",
            "bob@192.0.2.1",
            "bob@-x.example",
            "bob@x_y.example",
            "bob(comment)@example.com",
            "bob\\@x@example.com",
            "owner-bob@example.com",
            "bob-request@example.com",
            "MAILER-DAEMON",
            "double-bounce@example.com",
            "bob@mail",
            "bob%",
            "!bob",
            "bob!",
            "@",
            "bob@a:25",
        ]
    )


SHAPES: dict[str, Callable[[Random], str]] = {
    "plain": _plain,
    "extension": _extension,
    "quoted": _quoted,
    "null": lambda random: "",
    "bare": _local,
    "routed": _routed,
    "percent": _percent,
    "bang": _bang,
    "UTF-8": _utf8,
    "literal": _literal,
    "upper case": _upper,
    "dots": _dots,
    "postmaster": lambda random: random.choice(
        ["postmaster", "Postmaster", "postmaster@example.com"]
    ),
    "odd": _odd,
}
"""Shape → how to make one."""
WEIGHTS = {"plain": 12, "extension": 5, "upper case": 2, "quoted": 2, "null": 2}


def address(random: Random) -> Address:
    """An address of a random shape."""
    weights = [WEIGHTS.get(shape, 1) for shape in SHAPES]
    shape = random.choices(list(SHAPES), weights)[0]
    return Address(SHAPES[shape](random), shape)


def table_key(random: Random) -> str:
    """A key such as access(5) and the login maps ask for an address."""
    local = random.choice([*LOCAL_PARTS, "bob+x", "postmaster", "jürgen"])
    domain = random.choice([*DOMAINS, "org", "example", "sub.example.org", "[127.0.0.1]"])
    return random.choice(
        [f"{local}@{domain}"] * 5
        + [domain] * 4
        + [f".{domain}", f"{local}@", f"{local}@", local, f"@{domain}", f"@{domain}", "<>"]
    )
