"""What the gateway does around a refusal: smtpd_reject_footer behind it, `sleep` before it."""

import time

from tests.servers.conftest import LoopThread
from tests.servers.gateways import running


def test_a_footer_stands_behind_every_refusal_and_no_acceptance(loop_thread: LoopThread) -> None:
    policy = {
        "smtpd_reject_footer": "ask $server_name\\nfrom $client_address",
        "smtpd_sender_restrictions": "check_sender_access inline:{ {a@example.org=REJECT no} }",
        "smtpd_sender_login_maps": "",
    }
    with running(loop_thread, policy=policy) as gateway, gateway.connect() as client:
        assert "ask" not in client.command("EHLO client.example")
        # The gateway's tests join the lines of a reply with newlines.
        unknown = client.command("NONSENSE").splitlines()
        assert unknown[0].startswith("500-5.5.2 ")
        assert unknown[1].startswith("500-5.5.2 ask ")
        assert unknown[2] == "500 5.5.2 from 127.0.0.1"
        assert client.command("MAIL FROM:<a@example.org>") == "250 2.1.0 Ok"
        refused = client.command("RCPT TO:<b@example.net>").splitlines()
        assert refused[0] == "554-5.7.1 <a@example.org>: Sender address rejected: no"
        assert refused[-1] == "554 5.7.1 from 127.0.0.1"


def test_sleep_makes_the_client_wait(loop_thread: LoopThread) -> None:
    policy = {"smtpd_sender_restrictions": "sleep 1, reject"}
    with running(loop_thread, policy=policy) as gateway, gateway.connect() as client:
        client.command("EHLO client.example")
        client.command("MAIL FROM:<a@example.org>")
        begun = time.monotonic()
        reply = client.command("RCPT TO:<b@example.net>")
        assert time.monotonic() - begun >= 0.95
        assert reply.startswith("554 5.7.1 ")
