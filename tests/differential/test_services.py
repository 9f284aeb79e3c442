"""S4.6: services with their own -o options, from one master.cf, as the real smtpd with the same."""

from pathlib import Path

import pytest

from maysend.cases import Case, Turn
from maysend.cases.dialogue import ask_policy
from maysend.policy import Policy
from tests.differential.live_postfix import BASE_PARAMETERS, LivePostfix
from tests.live_dialogue import ask_postfix

MAIN_CF = {
    "mua_sender_restrictions": "reject_authenticated_sender_login_mismatch",
    "smtpd_sender_login_maps": "inline:{bob@example.com=bob}",
    "smtpd_recipient_restrictions": "reject_unauth_destination",
}
OPTIONS = {
    "smtp": {},
    "submission": {
        "smtpd_sender_restrictions": "$mua_sender_restrictions",
        "smtpd_relay_restrictions": "permit_sasl_authenticated,reject",
    },
    "465": {"smtpd_recipient_restrictions": "permit_sasl_authenticated,reject"},
    "2025": {
        "smtpd_sasl_auth_enable": "no",
        "smtpd_client_restrictions": "permit_mynetworks,reject",
    },
}
MASTER_CF = "".join(
    f"{service} inet n - n - - smtpd\n"
    + "".join(f"  -o {name}={value}\n" for name, value in options.items())
    for service, options in OPTIONS.items()
)
ASKED = [
    ("", "stranger@example.org", "bob@example.com"),
    ("", "stranger@example.org", "x@example.net"),
    ("alice", "bob@example.com", "x@example.net"),
    ("bob", "bob@example.com", "x@example.net"),
]


@pytest.mark.needs_postfix
@pytest.mark.parametrize("service", OPTIONS)
def test_each_service_decides_by_its_own_options(service: str) -> None:
    options = [f"{name}={value}" for name, value in OPTIONS[service].items()]
    files = {"master.cf": MASTER_CF}
    with LivePostfix(MAIN_CF, files, service_options=options) as postfix:
        policy = Policy.load(postfix.directory, service)
        live, ours = [], []
        for login, sender, recipient in ASKED:
            turns = (Turn(f"MAIL FROM:<{sender}>"), Turn(f"RCPT TO:<{recipient}>"))
            case = Case(name=service, login=login, turns=turns)
            live.append([answer.reply for answer in ask_postfix(postfix, case)])
            ours.append([answer.reply for answer in ask_policy(policy, case)])
    assert ours == live


def test_the_services_decide_differently(tmp_path: Path) -> None:
    parameters = {**BASE_PARAMETERS, **MAIN_CF}
    main_cf = "".join(f"{name} = {value}\n" for name, value in parameters.items())
    (tmp_path / "main.cf").write_text(main_cf)
    (tmp_path / "master.cf").write_text(MASTER_CF)
    case = Case(
        name="",
        turns=(Turn("MAIL FROM:<stranger@example.org>"), Turn("RCPT TO:<bob@example.com>")),
    )
    replies = {
        service: ask_policy(Policy.load(tmp_path, service), case)[-1].reply for service in OPTIONS
    }
    assert replies == {
        "smtp": "ok",
        "submission": "554 5.7.1 <bob@example.com>: Recipient address rejected: Access denied",
        "465": "554 5.7.1 <bob@example.com>: Recipient address rejected: Access denied",
        "2025": "554 5.7.1 <unknown[192.0.2.7]>: Client host rejected: Access denied",
    }
