"""What the next hop gets of what was accepted, and what the client gets back from it."""

import time

import pytest

from tests.servers.conftest import LoopThread
from tests.servers.gateways import NextHopScript, converse, running

HELLO = b"From: bob@example.com\r\nSubject: hello\r\n\r\nHello\r\n.\r\n"


def test_only_what_the_next_hop_offers(loop_thread: LoopThread) -> None:
    """Nothing is downgraded on the way: what can't be passed on is not offered."""
    with (
        running(loop_thread, keywords=("PIPELINING", "SIZE 5000")) as gateway,
        gateway.connect() as client,
    ):
        assert client.command("EHLO x").splitlines() == [
            "250-gateway.example",
            "250-PIPELINING",
            "250-SIZE 5000",
            "250 ENHANCEDSTATUSCODES",
        ]
        assert client.command("MAIL FROM:<a@b.c> BODY=8BITMIME").startswith("555 5.5.4 ")
        assert client.command("MAIL FROM:<a@b.c> SIZE=5001") == (
            "552 5.3.4 Message size exceeds fixed limit"
        )
        assert client.command("MAIL FROM:<a@b.c> SIZE=100") == "250 2.1.0 Ok"
        assert client.command("RCPT TO:<x@y.z> NOTIFY=NEVER").startswith("555 5.5.4 ")
        assert client.command("RCPT TO:<x@y.z>").startswith("250 ")
        assert client.command("DATA").startswith("354 ")
        client.send(b"Subject: x\r\n\r\n" + b"x\r\n" * 2000 + b".\r\n")
        assert client.reply() == "552 5.3.4 Error: message file too big"
    with running(loop_thread) as gateway, gateway.connect() as client:
        offered = client.command("EHLO x")
        assert all(word in offered for word in ("SIZE", "8BITMIME", "DSN", "SMTPUTF8"))
    with running(loop_thread, next_hop_port=1) as gateway, gateway.connect() as client:
        assert "DSN" not in client.command("EHLO x")


def test_parameters_reach_the_next_hop(loop_thread: LoopThread) -> None:
    with running(loop_thread) as gateway, gateway.connect() as client:
        client.command("EHLO x")
        mail = "MAIL FROM:<zoë@example.org> SMTPUTF8 BODY=8BITMIME RET=HDRS ENVID=a+20b AUTH=<>"
        assert client.command(f"{mail} SIZE=77") == "250 2.1.0 Ok"
        rcpt = "RCPT TO:<jörg@example.net> NOTIFY=SUCCESS,DELAY ORCPT=utf-8;jörg@example.net"
        assert client.command(rcpt).startswith("250 ")
        client.command("DATA")
        client.send("Subject: é\r\n\r\n..é\r\n.\r\n".encode())
        assert client.reply().startswith("250 ")
        (message,) = gateway.sink.messages
        assert (message.mail.ret, message.mail.envid, message.mail.size) == ("HDRS", "a+20b", 77)
        assert message.mail.smtputf8
        assert message.mail.body == "8BITMIME"
        assert message.rcpts[0].notify == "SUCCESS,DELAY"
        assert message.rcpts[0].orcpt == "utf-8;jörg@example.net"
        assert b"with UTF8SMTP id" in message.text
        assert message.text.endswith("\r\n\r\n.é\r\n".encode())
        assert client.command("MAIL FROM:<zoë@example.org>").startswith("553 5.6.7 ")


@pytest.mark.parametrize("quoted", ['"a b"@example.org', '"a@b"@example.org', '"x>y"@example.org'])
def test_the_address_that_was_checked_is_the_one_relayed(
    loop_thread: LoopThread, quoted: str
) -> None:
    with running(loop_thread) as gateway, gateway.connect() as client:
        client.command("EHLO x")
        assert client.command(f"MAIL FROM:<{quoted}>") == "250 2.1.0 Ok"
        assert client.command("RCPT TO:<@route.example:x@example.net>").startswith("250 ")
        client.command("DATA")
        client.send(HELLO)
        assert client.reply().startswith("250 ")
        assert gateway.sink.messages[0].sender in (quoted, quoted.replace('"', ""))
        assert gateway.sink.messages[0].recipients == ["x@example.net"]


@pytest.mark.parametrize(
    ("answer", "relayed_to", "reply"),
    [
        ("DISCARD", None, "250 2.0.0 Ok"),
        ("REDIRECT other@example.net", ["other@example.net"], "250 2.0.0 Ok: taken by the sink"),
        (
            "BCC copy@example.net",
            ["x@example.net", "copy@example.net"],
            "250 2.0.0 Ok: taken by the sink",
        ),
    ],
)
def test_actions(
    loop_thread: LoopThread, answer: str, relayed_to: list[str] | None, reply: str
) -> None:
    """access(5) actions without a queue."""
    table = f"check_recipient_access inline:{{ {{x@example.net = {answer}}} }}"
    policy = {"smtpd_recipient_restrictions": f"{table}, permit"}
    with running(loop_thread, policy=policy) as gateway, gateway.connect() as client:
        assert client.message(HELLO) == reply
        relayed = [message.recipients for message in gateway.sink.messages]
        assert relayed == ([] if relayed_to is None else [relayed_to])


def test_prepend_hold_and_filter(loop_thread: LoopThread) -> None:
    answers = "{h@e.net = HOLD}, {f@e.net = FILTER smtp:x}, {p@e.net = PREPEND X-A: b}"
    table = f"check_recipient_access inline:{{ {answers} }}"
    policy = {"smtpd_recipient_restrictions": f"{table}, permit"}
    with running(loop_thread, policy=policy) as gateway, gateway.connect() as client:
        client.command("EHLO x")
        client.command("MAIL FROM:<a@b.c>")
        assert client.command("RCPT TO:<h@e.net>").startswith("451 4.3.5 ")
        assert client.command("RCPT TO:<f@e.net>").startswith("451 4.3.5 ")
        assert client.command("RCPT TO:<p@e.net>").startswith("250 ")
        client.command("DATA")
        client.send(HELLO)
        assert client.reply().startswith("250 ")
        assert gateway.sink.messages[0].text.startswith(b"X-A: b\r\nReceived: ")


def test_refused_at_the_end_of_data(loop_thread: LoopThread) -> None:
    """The next hop never sees the final dot."""
    policy = {"smtpd_end_of_data_restrictions": "reject"}
    with running(loop_thread, policy=policy) as gateway, gateway.connect() as client:
        assert client.message(HELLO).startswith("554 5.7.1 ")
        time.sleep(0.1)
        assert not gateway.sink.messages
        assert client.command("NOOP") == "250 2.0.0 Ok"


def test_a_broken_policy_is_a_4xx(loop_thread: LoopThread) -> None:
    policy = {"smtpd_recipient_restrictions": "check_recipient_access texthash:/nonexistent/map"}
    with running(loop_thread, policy=policy) as gateway, gateway.connect() as client:
        client.command("EHLO x")
        client.command("MAIL FROM:<a@b.c>")
        assert client.command("RCPT TO:<x@example.net>").startswith("451 4.3.")


def test_refusals_of_the_next_hop_are_passed_back(loop_thread: LoopThread) -> None:
    """Per recipient, word for word, an enhanced status code added where there was none."""
    answers = {b"RCPT": b"550-5.1.1 no such user\r\n550 5.1.1 really\r\n"}
    next_hop = NextHopScript(lambda connection: converse(connection, answers, b"QUIT"))
    with running(loop_thread, next_hop_port=next_hop.port) as gateway, gateway.connect() as client:
        client.command("EHLO x")
        client.command("MAIL FROM:<a@b.c>")
        assert client.command("RCPT TO:<x@y.z>") == ("550-5.1.1 no such user\n550 5.1.1 really")
        answers[b"RCPT"] = b"450 later\r\n"
        assert client.command("RCPT TO:<x@y.z>") == "450 4.0.0 later"
        answers[b"RCPT"] = b"354 what\r\n"
        assert client.command("RCPT TO:<x@y.z>").startswith("451 4.5.0 ")
        client.command("RSET")
        answers[b"MAIL"] = b"552 5.3.4 too big\r\n"
        assert client.command("MAIL FROM:<a@b.c>") == "250 2.1.0 Ok"
        assert client.command("RCPT TO:<x@y.z>") == "552 5.3.4 too big"
        answers[b"MAIL"] = b"421 4.3.2 going\r\n"
        assert client.command("RCPT TO:<x@y.z>").startswith("451 4.")
        assert client.command("NOOP") == "250 2.0.0 Ok"
    next_hop.close()


def test_a_discarded_message_leaves_the_next_hop_ready(loop_thread: LoopThread) -> None:
    """The first recipient was relayed, the second discards: the next message starts afresh."""
    table = "check_recipient_access inline:{ {drop@example.net = DISCARD} }"
    policy = {"smtpd_recipient_restrictions": f"{table}, permit"}
    with running(loop_thread, policy=policy) as gateway, gateway.connect() as client:
        client.command("EHLO x")
        client.command("MAIL FROM:<first@b.c>")
        assert client.command("RCPT TO:<x@example.net>").startswith("250 ")
        assert client.command("RCPT TO:<drop@example.net>").startswith("250 ")
        client.command("DATA")
        client.send(HELLO)
        assert client.reply() == "250 2.0.0 Ok"
        client.command("MAIL FROM:<second@b.c>")
        client.command("RCPT TO:<x@example.net>")
        client.command("DATA")
        client.send(HELLO)
        assert client.reply() == "250 2.0.0 Ok: taken by the sink"
        assert [message.sender for message in gateway.sink.messages] == ["second@b.c"]


def test_an_idle_connection_that_the_next_hop_closed_is_opened_again(
    loop_thread: LoopThread,
) -> None:
    with running(loop_thread) as gateway, gateway.connect() as client:
        assert client.message(HELLO).startswith("250 ")
        port = gateway.sink.port
        loop_thread.run(gateway.sink.stop())
        loop_thread.run(gateway.sink.start(port=port))
        client.command("MAIL FROM:<a@b.c>")
        assert client.command("RCPT TO:<x@example.net>").startswith("250 ")


def test_what_is_relayed_is_what_the_policy_looked_at(loop_thread: LoopThread) -> None:
    policy = {"myorigin": "example.com", "smtpd_sender_restrictions": ""}
    with running(loop_thread, policy=policy) as gateway, gateway.connect() as client:
        client.command("EHLO x")
        client.command("MAIL FROM:<carol>")
        assert client.command("RCPT TO:<x%example.net>").startswith("250 ")
        client.command("DATA")
        client.send(HELLO)
        assert client.reply().startswith("250 ")
        assert gateway.sink.messages[0].sender == "carol@example.com"
        assert gateway.sink.messages[0].recipients == ["x@example.net"]
