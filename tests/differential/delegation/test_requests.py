"""check_policy_service: what a policy server is told, by a live smtpd and by us."""

import os
from collections.abc import Iterator

import pytest

from maysend.delegation import SocketPolicyServices
from maysend.policy import Policy
from tests.differential.delegation.both import SERVER, Both, both_ask

pytestmark = pytest.mark.needs_postfix

LISTS = ("client", "helo", "sender", "recipient", "data", "end_of_data")
OF_THE_PROGRAM = ("instance", "queue_id")
"""What no two programs say alike."""


@pytest.fixture(scope="module")
def both() -> Iterator[Both]:
    with both_ask() as pair:
        yield pair


@pytest.mark.parametrize("delay", ["yes", "no"])
@pytest.mark.parametrize("login", ["", "bob"])
@pytest.mark.parametrize("sender", ["<a@example.org>", '<"a b"@example.org>', "<>"])
def test_both_send_the_same_attributes(delay: str, login: str, sender: str, both: Both) -> None:
    asked = f"check_policy_service {{ {SERVER}, policy_context=ctx }}"
    parameters = {f"smtpd_{name}_restrictions": asked for name in LISTS}
    parameters |= {"smtpd_delay_reject": delay, "stress": "yes"}
    both.reply = b"action=DUNNO\n\n"
    for recipients in (["bob"], ["bob", "alice+x"]):
        commands = ["CONNECT", "EHLO client.example", f"MAIL FROM:{sender}"]
        commands += [f"RCPT TO:<{name}@Example.COM>" for name in recipients]
        commands += ["DATA", "END"]
        both.requests()
        replies, ours = both.replies(parameters, commands, login=login, client_name="c.example.net")
        assert ours == replies
        requests = both.requests()
        live = [request for request in requests if request["server_address"]]
        if delay == "no":
            del live[0]  # what smtpd asked before XCLIENT told it who the client is
        mine = [request for request in requests if not request["server_address"]]
        assert [_comparable(request) for request in mine] == [
            _comparable(request) for request in live
        ]
        assert [list(request) for request in mine] == [list(request) for request in live]
        assert [bool(request["instance"]) for request in mine] == [
            bool(request["instance"]) for request in live
        ]
        assert len({request["instance"] for request in mine} - {""}) == 1
        assert live[-1]["protocol_state"] == "END-OF-MESSAGE"


def test_requests_go_over_one_connection_and_a_limit_ends_it(both: Both) -> None:
    both.reply = b"action=DUNNO\n\n"
    services = SocketPolicyServices()
    for options, connections in (("", 1), ("request_limit=2", 4), ("request_limit=1", 8)):
        asked = f"check_policy_service {{ {SERVER} {options} }}"
        both.postfix.configure({"smtpd_recipient_restrictions": asked})
        policy = Policy.load(both.postfix.directory, policy_services=services)
        before = both.server.connections
        session = policy.session()
        session.helo("client.example")
        session.mail("a@example.org")
        for number in range(8):
            assert session.rcpt(f"r{number}@example.com").reply is None
        assert both.server.connections - before == connections
    services.close()


def test_a_connection_that_the_server_closed_costs_no_attempt(both: Both) -> None:
    both.reply = b"action=DUNNO\n\n"
    asked = f"check_policy_service {{ {SERVER} try_limit=1 }}"
    both.postfix.configure({"smtpd_recipient_restrictions": asked})
    session = Policy.load(both.postfix.directory).session()
    session.mail("a@example.org")
    for _ in range(3):
        assert session.rcpt("bob@example.com").reply is None
        both.server.disconnect()


def test_a_failing_server_is_asked_as_often_as_smtpd_asks_it(both: Both) -> None:
    both.reply = None
    asked = f"check_policy_service {{ {SERVER} try_limit=3 retry_delay=1s }}"
    both.requests()
    replies, ours = both.replies(
        {"smtpd_recipient_restrictions": asked},
        ["EHLO c", "MAIL FROM:<a@example.org>", "RCPT TO:<b@example.com>"],
    )
    assert ours == replies
    assert len([r for r in both.requests() if not r["server_address"]]) == 3


def _comparable(request: dict[str, str]) -> dict[str, str]:
    """Without what differs: our dialogue knows no server address, and no size of its message."""
    request = {name: value for name, value in request.items() if name not in OF_THE_PROGRAM}
    for name in ("server_address", "server_port"):
        request.pop(name)
    if request["protocol_state"] == "XCLIENT":
        request["protocol_state"] = "CONNECT"
    if request["protocol_state"] == "END-OF-MESSAGE":
        request.pop("size")
    if request["client_address"] == "192.0.2.7":
        request.pop("sasl_method")
    assert os.sep not in request["helo_name"]
    return request
