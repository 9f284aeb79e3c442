"""Random dialogues: who connects, and what the client says."""

from random import Random

from maysend.cases import Case, Turn
from tests.differential.sessions.addresses import Address, address
from tests.differential.sessions.tables import CLIENT_ADDRESSES, CLIENT_NAMES, HELO_NAMES, LOGINS


def dialogue(
    random: Random, name: str, main_cf: dict[str, str], files: dict[str, str]
) -> tuple[Case, list[Address]]:
    """A dialogue with that configuration, and the addresses that it uses."""
    addresses: list[Address] = []
    utf8 = "smtputf8_enable" not in main_cf and main_cf.get("compatibility_level") != "0"
    turns = [Turn("CONNECT")]
    for _ in range(random.choice([1, 1, 2])):
        if random.random() < (0.9 if len(turns) == 1 else 0.2):
            verb = random.choice(["EHLO", "EHLO", "HELO"])
            turns.append(Turn(f"{verb} {random.choice(HELO_NAMES)}"))
        turns += _transaction(random, addresses, utf8)
    case = Case(
        name=name,
        main_cf=main_cf,
        files=files,
        client_address=random.choice(CLIENT_ADDRESSES),
        client_name=random.choice(CLIENT_NAMES),
        reverse_client_name=random.choice(["", "", "", "mail.client.example", "unknown"]),
        # XCLIENT itself replaces octets that it takes for unprintable.
        login=random.choice(["", "", *(login for login in LOGINS if utf8 or login.isascii())]),
        turns=tuple(turns),
    )
    return case, addresses


def _transaction(random: Random, addresses: list[Address], utf8: bool) -> list[Turn]:
    bounce = random.random() < 0.1
    sender = Address("", "null") if bounce else address(random)
    addresses.append(sender)
    parameter = " SMTPUTF8" if utf8 and (not sender.text.isascii() or random.random() < 0.1) else ""
    turns = [Turn(f"MAIL FROM:<{sender.text}>{parameter}")]
    for _ in range(random.choice([2, 3] if bounce else [1, 1, 2, 3])):
        recipient = address(random)
        addresses.append(recipient)
        turns.append(Turn(f"RCPT TO:<{recipient.text}>"))
    if random.random() < 0.6:
        turns.append(Turn("DATA"))
        turns.append(Turn("END"))
    return [*turns, Turn("RSET")]
