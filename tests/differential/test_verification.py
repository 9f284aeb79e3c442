"""reject_unverified_*: by the cache of a real verify(8), which a live smtpd asks, and by us."""

import time
from collections.abc import Iterator

import pytest

from maysend.cases import Case, Turn
from maysend.cases.dialogue import ask_policy
from maysend.policy import Policy
from tests.differential.live_postfix import LivePostfix
from tests.live_dialogue import ask_postfix

pytestmark = pytest.mark.needs_postfix

DAY = 86400
ENTRIES = """
ok@{d} 0:{now}:{now}:250 delivers
def@{d} 1:0:{now}:host x said: 450 later
bad@{d} 2:0:{now}:host mx[192.0.2.4] said: 550 5.1.1 no such user
quoted@{d} 2:0:{now}:unknown user: "quoted"
long@{d} 2:0:{now}:{long}
todo@{d} 3:{now}:{now}:
old@{d} 0:0:{old}:250 delivers
oldbad@{d} 2:0:{oldbad}:550 x
odd@{d} 7:0:{now}:x
broken@{d} nonsense
local@example.com 2:0:{now}:550 x
"""
USERS = ("ok", "def", "bad", "quoted", "long", "todo", "old", "oldbad", "odd", "broken", "none")
ADDRESSES = (
    *(f"{user}@example.com" for user in USERS),
    "BAD@Example.COM",
    "bad@EXAMPLE.com",
    "bad+x@example.com",
    "local",
)
PARAMETERS: tuple[dict[str, str], ...] = (
    {},
    {"unverified_KIND_reject_code": "553", "unverified_KIND_defer_code": "451"},
    {"unverified_KIND_reject_reason": "No way", "unverified_KIND_reject_code": "550"},
    {"unverified_KIND_tempfail_action": "defer"},
    {"reject_tempfail_action": "defer"},
    {"unverified_KIND_reject_code": "599", "unverified_KIND_defer_code": "499"},
    {"unverified_KIND_reject_code": "250", "unverified_KIND_defer_code": "250"},
    {"unverified_KIND_reject_code": "553", "soft_bounce": "yes"},
    {"address_verify_map": "btree:/nonexistent/cache"},
    {"address_verify_positive_expire_time": "60d", "address_verify_negative_expire_time": "30d"},
)
BEHIND = ("", ", reject")


@pytest.fixture(scope="module")
def postfix() -> Iterator[LivePostfix]:
    with LivePostfix() as instance:
        yield instance


@pytest.mark.parametrize("behind", BEHIND)
@pytest.mark.parametrize("kind", ["sender", "recipient"])
@pytest.mark.parametrize("parameters", PARAMETERS, ids=str)
def test_an_address_is_refused_by_what_verify_knows(
    postfix: LivePostfix, parameters: dict[str, str], kind: str, behind: str
) -> None:
    written = {name.replace("KIND", kind): value for name, value in parameters.items()}
    postfix.configure(
        {
            "address_verify_poll_count": "1",
            f"smtpd_{kind}_restrictions": f"reject_unverified_{kind}{behind}",
            **written,
        }
    )
    now = int(time.time())
    times = {"now": now, "old": now - 40 * DAY, "oldbad": now - 4 * DAY}
    postfix.remember_verified(ENTRIES.format(d="example.com", long="x" * 400, **times))
    policy = Policy.load(postfix.directory)
    cases = [_case(kind, address) for address in ADDRESSES]
    # We come first: once it is asked, verify(8) locks its cache.
    ours = [[answer.reply for answer in ask_policy(policy, case)] for case in cases]
    for case, replies in zip(cases, ours, strict=True):
        assert replies == [answer.reply for answer in ask_postfix(postfix, case)], case.name


def _case(kind: str, address: str) -> Case:
    sender, recipient = "a@example.org", "bob@example.com"
    if kind == "sender":
        sender = address
    else:
        recipient = address
    turns = (Turn("EHLO c"), Turn(f"MAIL FROM:<{sender}>"), Turn(f"RCPT TO:<{recipient}>"))
    return Case(name=address, turns=turns)


def test_the_null_sender_is_not_verified(postfix: LivePostfix) -> None:
    postfix.configure({"smtpd_sender_restrictions": "reject_unverified_sender"})
    case = _case("sender", "")
    ours = [answer.reply for answer in ask_policy(Policy.load(postfix.directory), case)]
    assert ours == [answer.reply for answer in ask_postfix(postfix, case)] == ["ok"] * 3


def test_what_is_not_known_would_be_probed_and_is_no_permit(postfix: LivePostfix) -> None:
    postfix.configure({"smtpd_sender_restrictions": "reject_unverified_sender"})
    session = Policy.load(postfix.directory).session()
    session.mail("nobody@example.org")
    decision = session.rcpt("bob@example.com")
    assert decision.reply is not None
    assert decision.reply.code == 450
    assert "not in the cache: would probe nobody@example.org" in {
        step.note for step in decision.steps
    }
