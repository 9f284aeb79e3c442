"""The policy delegation service on a real unix socket."""

import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from maysend.policy import Policy
from maysend.servers.deciding import Deciding
from maysend.servers.decision_log import TOGETHER, DecisionLog
from maysend.servers.log_file import LogFile
from maysend.servers.metrics import Metrics, Sample
from maysend.servers.policy import PolicyService
from maysend.servers.questions import QuestionListener
from maysend.servers.threads import BoundedThreads
from maysend.tables.table import LookupTable, Opener, TableContext
from tests.servers.conftest import LoopThread
from tests.servers.policy_client import PolicyClient, request
from tests.servers.test_deciding import SlowTable

POLICY = {
    "smtpd_sasl_auth_enable": "yes",
    "smtpd_sender_login_maps": "inline:{bob@example.com=bob}",
    "smtpd_client_restrictions": "check_sasl_access inline:{{mallory=REJECT unpaid bill}}",
    "smtpd_sender_restrictions": "check_sender_access inline:{"
    "{hold@example.com=HOLD for a look},{filter@example.com=FILTER smtp:[127.0.0.1]:25},"
    "{prepend@example.com=PREPEND X-Checked: yes},{discard@example.com=DISCARD},"
    "{warn@example.com=WARN look at this},{redirect@example.com=REDIRECT abuse@example.com},"
    "{sleep@example.com=sleep 1},{hangup@example.com=521 5.7.1 go away},"
    "{ok@example.com=OK}}, reject_authenticated_sender_login_mismatch",
    "smtpd_relay_restrictions": "permit_sasl_authenticated, permit_mynetworks, reject",
    "smtpd_recipient_restrictions": "check_recipient_access inline:{"
    "{list@example.com=REJECT not open},{hold2@example.com=HOLD for another look}}",
    "smtpd_data_restrictions": "check_sender_access inline:{{data@example.com=554 5.7.1 late}}",
    "smtpd_etrn_restrictions": "reject",
    "mynetworks": "192.0.2.0/24",
    "mydestination": "",
    "smtpd_reject_unlisted_recipient": "no",
}


class InUse:
    """A policy that stays."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy


class Service:
    """A running service: its socket, its log, what it counted, and its decisions."""

    def __init__(
        self,
        path: Path,
        log: list[str],
        metrics: Metrics,
        decision_log: DecisionLog,
        decisions: LogFile,
    ) -> None:
        self.path = path
        self.log = log
        self.metrics = metrics
        self._decision_log = decision_log
        self._decisions = decisions

    def client(self) -> PolicyClient:
        return PolicyClient(self.path)

    def counted(self, name: str) -> list[Sample]:
        return [sample for sample in self.metrics.samples() if sample.name == name]

    def decisions(self) -> list[dict[str, object]]:
        self._decision_log.flush()
        self._decisions.settle()
        return [msgspec.json.decode(line) for line in self._decisions.path.open("rb")]


@contextmanager
def serving(
    thread: LoopThread,
    folder: Path,
    parameters: Mapping[str, str] | None = None,
    types: Mapping[str, Opener] | None = None,
    connections: int = 100,
    idle: float = 100,
) -> Iterator[Service]:
    log: list[str] = []

    def write(line: str, fields: Mapping[str, object] | None = None) -> None:
        log.append(line)

    metrics = Metrics()
    decisions = LogFile(folder / "decisions.jsonl", 0, 1, lambda *_: None)
    policy = Policy.from_parameters(POLICY | dict(parameters or {}), types)
    deciding = Deciding(BoundedThreads(2, patience=0.5), write)
    decision_log = DecisionLog(write, decisions)
    service = PolicyService("policy", InUse(policy), deciding, decision_log, metrics, write)
    listener = QuestionListener(
        service, "policy", metrics, write, connections=connections, idle=idle
    )
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(str(folder / "policy"))
    sock.listen(100)
    thread.run(listener.start(sock))
    try:
        yield Service(folder / "policy", log, metrics, decision_log, decisions)
    finally:
        thread.run(listener.stop(5))
        sock.close()


@pytest.fixture
def service(loop_thread: LoopThread, tmp_path: Path) -> Iterator[Service]:
    with serving(loop_thread, tmp_path) as running:
        yield running


BOB = {"sasl_username": "bob", "sasl_method": "plain", "client_address": "198.51.100.1"}


@pytest.mark.parametrize(
    ("attributes", "action"),
    [
        (BOB | {"sender": "bob@example.com", "recipient": "x@example.net"}, "DUNNO"),
        (
            BOB | {"sender": "eve@example.com", "recipient": "x@example.net"},
            "553 5.7.1 not owned by user bob",
        ),
        (
            {"sender": "e@x.org", "recipient": "x@example.net", "client_address": "198.51.100.1"},
            "554 5.7.1 <x@example.net>: Access denied",
        ),
        (
            BOB | {"sasl_username": "mallory", "sender": "bob@example.com", "recipient": "x@y.net"},
            "554 5.7.1 unpaid bill",
        ),
        (
            BOB | {"sender": "bob@example.com", "recipient": "list@example.com"},
            "554 5.7.1 <list@example.com>: not open",
        ),
        (
            BOB
            | {
                "sender": "bob@example.com",
                "recipient": "list@example.com",
                "policy_context": "smtpd_recipient_restrictions",
            },
            "554 5.7.1 not open",
        ),
        ({"sender": "hold@example.com", "recipient": "x@example.net"}, "HOLD for a look"),
        ({"sender": "filter@example.com", "recipient": "x@y.net"}, "FILTER smtp:[127.0.0.1]:25"),
        ({"sender": "prepend@example.com", "recipient": "x@y.net"}, "PREPEND X-Checked: yes"),
        ({"sender": "discard@example.com", "recipient": "x@y.net"}, "DISCARD"),
        ({"sender": "warn@example.com", "recipient": "x@y.net"}, "WARN look at this"),
        ({"sender": "redirect@example.com", "recipient": "x@y.net"}, "REDIRECT abuse@example.com"),
        ({"sender": "hangup@example.com", "recipient": "x@y.net"}, "521 5.7.1 go away"),
        ({"sender": "ok@example.com", "recipient": "x@y.net"}, "DUNNO"),
        ({"sender": "", "recipient": "x@y.net"}, "DUNNO"),
        ({"sender": "data@example.com", "protocol_state": "DATA"}, "554 5.7.1 late"),
        ({"sender": "data@example.com", "protocol_state": "END-OF-MESSAGE"}, "DUNNO"),
        ({"protocol_state": "CONNECT"}, "DUNNO"),
        ({"protocol_state": "EHLO", "helo_name": "x"}, "DUNNO"),
        ({"protocol_state": "MAIL", "sender": "eve@example.com"}, "DUNNO"),
        ({"protocol_state": "ETRN", "etrn_domain": "example.com"}, "554 5.7.1 <example.com>"),
    ],
)
def test_the_answer_is_what_access_5_knows(
    service: Service, attributes: dict[str, str], action: str
) -> None:
    given = {"client_address": "192.0.2.7", **attributes}
    with service.client() as client:
        answer = client.ask(**given)
    assert answer == action or answer == f"{action}: Access denied"


def test_one_answer_cannot_say_two_things(service: Service) -> None:
    """HOLD for two reasons can't both be said: better a 4xx than half of what the policy wants."""
    with service.client() as client:
        answer = client.ask(
            client_address="192.0.2.7", sender="prepend@example.com", recipient="hold2@example.com"
        )
    assert answer == "451 4.3.5 Server configuration error"
    assert any("HOLD for another look and PREPEND" in line for line in service.log)


def test_a_refusal_is_logged_as_postfix_does(service: Service) -> None:
    with service.client() as client:
        client.ask(
            sender="eve@example.com",
            recipient="x@example.net",
            helo_name="c.example",
            client_name="c.example",
            protocol_name="ESMTP",
            queue_id="4F",
            **BOB,
        )
    (line,) = service.log
    assert line.startswith(
        "4F: reject: RCPT from c.example[198.51.100.1]: 553 5.7.1 <eve@example.com>: Sender "
        "address rejected: not owned by user bob; from=<eve@example.com> to=<x@example.net> "
        "proto=ESMTP helo=<c.example> sasl_username=<bob> "
        "rule=reject_authenticated_sender_login_mismatch at "
    )


def test_every_decision_is_in_the_decision_log(service: Service) -> None:
    with service.client() as client:
        client.ask(sender="bob@example.com", recipient="x\udcff@example.net", **BOB)
        client.ask(sender="eve@example.com", recipient="x@example.net", **BOB)
    permitted, refused = service.decisions()
    assert permitted["outcome"] == "permit"
    assert permitted["rule"] == "permit_sasl_authenticated"
    assert permitted["recipient"] == "x\\xff@example.net"
    assert "steps" not in permitted
    assert refused["reply"] == (
        "553 5.7.1 <eve@example.com>: Sender address rejected: not owned by user bob"
    )
    steps = refused["steps"]
    assert isinstance(steps, list)
    assert steps[-1]["searches"][0]["keys"][0] == "eve@example.com"
    asked = msgspec.convert(refused, type=dict[str, object])
    assert {"protocol_state", "client_address", "sasl_username", "seconds"} <= asked.keys()
    outcomes = {
        dict(sample.labels)["outcome"]: sample.value
        for sample in service.counted("maysend_decisions_total")
    }
    assert outcomes == {"permit": 1, "reject": 1}


def test_the_decision_log_has_every_decision_in_its_order_and_with_its_time(
    service: Service,
) -> None:
    """Lines are made of several decisions at a time."""
    wanted = [f"x{number}@example.net" for number in range(2 * TOGETHER + 3)]
    with service.client() as client:
        for recipient in wanted:
            client.ask(sender="bob@example.com", recipient=recipient, **BOB)
            time.sleep(0.001)
    noted = service.decisions()
    assert [line["recipient"] for line in noted] == wanted
    times = [str(line["time"]) for line in noted]
    assert times == sorted(times)
    assert len(set(times)) > TOGETHER


@pytest.mark.parametrize(
    "octets",
    [
        b"junk\n\n",
        b"request=something_else\n\n",
        b"sender=a@b\n\n",
        request(protocol_state="NEVER"),
        request(size="many"),
        b"\x16\x03\x01" * 30000,
        b"\n",
    ],
)
def test_what_is_no_request_closes_the_connection(service: Service, octets: bytes) -> None:
    """SMTPD_POLICY_README: in case of trouble log a warning, send nothing, disconnect."""
    with service.client() as client:
        client.socket.sendall(request(sender="bob@example.com", recipient="x@y.net", **BOB))
        assert client.answer() == "DUNNO"
        client.socket.sendall(octets)
        assert client.answer() == ""
    assert service.log[-1].startswith("warning: policy: connection closed: ")
    assert service.counted("maysend_protocol_errors_total")[0].value == 1


def test_many_requests_at_once_are_answered_in_their_order(service: Service) -> None:
    with service.client() as client:
        senders = ["bob@example.com", "eve@example.com", "discard@example.com"] * 200
        octets = b"".join(request(sender=s, recipient="x@y.net", **BOB) for s in senders)
        threading.Thread(target=client.socket.sendall, args=(octets,), daemon=True).start()
        answers = [client.answer() for _ in senders]
    assert answers == ["DUNNO", "553 5.7.1 not owned by user bob", "DISCARD"] * 200


def test_byte_by_byte_is_as_good_as_whole(service: Service) -> None:
    with service.client() as client:
        for octet in request(sender="eve@example.com", recipient="x@y.net", **BOB):
            client.socket.send(bytes([octet]))
        assert client.answer() == "553 5.7.1 not owned by user bob"


def test_a_client_that_sends_its_last_request_and_no_more_is_answered(service: Service) -> None:
    with service.client() as client:
        client.socket.sendall(request(sender="eve@example.com", recipient="x@y.net", **BOB))
        client.socket.shutdown(socket.SHUT_WR)
        assert client.answer().startswith("553")
        assert client.answer() == ""


def test_sleep_delays_only_who_asked(service: Service) -> None:
    with service.client() as sleepy, service.client() as other:
        sleepy.socket.sendall(
            request(client_address="192.0.2.7", sender="sleep@example.com", recipient="x@y.net")
        )
        assert other.ask(sender="bob@example.com", recipient="x@y.net", **BOB) == "DUNNO"
        sleepy.socket.settimeout(0.5)
        with pytest.raises(TimeoutError):
            sleepy.answer()
        sleepy.socket.settimeout(5)
        assert sleepy.answer() == "DUNNO"


def test_a_client_that_reads_no_answers_is_not_read_from(service: Service) -> None:
    """Memory stays bounded: the client's own send blocks in the end."""
    with service.client() as client, service.client() as other:
        client.socket.settimeout(1)
        octets = request(sender="eve@example.com", recipient="x@y.net", **BOB) * 100
        with pytest.raises(TimeoutError):
            client.socket.sendall(octets * 1000)
        assert other.ask(sender="bob@example.com", recipient="x@y.net", **BOB) == "DUNNO"


def test_too_many_connections_are_sent_away(loop_thread: LoopThread, tmp_path: Path) -> None:
    with (
        serving(loop_thread, tmp_path, connections=1) as service,
        service.client() as first,
        service.client() as second,
    ):
        assert first.ask(sender="bob@example.com", recipient="x@y.net", **BOB) == "DUNNO"
        try:
            answer = second.ask(sender="bob@example.com", recipient="x@y.net", **BOB)
        except OSError:
            answer = ""
        assert answer == ""
        assert service.counted("maysend_connections_refused_total")[0].value == 1


def test_who_is_silent_for_long_is_let_go(loop_thread: LoopThread, tmp_path: Path) -> None:
    with serving(loop_thread, tmp_path, idle=0.2) as service, service.client() as client:
        assert client.ask(sender="bob@example.com", recipient="x@y.net", **BOB) == "DUNNO"
        assert client.answer() == ""


def test_a_slow_table_holds_up_nobody_else(loop_thread: LoopThread, tmp_path: Path) -> None:
    table = SlowTable("slow:x", "REJECT slowly")

    def open_slow(name: str, context: TableContext) -> LookupTable:
        return table

    parameters = {
        "smtpd_sender_restrictions": "check_sender_access inline:{{quick@example.com=REJECT}}, "
        "check_sender_access slow:x"
    }
    asked = {"client_address": "192.0.2.7", "recipient": "x@y.net"}
    with serving(loop_thread, tmp_path, parameters, {"slow": open_slow}) as service:
        clients = [service.client() for _ in range(3)]
        for client in clients:
            client.socket.sendall(request(sender="bob@example.com", **asked))
        with service.client() as other:
            assert other.ask(sender="quick@example.com", **asked) == "554 5.7.1 Access denied"
        # Two threads wait for the table; the third request found no free one.
        answers = [None, None, None]
        busy = "451 4.3.2 Error: too many lookups are under way, try again later"
        assert clients[2].answer() == busy
        table.go.set()
        answers = [clients[0].answer(), clients[1].answer()]
        assert answers == ["554 5.7.1 slowly"] * 2
