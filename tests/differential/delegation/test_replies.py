"""check_policy_service: what smtpd makes of a policy server's replies, and so do we."""

from collections.abc import Iterator

import pytest

from tests.differential.delegation.both import SERVER, Both, both_ask

pytestmark = pytest.mark.needs_postfix

REPLIES = (
    b"action=DUNNO\n\n",
    b"action=OK\n\n",
    b"action=550 go\n\n",
    b"action=550 5.1.1 go\n\n",
    b"action=REJECT\n\n",
    b"action=reject text here\n\n",
    b"action=\n\n",
    b"action=   \n\n",
    b"action\n\n",
    b"ACTION=REJECT\n\n",
    b"\n",
    b"foo=bar\naction=REJECT\n\n",
    b"action=REJECT\nfoo=bar\n\n",
    b"action=OK\naction=REJECT\n\n",
    b"action=REJECT\naction=OK\n\n",
    b"foo=bar\n\n",
    b" action=REJECT\n\n",
    b"action =REJECT\n\n",
    b"action= REJECT x\n\n",
    b"action=REJECT\r\n\n",
    b"action=REJECT\r\n\r\n",
    b"action=REJECT a=b\n\n",
    b"action=REJECT \xff\xfe\n\n",
    b"action=REJECT Gr\xc3\xbc\xc3\x9fe\n\n",
    b"action=REJECT " + b"x" * 3000 + b"\n\n",
    b"action=REJECT a\0b\n\n",
    b"action=REJECT trailing  \n\n",
    b"garbage\naction=REJECT\n\n",
    b"=x\naction=REJECT\n\n",
    b"action=defer_if_permit Service x\n\n",
    b"action=defer_if_reject Service x\n\n",
    b"action=450\n\n",
    b"action=421 4.7.0 gone\n\n",
    b"action=check_policy_service unix:private/policy\n\n",
    b"action=check_policy_service foo\n\n",
    b"action=reject_unauth_destination\n\n",
    b"action=insiders\n\n",
    b"action=nonsense\n\n",
    b"action=texthash:/x\n\n",
    b"action=PREPEND X: y\n\n",
    b"action=DISCARD\n\n",
    b"action=250 fine\n\n",
    b"action=REJECT unended\n",
    b"{action=REJECT}\n\n",
    b"action={ REJECT x }\n\n",
    b"action=REJECT first\n\naction=OK\n\n",
    None,
)
DIALOGUE = (
    "EHLO client.example",
    "MAIL FROM:<a@example.org>",
    "RCPT TO:<bob@example.com>",
    "RCPT TO:<alice@example.com>",
    "DATA",
    "END",
)


@pytest.fixture(scope="module")
def both() -> Iterator[Both]:
    with both_ask() as pair:
        yield pair


@pytest.mark.parametrize("reply", REPLIES, ids=lambda reply: repr(reply)[:50])
@pytest.mark.parametrize("behind", ["", ", reject"])
def test_a_reply_means_what_it_means_to_smtpd(reply: bytes | None, behind: str, both: Both) -> None:
    both.reply = reply
    asked = f"check_policy_service {{ {SERVER}, timeout=1s, try_limit=1 }}{behind}"
    parameters = {
        "smtpd_restriction_classes": "insiders",
        "insiders": "permit_mynetworks, reject",
        "smtpd_recipient_restrictions": asked,
    }
    live, ours = both.replies(parameters, DIALOGUE)
    assert ours == live


@pytest.mark.parametrize("stage", ["client", "helo", "sender", "data", "end_of_data"])
@pytest.mark.parametrize(
    "reply", [b"action=REJECT 5.1.1 no\n\n", b"action=DEFER_IF_PERMIT\n\n", b"action=421 x\n\n"]
)
def test_a_refusal_speaks_of_its_list(stage: str, reply: bytes, both: Both) -> None:
    both.reply = reply
    parameters = {f"smtpd_{stage}_restrictions": f"check_policy_service {SERVER}"}
    live, ours = both.replies(parameters, DIALOGUE)
    assert ours == live
    assert any(not answer.startswith("ok") for answer in live)


@pytest.mark.parametrize(
    "item",
    [
        "unix:private/nowhere",
        "local:private/nowhere",
        "unix:/nowhere",
        "inet:9",
        "inet:127.0.0.1:1",
        "inet:[127.0.0.1]:1",
        "inet:nowhere.invalid:1",
        "inet:host",
        "{unix:private/nowhere}",
        "{ unix:private/nowhere {timeout = 3} }",
        "{ unix:private/nowhere {default_action=450 4.3.5 x} }",
        "{ unix:private/nowhere default_action={450 4.3.5 x} }",
        "{ unix:private/nowhere default_action=check_policy_service }",
        "{ unix:private/nowhere default_action=reject_unauth_destination }",
        "{ unix:private/nowhere default_action=another }",
        "{ unix:private/nowhere default_action=nonsense }",
        "{ unix:private/nowhere default_action=OK }, reject",
        "{ unix:private/nowhere default_action=DUNNO }, reject",
        "{ unix:private/nowhere, {default_action = DUNNO}, timeout=5s,max_idle=1h max_ttl=2d }",
        "{ unix:private/nowhere try_limit=1 } }",
        "{ unix:private/nowhere policy_context=x request_limit=7 }",
    ],
)
@pytest.mark.parametrize("warn", ["", "warn_if_reject "])
def test_a_server_that_is_not_there_is_answered_for(item: str, warn: str, both: Both) -> None:
    parameters = {
        "smtpd_restriction_classes": "another",
        "another": "check_policy_service { unix:private/neither {default_action=450 neither} }",
        "smtpd_recipient_restrictions": f"{warn}check_policy_service {item}",
        "smtpd_policy_service_try_limit": "1",
    }
    live, ours = both.replies(parameters, DIALOGUE)
    assert ours == live


def test_the_parameter_gives_the_default_action(both: Both) -> None:
    both.reply = None
    parameters = {
        "smtpd_policy_service_default_action": "DEFER_IF_PERMIT 4.7.2 later",
        "smtpd_policy_service_try_limit": "1",
        "smtpd_sender_restrictions": f"check_policy_service {SERVER}",
    }
    live, ours = both.replies(parameters, DIALOGUE)
    assert ours == live
    assert ours[2] == "450 4.7.2 <a@example.org>: Sender address rejected: later"
