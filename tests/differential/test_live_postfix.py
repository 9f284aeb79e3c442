"""The private Postfix itself: that it answers, is told apart from others, and leaves nothing."""

import os
from pathlib import Path

import pytest

from tests.differential.live_postfix import LivePostfix, LivePostfixError

pytestmark = pytest.mark.needs_postfix


def test_a_login_that_does_not_own_the_sender_is_refused() -> None:
    with (
        LivePostfix(
            {
                "smtpd_sender_login_maps": "texthash:$config_directory/owners",
                "smtpd_sender_restrictions": "reject_authenticated_sender_login_mismatch",
            },
            {"owners": "bob@example.com bob\n"},
        ) as postfix,
        postfix.session(helo="client.example", login="alice") as smtp,
    ):
        assert smtp.command("MAIL FROM:<bob@example.com>") == "250 2.1.0 Ok"
        assert smtp.command("RCPT TO:<x@example.com>") == (
            "553 5.7.1 <bob@example.com>: Sender address rejected: not owned by user alice"
        )


def test_the_next_session_sees_the_new_configuration() -> None:
    with LivePostfix({"smtpd_client_restrictions": "reject"}) as postfix:
        replies = []
        for name in ("smtpd_helo_restrictions", "smtpd_recipient_restrictions"):
            postfix.configure({name: "reject"})
            with postfix.session(helo="client.example") as smtp:
                smtp.command("MAIL FROM:<a@example.org>")
                replies.append(smtp.command("RCPT TO:<x@example.com>"))
        assert replies == [
            "554 5.7.1 <client.example>: Helo command rejected: Access denied",
            "554 5.7.1 <x@example.com>: Recipient address rejected: Access denied",
        ]


def test_a_refused_configuration_is_reported_and_the_next_one_works() -> None:
    with LivePostfix({"smtpd_relay_restrictions": "permit_mynetworks"}) as postfix:
        with (
            pytest.raises(LivePostfixError, match="specify at least one working instance"),
            postfix.session(),
        ):
            pass
        postfix.configure({})
        with postfix.session() as smtp:
            assert smtp.greeting == "220 mail.example.com ESMTP Postfix"


def test_a_message_goes_through_to_the_queue_and_nothing_stays_behind() -> None:
    with LivePostfix() as postfix:
        root = postfix.directory.parent
        with postfix.session(helo="client.example") as smtp:
            smtp.command("MAIL FROM:<a@example.org>")
            smtp.command("RCPT TO:<x@example.com>")
            assert smtp.command("DATA").startswith("354 ")
            smtp.send(b"Subject: x\r\n\r\nx\r\n.\r\n")
            assert smtp.reply().startswith("250 2.0.0 Ok: queued as")
    assert not root.exists()
    assert not [process for process in Path("/proc").glob("[0-9]*") if _uses(process, root)]


def _uses(process: Path, root: Path) -> bool:
    try:
        environment = (process / "environ").read_bytes()
        return os.fsencode(root) in environment and process.name != str(os.getpid())
    except OSError:
        return False
