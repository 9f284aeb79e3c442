"""reject_unauth_pipelining: a client that is too quick for a live smtpd, and for us."""

import pytest

from maysend.policy import Policy
from tests.differential.live_postfix import LivePostfix

pytestmark = pytest.mark.needs_postfix

COMMANDS = (b"MAIL FROM:<a@example.org>\r\n", b"RCPT TO:<bob@example.com>\r\n")


@pytest.mark.parametrize("stage", ["sender", "recipient", "data"])
@pytest.mark.parametrize("protocol", ["ESMTP", "SMTP"])
@pytest.mark.parametrize("pipelines", [True, False])
def test_commands_ahead_of_time_are_refused(stage: str, protocol: str, pipelines: bool) -> None:
    parameters = {f"smtpd_{stage}_restrictions": "reject_unauth_pipelining"}
    with (
        LivePostfix(parameters) as postfix,
        postfix.session(helo="client.example", protocol=protocol) as smtp,
    ):
        if pipelines:
            smtp.send(b"".join((*COMMANDS, b"DATA\r\n", b"RSET\r\n")))
            live = [smtp.reply() for _ in range(3)]
        else:
            live = []
            for command in (*COMMANDS, b"DATA\r\n"):
                smtp.send(command)
                live.append(smtp.reply())
        session = Policy.load(postfix.directory).session(
            client_address="192.0.2.7", protocol_name=protocol
        )
    # HELO offers no pipelining; EHLO does, but nothing may follow DATA (RFC 2920 3.1).
    ahead = [pipelines and protocol == "SMTP", pipelines and protocol == "SMTP", pipelines]
    session.helo("client.example")
    ours = []
    for is_ahead, ask in zip(
        ahead,
        (
            lambda: session.mail("a@example.org"),
            lambda: session.rcpt("bob@example.com"),
            session.data,
        ),
        strict=True,
    ):
        session.dialogue.pipelined_too_early = is_ahead
        decision = ask()
        ours.append(str(decision.reply) if decision.reply is not None else "ok")
    refusals = [reply if reply[0] in "45" else "ok" for reply in live]
    assert ours[:2] == refusals[:2]
    if refusals[1] == "ok":
        assert ours[2] == refusals[2]
