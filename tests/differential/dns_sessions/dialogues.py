"""Random dialogues whose names are those of the random zones."""

from random import Random

from maysend.cases import Case, Turn
from tests.differential.dns_sessions.zones import CLIENT_ADDRESSES, DOMAINS

OTHER_DOMAINS = (
    "example.com",
    "nowhere.example",
    "Example.ORG",
    "bücher.example",
    "[192.0.2.1]",
    "[IPv6:2001:db8::a]",
    "d.other.example",
)
HELO_NAMES = (
    *DOMAINS,
    "nowhere.example",
    "client.example.",
    "[192.0.2.1]",
    "[192.0.2]",
    "192.0.2.1",
    "a.hosts.example",
    "-bad",
    "x",
)
CLIENT_NAMES = (
    "unknown",
    "[TEMPUNAVAIL]",
    "client.example",
    "mail.client.example",
    "alpha.example",
    "beta.example",
)
LOCAL_PARTS = ("bob", "alice", "b+x", "b%alpha.example", "postmaster")


def dialogue(random: Random, name: str, main_cf: dict[str, str], files: dict[str, str]) -> Case:
    """A dialogue with that configuration."""
    turns = [Turn("CONNECT")]
    for _ in range(random.choice([1, 1, 2])):
        if random.random() < (0.93 if len(turns) == 1 else 0.2):
            turns.append(Turn(f"{random.choice(['EHLO', 'HELO'])} {random.choice(HELO_NAMES)}"))
        turns += _transaction(random)
    return Case(
        name=name,
        main_cf=main_cf,
        files=files,
        client_address=random.choice(
            # smtpd knows no IPv6 client where inet_protocols leaves IPv6 out.
            CLIENT_ADDRESSES[:2] if "inet_protocols" in main_cf else CLIENT_ADDRESSES
        ),
        client_name=random.choice(CLIENT_NAMES),
        reverse_client_name=random.choice(["", "", "mail.client.example", "unknown"]),
        turns=tuple(turns),
    )


def _transaction(random: Random) -> list[Turn]:
    sender = "" if random.random() < 0.07 else _address(random)
    recipients = [_address(random) for _ in range(random.choice([1, 1, 2, 3]))]
    utf8 = " SMTPUTF8" if not "".join([sender, *recipients]).isascii() else ""
    turns = [Turn(f"MAIL FROM:<{sender}>{utf8}")]
    turns += [Turn(f"RCPT TO:<{recipient}>") for recipient in recipients]
    if random.random() < 0.5:
        turns += [Turn("DATA"), Turn("END")]
    return [*turns, Turn("RSET")]


def _address(random: Random) -> str:
    kind = random.random()
    if kind < 0.03:
        return random.choice(["bob", "example.org", "a@alpha.example@beta.example"])
    domain = random.choice(DOMAINS if kind < 0.7 else OTHER_DOMAINS)
    return f"{random.choice(LOCAL_PARTS)}@{domain}"
