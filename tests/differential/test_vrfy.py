"""VRFY: smtpd asks the lists of RCPT about the address, and so do we."""

from collections.abc import Iterator

import pytest

from maysend.policy import Policy
from tests.differential.live_postfix import LivePostfix

pytestmark = pytest.mark.needs_postfix

LISTS: tuple[dict[str, str], ...] = (
    {},
    {"smtpd_recipient_restrictions": "check_recipient_access inline:{{bob@example.com=REJECT}}"},
    {"smtpd_recipient_restrictions": "reject_unlisted_recipient, reject"},
    {"smtpd_client_restrictions": "reject"},
    {"smtpd_client_restrictions": "check_client_access fail:x"},
    {"smtpd_helo_restrictions": "reject_non_fqdn_helo_hostname, defer"},
    {"smtpd_sender_restrictions": "reject"},
    {"smtpd_recipient_restrictions": "reject_multi_recipient_bounce, defer_if_permit"},
)


@pytest.fixture(scope="module")
def postfix() -> Iterator[LivePostfix]:
    with LivePostfix() as instance:
        yield instance


@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("parameters", LISTS, ids=str)
def test_vrfy_is_answered_as_rcpt_would_be(
    postfix: LivePostfix, parameters: dict[str, str], begun: bool
) -> None:
    postfix.configure({"local_recipient_maps": "inline:{bob=x}", **parameters})
    session = Policy.load(postfix.directory).session(client_address="192.0.2.7")
    session.helo("client.example")
    with postfix.session(helo="client.example") as smtp:
        if begun:
            smtp.command("MAIL FROM:<>")
            session.mail("")
        for address in ("bob@example.com", "nobody@example.com", "x@example.net"):
            live = smtp.command(f"VRFY {address}")
            reply = session.vrfy(address).reply
            assert ("ok" if live[0] == "2" else live) == ("ok" if reply is None else str(reply))
        assert session.dialogue.recipient_count == 0
