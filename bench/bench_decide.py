"""Decisions a second in one process, trace included, and beside a live smtpd on the same dialogues.

    decide_25_restrictions        a main.cf of 25 restrictions on tables in memory; 15000/s
    decide_builtin                the built-in policy on a directory of 2000 accounts; 40000/s
    decide_25_beside_smtpd        the first again, as whole sessions, beside smtpd through XCLIENT
    decide_builtin_beside_smtpd   the built-in policy's lists on text files, beside smtpd likewise

Every dialogue is decided afresh from its first command, and every table is asked each time; only
the directory keeps answers, as it does in a worker. There are 4000 dialogues, no two with the same
client, sender or recipient. Every second one is found in a table, and of these every second one is
refused, so that some decisions end early: the share is printed. Requests are made beforehand, as a
server has them in its hands. Rates are of wall clock time, medians of several rounds; those of CPU
time, in brackets, are what this program needs where others have the machine as well.

smtpd has it easy: EHLO, MAIL and RCPT come in one write behind XCLIENT. It needs a connection for
each dialogue, as it takes a login by XCLIENT only once, and its time includes that and the client
here that drives it. Both take turns, so that who else has the machine slows both, and the ratio is
the median of the turns'. The replies have to be the same.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from maysend.directory import Directory
from maysend.policy import Decision, Policy, Request

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.differential.live_postfix import LivePostfix

DIALOGUES = 4000
ASKED_OF_SMTPD = 1000
ACCOUNTS = 2000
ROUNDS = 7
TURNS = 8
SENDER_TABLES = 9
PARAMETERS = {
    "recipient_delimiter": "+",
    "mynetworks": "127.0.0.0/8, 10.0.0.0/8",
    "smtpd_sender_login_maps": "texthash:$config_directory/owners",
    "smtpd_client_restrictions": ", ".join(
        f"check_client_access inline:{{198.51.100.{number}=REJECT}}" for number in range(6)
    ),
    "smtpd_helo_restrictions": "reject_invalid_helo_hostname, reject_non_fqdn_helo_hostname",
    "smtpd_sender_restrictions": ", ".join(
        (
            "reject_non_fqdn_sender",
            *(
                f"check_sender_access texthash:$config_directory/senders{number}"
                for number in range(SENDER_TABLES)
            ),
            "reject_sender_login_mismatch",
        )
    ),
    "smtpd_relay_restrictions": "permit_mynetworks, permit_sasl_authenticated, reject",
    "smtpd_recipient_restrictions": "reject_non_fqdn_recipient, "
    "check_recipient_access inline:{all@example.com=REJECT}, permit_mynetworks, "
    "permit_sasl_authenticated, reject",
}
"""25 restrictions as written."""

LIKE_BUILTIN = {
    "recipient_delimiter": "+",
    "mynetworks": "",
    "mydestination": "",
    "smtpd_sender_login_maps": "texthash:$config_directory/owners",
    "smtpd_client_restrictions": "check_sasl_access texthash:$config_directory/suspended",
    "smtpd_sender_restrictions": "reject_non_fqdn_sender, "
    "reject_authenticated_sender_login_mismatch",
    "smtpd_relay_restrictions": "permit_sasl_authenticated, reject",
    "smtpd_recipient_restrictions": "reject_non_fqdn_recipient",
    "smtpd_reject_unlisted_recipient": "no",
    "smtpd_reject_unlisted_sender": "no",
}
"""The built-in main.cf with text files where it has the directory, which smtpd can't ask."""


class Rate(NamedTuple):
    """Decisions a second, by the clock on the wall and by the processor's."""

    wall: float
    cpu: float


def dialogues() -> list[Request]:
    """As many different clients, senders and recipients as there are dialogues."""
    return [
        Request(
            client_address=f"198.18.{number // 250}.{number % 250}",
            helo_name=f"client{number}.example.com",
            sasl_username=f"user{number}",
            sender=f"user{number}@domain{number % 97}.example",
            recipient=f"someone{number}@site{number % 89}.example.net",
        )
        for number in range(DIALOGUES)
    ]


def files(requests: Sequence[Request]) -> dict[str, str]:
    """The tables: every sender has an owner, and every second is in a table of senders."""
    tables = {"owners": "".join(f"{one.sender} {one.sasl_username}\n" for one in requests)}
    listed = requests[::2]
    tables["suspended"] = "".join(f"{one.sasl_username} REJECT not now\n" for one in listed[1::2])
    for table in range(SENDER_TABLES):
        tables[f"senders{table}"] = "".join(
            f"{one.sender} {'REJECT not now' if place % 2 else 'DUNNO'}\n"
            for place, one in enumerate(listed)
            if place % SENDER_TABLES == table
        )
    return tables


def rate(decide: Callable[[Request], Decision], requests: Sequence[Request]) -> Rate:
    """The median of some rounds through all requests, after one to warm up."""
    for request in requests:
        decide(request)
    rates = [passed(decide, requests) for _ in range(ROUNDS)]
    return Rate(*(statistics.median(values) for values in zip(*rates, strict=True)))


def passed(decide: Callable[[Request], Decision], requests: Sequence[Request]) -> Rate:
    """Once through all requests."""
    wall, cpu = time.perf_counter(), time.process_time()
    for request in requests:
        decide(request)
    taken = time.perf_counter() - wall, time.process_time() - cpu
    return Rate(len(requests) / taken[0], len(requests) / taken[1])


def held_session(policy: Policy) -> Callable[[Request], Decision]:
    """Decide as a server does, command by command."""

    def decide(request: Request) -> Decision:
        session = policy.session(
            client_address=request.client_address, sasl_username=request.sasl_username
        )
        session.connect()
        session.helo(request.helo_name)
        session.mail(request.sender)
        return session.rcpt(request.recipient)

    return decide


def ask_smtpd(postfix: LivePostfix, request: Request) -> str:
    """The reply to RCPT of one dialogue, in the fewest round trips there are."""
    with postfix.session(
        client_address=request.client_address, login=request.sasl_username
    ) as smtp:
        smtp.send(
            f"EHLO {request.helo_name}\r\nMAIL FROM:<{request.sender}>\r\n"
            f"RCPT TO:<{request.recipient}>\r\n".encode()
        )
        smtp.reply()
        smtp.reply()
        return smtp.reply()


def measure_beside_smtpd(name: str, parameters: dict[str, str], wanted: int | None = None) -> None:
    """The same dialogues, decided by both in turns; `wanted` also prints our rate alone."""
    requests = dialogues()
    with LivePostfix(parameters, files(requests)) as postfix:
        policy = Policy.load(postfix.directory)
        if wanted:
            print_rate(name, rate(policy.decide, requests), wanted)
        decide = held_session(policy)
        refused = sum(not decide(request).is_permitted for request in requests) / len(requests)
        each = ASKED_OF_SMTPD // TURNS
        turns = [
            (passed(decide, requests).wall, smtpd_rate(postfix, decide, requests[start:][:each]))
            for start in range(0, each * TURNS, each)
        ]
    ours, theirs = (statistics.median(rates) for rates in zip(*turns, strict=True))
    ratios = [mine / peer for mine, peer in turns]
    print(
        f"{name.removesuffix('_restrictions')}_beside_smtpd ours={ours:.0f}/s peer={theirs:.0f}/s "
        f"ratio={statistics.median(ratios):.1f} "
        f"(turns: {min(ratios):.1f} to {max(ratios):.1f}; same replies, {refused:.0%} refused)"
    )


def smtpd_rate(
    postfix: LivePostfix, decide: Callable[[Request], Decision], requests: Sequence[Request]
) -> float:
    """Dialogues that smtpd answers in a second; what it answers has to be our decision."""
    started = time.perf_counter()
    replies = [ask_smtpd(postfix, request) for request in requests]
    taken = time.perf_counter() - started
    for request, reply in zip(requests, replies, strict=True):
        decision = decide(request)
        if str(decision.reply or "250 2.1.5 Ok") != reply:
            raise SystemExit(f"{request.sender}: {decision.reply}, but smtpd says {reply}")
    return len(requests) / taken


def measure_builtin() -> None:
    """The built-in policy: half of the logins send as themselves, the others as their neighbour."""
    with tempfile.TemporaryDirectory() as directory:
        store = Directory.open(str(Path(directory) / "directory.db"))
        logins = [f"user{number}@domain{number % 97}.example" for number in range(ACCOUNTS)]
        for login in logins:
            store.accounts.add(login)
        policy = Policy.builtin(store.table_types())
        requests = [
            Request(
                client_address=one.client_address,
                helo_name=one.helo_name,
                sasl_username=logins[number % ACCOUNTS],
                sender=logins[(number + number % 2) % ACCOUNTS],
                recipient=one.recipient,
            )
            for number, one in enumerate(dialogues())
        ]
        measured = rate(policy.decide, requests)
        refused = sum(not policy.decide(request).is_permitted for request in requests)
    if refused != len(requests) // 2:
        raise SystemExit(f"{refused} of {len(requests)} refused, expected every second one")
    print_rate("decide_builtin", measured, 40000)


def print_rate(name: str, measured: Rate, wanted: int) -> None:
    """One line, beside the rate that is wanted."""
    print(
        f"{name} ours={measured.wall:.0f}/s peer={wanted}/s ratio={measured.wall / wanted:.2f} "
        f"(CPU time: {measured.cpu:.0f}/s)"
    )


if __name__ == "__main__":
    measure_beside_smtpd("decide_25_restrictions", PARAMETERS, 15000)
    measure_builtin()
    measure_beside_smtpd("decide_builtin", LIKE_BUILTIN)
