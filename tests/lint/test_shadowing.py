"""S1.3: shadowed owners are found exactly where decisions show them, on random pairs of tables."""

import os
from collections import Counter
from random import Random

import pytest

from maysend.lint import Smtpd
from maysend.lint.configuration import asked
from maysend.lint.rules.shadowed_owner import check
from maysend.maincf import Parameters
from maysend.policy import Policy

PAIRS = int(os.environ.get("MAYSEND_TABLE_PAIRS", "150"))
SEED = int(os.environ.get("MAYSEND_SEED", "0")) or Random().randrange(1, 1 << 32)

LOCAL, OTHER = "example.com", "example.org"
USERS = ("ann", "bob", "ann+tag")
KEYS = (
    *(f"{user}@{domain}" for user in USERS for domain in (LOCAL, OTHER)),
    *USERS,
    f"@{LOCAL}",
    f"@{OTHER}",
)
LOGINS = ("l1", "l2", "l3")
SENDERS = tuple(
    f"{user}@{domain}"
    for user in (*USERS, "eve", "bob+tag", "eve+tag")
    for domain in (LOCAL, OTHER)
)
BASE = {
    "compatibility_level": "3.6",
    "myhostname": f"mail.{LOCAL}",
    "mydomain": LOCAL,
    "myorigin": LOCAL,
    "mydestination": LOCAL,
    "mynetworks": "127.0.0.0/8",
    "recipient_delimiter": "+",
    "smtpd_sasl_auth_enable": "yes",
}
MAPS = "smtpd_sender_login_maps"


def table(random: Random) -> str:
    keys = random.sample(KEYS, random.randint(1, 4))
    pairs = [f"{{{key} = {' '.join(random.sample(LOGINS, random.randint(1, 2)))}}}" for key in keys]
    return f"inline:{{{', '.join(pairs)}}}"


def refused(policy: Policy, login: str, sender: str) -> bool:
    return "not owned by" in str(asked(policy, login=login, sender=sender).reply)


def brute_force(smtpd: Smtpd, tables: list[str]) -> set[int]:
    """The tables with an owner who may not do what he may where there is no other table."""
    assert smtpd.policy is not None
    questions = [(login, sender) for login in LOGINS for sender in SENDERS]
    refusals = {question for question in questions if refused(smtpd.policy, *question)}
    return {
        position
        for position, spec in enumerate(tables)
        for alone in [smtpd.policy_with({MAPS: spec})]
        if any(not refused(alone, *question) for question in refusals)
    }


def test_s1_3_findings_equal_a_brute_force_of_decisions(
    capsys: pytest.CaptureFixture[str],
) -> None:
    random = Random(SEED)
    counts: Counter[str] = Counter()
    for _ in range(PAIRS):
        tables = [table(random), table(random)]
        restriction = random.choice(
            ("reject_sender_login_mismatch", "reject_authenticated_sender_login_mismatch")
        )
        parameters = Parameters.from_mapping(
            {**BASE, "smtpd_sender_restrictions": restriction, MAPS: ", ".join(tables)}
        )
        smtpd = Smtpd("", parameters, parameters)
        found = {tables.index(problem.written) for problem in check(smtpd)}
        wanted = brute_force(smtpd, tables)
        assert found == wanted, (SEED, tables)
        counts["shadowed" if wanted else "sound"] += 1
    with capsys.disabled():
        print(f"\nshadowing seed {SEED}: {PAIRS} pairs of tables, {dict(counts)}, differing 0")
    assert PAIRS < 100 or len(counts) == 2
