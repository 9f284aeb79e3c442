"""The resolver that asks name servers, against one on a port of its own."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from maysend.dns import SystemResolver, Zone
from tests.differential.fake_dns import reply_to

ZONE = """
host.example    A     192.0.2.1
alias.example   CNAME host.example
mail.example    MX    10 host.example
broken.example  SERVFAIL
slow.example    TIMEOUT
"""


class Server:
    """Answers from the zone on UDP, and counts the questions."""

    def __init__(self) -> None:
        self.questions = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        zone = Zone(ZONE)
        while True:
            question, client = self._socket.recvfrom(4096)
            if not question:
                return
            self.questions += 1
            reply = reply_to(zone, question, limit=1232)
            if reply is not None:
                self._socket.sendto(reply, client)

    def close(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join(5)
        self._socket.close()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


def resolver_of(server: Server) -> SystemResolver:
    return SystemResolver(("127.0.0.1",), port=server.port, timeout=0.2, lifetime=0.5)


def test_answers_are_told_apart_as_a_zone_tells_them(server: Server) -> None:
    resolver, zone = resolver_of(server), Zone(ZONE)
    for name, type in (
        ("host.example", "A"),
        ("alias.example", "A"),
        ("mail.example", "MX"),
        ("nowhere.example", "A"),
        ("host.example", "MX"),
        ("alias.example", "MX"),
    ):
        assert resolver.query(name, type) == zone.query(name, type)
    assert resolver.query("broken.example", "A").status == "failed"


def test_a_server_that_is_silent_costs_no_more_than_the_lifetime(server: Server) -> None:
    began = time.monotonic()
    answer = resolver_of(server).query("slow.example", "A")
    assert answer.status == "failed"
    assert answer.reason
    assert time.monotonic() - began < 2


def test_an_answer_is_remembered_and_a_failure_is_not(server: Server) -> None:
    resolver = resolver_of(server)
    for name in ("host.example", "nowhere.example"):
        before = server.questions
        assert resolver.query(name, "A") == resolver.query(name, "A")
        # nowhere.example has no SOA, so nothing says how long that is so
        assert server.questions - before in (1, 2)
    before = server.questions
    resolver.query("host.example", "A")
    assert server.questions == before


@pytest.mark.parametrize("name", ["", ".", "a..b", "x" * 64, "x." * 200, "é.example", "\x00"])
def test_no_name_makes_it_raise(server: Server, name: str) -> None:
    assert resolver_of(server).query(name, "A").status in ("failed", "nxdomain", "nodata")


def test_dnspython_is_loaded_with_the_first_question_only() -> None:
    program = (
        "import sys; from maysend.policy import Policy;"
        "Policy.from_parameters({'smtpd_sender_restrictions': 'reject_unknown_sender_domain',"
        "'smtpd_relay_restrictions': 'reject'});"
        "sys.exit('dns' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
