"""Random zones: every shape of answer that a restriction may get, for names that are asked."""

from collections.abc import Iterator
from ipaddress import ip_address
from random import Random

DOMAINS = (
    "example.org",
    "sub.example.org",
    "deep.sub.example.org",
    "alpha.example",
    "beta.example",
    "relay.example",
    "xn--bcher-kva.example",
    "client.example",
    "mail.client.example",
)
"""Domains of addresses, clients and HELO names; nowhere.example never exists."""
HOSTS = ("a.hosts.example", "b.hosts.example", "c.hosts.example", "d.other.example")
OUR_NAMES = ("mail.example.com", "example.com", "me.hosts.example", "proxy.hosts.example")
"""Names of this host: its own, a local domain, and two that lead to its addresses."""
ADDRESSES = ("192.0.2.1", "192.0.2.2", "192.0.2.65", "198.51.100.1", "203.0.113.9")
IPV6_ADDRESSES = ("2001:db8::a", "2001:db8::b", "2001:db8:5::1")
CLIENT_ADDRESSES = ("192.0.2.7", "198.51.100.9", "2001:db8::25")
ADDRESS_LISTS = ("rbl.example", "two.example")
DOMAIN_LISTS = ("rhs.example", "two.example")
ANSWERS = ("127.0.0.2", "127.0.0.3", "127.0.0.9", "127.0.1.2", "127.0.1.4", "127.0.5.1")
REASONS = (
    "listed",
    "see http://rbl.example/?ip=1",
    "$rbl_what {a}",
    "",
    "tab\\009bell\\007high\\200",
    "x" * 240,
)


def zone(random: Random) -> str:
    """A zone as `maysend.dns.zone` reads it."""
    lines = [*_our_hosts()]
    for host in HOSTS:
        lines += _host(random, host)
    for domain in DOMAINS:
        lines += _domain(random, domain)
    for address in CLIENT_ADDRESSES:
        label = ip_address(address).reverse_pointer.rsplit(".", 2)[0]
        for blocklist in ADDRESS_LISTS:
            lines += _listing(random, f"{label}.{blocklist}")
    for domain in (*DOMAINS, "example.com"):
        for blocklist in DOMAIN_LISTS:
            lines += _listing(random, f"{domain}.{blocklist}")
    return "".join(f"{line}\n" for line in lines)


def _our_hosts() -> Iterator[str]:
    yield "mail.example.com A 192.0.2.25"
    yield "me.hosts.example A 127.0.0.1"
    yield "proxy.hosts.example A 192.0.2.99"


def _host(random: Random, host: str) -> Iterator[str]:
    kind = random.random()
    if kind < 0.1:
        return
    if kind < 0.2:
        yield f"{host} {random.choice(['', 'A ', 'AAAA '])}SERVFAIL"
    elif kind < 0.27:
        yield f"{host} CNAME {random.choice([*HOSTS, 'nowhere.example'])}"
    elif kind < 0.34:
        yield f"{host} TXT nothing"
    if kind >= 0.34 or (0.1 <= kind < 0.2 and random.random() < 0.5):
        yield from _addresses(random, host)


def _addresses(random: Random, name: str) -> Iterator[str]:
    for address in random.sample(ADDRESSES, random.choice([0, 1, 1, 2])):
        yield f"{name} A {address}"
    for address in random.sample(IPV6_ADDRESSES, random.choice([0, 0, 1, 2])):
        yield f"{name} AAAA {address}"


def _domain(random: Random, domain: str) -> Iterator[str]:
    kind = random.random()
    if kind < 0.1:
        return
    if kind < 0.18:
        yield f"{domain} SERVFAIL"
        return
    if kind < 0.25:
        yield f"{domain} CNAME {random.choice([*DOMAINS, 'nowhere.example'])}"
        return
    for type in ("MX", "A", "AAAA", "NS"):
        if random.random() < 0.06:
            yield f"{domain} {type} SERVFAIL"
    if random.random() < 0.6:
        yield from _exchangers(random, domain)
    if random.random() < 0.5:
        yield from _addresses(random, domain)
    if random.random() < 0.7:
        for server in random.sample([*HOSTS, *OUR_NAMES], random.choice([1, 2])):
            yield f"{domain} NS {server}"
    if random.random() < 0.1:
        yield f"{domain} TXT text"


def _exchangers(random: Random, domain: str) -> Iterator[str]:
    if random.random() < 0.12:
        yield f"{domain} MX 0 ."
        if random.random() < 0.6:
            return
    names = [*HOSTS, *HOSTS, *OUR_NAMES, "nowhere.example", "-bad-.example", "192.0.2.65"]
    for exchanger in random.sample(names, random.choice([1, 1, 2, 3])):
        yield f"{domain} MX {random.choice([0, 10, 10, 20, 30])} {exchanger}"


def _listing(random: Random, name: str) -> Iterator[str]:
    kind = random.random()
    if kind < 0.45:
        return
    if kind < 0.55:
        yield f"{name} SERVFAIL"
        return
    if kind < 0.6:
        yield f"{name} TXT SERVFAIL"
    elif kind < 0.9:
        for reason in random.sample(REASONS, random.choice([1, 1, 2, 3])):
            yield f'{name} TXT "{reason}"'
    if random.random() < 0.92:
        for answer in random.sample(ANSWERS, random.choice([1, 1, 2])):
            yield f"{name} A {answer}"
