"""S4.2: Dovecot's auth protocol, served to peers that ask well, badly, or too often."""

import base64
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maysend.directory import Directory
from maysend.protocols.dovecot_auth import Continued, Failed, Succeeded
from maysend.servers.submission.guessing import GuessLimits
from maysend.servers.submission.logins import PasswordLogins, directory_logins
from tests.servers.auth_peers import (
    BOB,
    MECHANISMS,
    WRONG,
    Peer,
    Running,
    sample_directory,
    serving,
)
from tests.servers.conftest import LoopThread


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Directory]:
    with sample_directory(tmp_path_factory.mktemp("directory")) as directory:
        yield directory


@pytest.fixture
def auth(loop_thread: LoopThread, directory: Directory) -> Iterator[Running]:
    logins = directory_logins(directory, mechanisms=MECHANISMS, hostname="mail.example.com")
    with serving(loop_thread, logins) as running:
        yield running


def test_exchanges_at_the_same_time(loop_thread: LoopThread) -> None:
    def check(login: str, password: str) -> str | None:
        time.sleep(0.05)
        return login if password == "sécret" else None

    with serving(loop_thread, PasswordLogins(check)) as auth, Peer(auth.path) as peer:
        lines = b"".join(
            peer.client.request(number, "PLAIN", ["service=smtp"], BOB if number % 2 else WRONG)
            for number in range(1, 9)
        )
        answers = peer.answers(lines, 8)
    logins = {a.request: a.login for a in answers if isinstance(a, Succeeded)}
    assert logins == dict.fromkeys((1, 3, 5, 7), "bob@example.com")
    assert {a.request for a in answers if isinstance(a, Failed)} == {2, 4, 6, 8}


def test_failures_say_whose_they_are_and_whether_to_come_back(auth: Running) -> None:
    with Peer(auth.path) as peer:
        (failed,) = peer.answers(peer.client.request(1, "PLAIN", [], WRONG))
        assert failed == Failed(
            1, "authentication failure", temporary=False, login="bob@example.com"
        )
        (failed,) = peer.answers(peer.client.request(2, "GSSAPI", [], None))
        assert isinstance(failed, Failed)
        assert failed.reason == "Invalid authentication mechanism"
        (failed,) = peer.answers(peer.client.request(3, "PLAIN", [], "!"))
        assert isinstance(failed, Failed)
        assert failed.reason == "Invalid base64 data in initial response"


def test_a_request_that_is_given_up_can_be_asked_again(auth: Running) -> None:
    with Peer(auth.path) as peer:
        (challenge,) = peer.answers(peer.client.request(1, "LOGIN", [], None))
        assert not isinstance(challenge, Failed)
        peer.socket.sendall(peer.client.cancel(1))
        (succeeded,) = peer.answers(peer.client.request(1, "PLAIN", [], BOB))
        assert isinstance(succeeded, Succeeded)


@pytest.mark.parametrize(
    "octets",
    [
        b"AUTH\t1\n",
        b"CONT\t9\teA==\n",
        b"AUTH\t1\tLOGIN\nAUTH\t1\tLOGIN\n",
        b"VERSION\t9\t0\n",
        b"x" * 20000,
        b"AUTH\t1\tLOGIN\n" * 2,
    ],
)
def test_what_is_not_the_protocol_ends_the_connection(auth: Running, octets: bytes) -> None:
    with Peer(auth.path) as peer:
        peer.socket.sendall(octets)
        while peer.socket.recv(65536):
            pass
    with Peer(auth.path) as peer:
        (succeeded,) = peer.answers(peer.client.request(1, "PLAIN", [], BOB))
        assert isinstance(succeeded, Succeeded)
    assert len(auth.log) == 1


def test_octet_by_octet(auth: Running) -> None:
    """S4.2: nothing depends on how lines arrive."""
    with Peer(auth.path) as peer:
        lines = peer.client.request(7, "LOGIN", ["service=smtp"], None)
        for octet in lines:
            peer.socket.sendall(bytes([octet]))
        answered = []
        for text in ("bob@example.com", "sécret"):
            answered += peer.answers(b"")
            for octet in peer.client.response(7, base64.b64encode(text.encode()).decode()):
                peer.socket.sendall(bytes([octet]))
        (succeeded,) = peer.answers(b"")
    assert [type(answer) for answer in answered] == [Continued, Continued]
    assert succeeded == Succeeded(7, "bob@example.com", "")


def test_numbers_that_lie_reach_nobody_elses_exchange(auth: Running) -> None:
    """S4.2: a number means an exchange of its own connection, and only while that is under way."""
    with Peer(auth.path) as victim, Peer(auth.path) as liar:
        (challenge,) = victim.answers(victim.client.request(5, "LOGIN", [], None))
        assert isinstance(challenge, Continued)
        liar.socket.sendall(victim.client.cancel(5) + victim.client.response(5, "eA=="))
        assert liar.answers(b"") == [], "it is not of this connection, which ends"
        victim.answers(victim.client.response(5, base64.b64encode(b"bob@example.com").decode()))
        password = base64.b64encode("sécret".encode()).decode()
        (succeeded,) = victim.answers(victim.client.response(5, password))
        assert succeeded == Succeeded(5, "bob@example.com", "")
        victim.socket.sendall(victim.client.response(5, password))
        assert victim.answers(b"") == [], "it is over: nothing is left to answer"


@pytest.mark.parametrize(
    "response", ["!", "=", "eA", "A" * 8000, base64.b64encode(b"\0" * 3000).decode(), "\x01\x01"]
)
def test_broken_answers_to_a_challenge_fail_that_exchange_alone(
    auth: Running, response: str
) -> None:
    """S4.2: what is no base64, or no login, is a failed login; the connection goes on."""
    with Peer(auth.path) as peer:
        (challenge,) = peer.answers(peer.client.request(1, "PLAIN", [], None))
        assert isinstance(challenge, Continued)
        (failed,) = peer.answers(f"CONT\t1\t{response}\n".encode())
        assert isinstance(failed, Failed)
        assert not failed.temporary
        (succeeded,) = peer.answers(peer.client.request(2, "PLAIN", [], BOB))
        assert isinstance(succeeded, Succeeded)


@pytest.mark.parametrize(
    "mechanism", ["GSSAPI", "ANONYMOUS", "EXTERNAL", "XOAUTH2", "", "PLAIN ", "\x011\x01n" * 50]
)
def test_mechanisms_that_nobody_offered(auth: Running, mechanism: str) -> None:
    with Peer(auth.path) as peer:
        (failed,) = peer.answers(f"AUTH\t1\t{mechanism}\tservice=smtp\tresp={BOB}\n".encode())
        assert failed == Failed(1, "Invalid authentication mechanism", temporary=False)


LINES = st.sampled_from(
    [
        *(b"AUTH\t1\tPLAIN\tservice=smtp\tresp=AGJvYg==\n", b"AUTH\t2\tLOGIN\n", b"CANCEL\t2\n"),
        *(
            b"AUTH\t3\tCRAM-MD5\tservice=smtp\n",
            b"CONT\t3\teA==\n",
            b"CONT\t2\tYm9i\n",
            b"CPID\t9\n",
        ),
        *(b"AUTH\t4\tSCRAM-SHA-256\tresp=biwsbj1ib2Iscj14\n", b"VERSION\t1\t1\n", b"\n", b"\t\n"),
        *(b"AUTH\t-1\tPLAIN\n", b"AUTH\t4294967295\tPLAIN\tresp=\n", b"CANCEL\tx\n", b"FOO\t1\n"),
    ]
)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(said=st.lists(LINES | st.binary(max_size=20), max_size=12), cut=st.integers(1, 80))
def test_random_talk_logs_nobody_in(auth: Running, said: list[bytes], cut: int) -> None:
    """S4.2: no password was said, so there is no OK; and the server goes on."""
    octets = b"".join(said)
    with Peer(auth.path) as peer:
        with suppress(BrokenPipeError):
            for start in range(0, len(octets), cut):
                peer.socket.sendall(octets[start : start + cut])
        peer.socket.shutdown(socket.SHUT_WR)
        heard = b""
        with suppress(ConnectionResetError):
            while received := peer.socket.recv(65536):
                heard += received
    assert b"OK\t" not in heard
    with Peer(auth.path) as peer:  # as soon as it greets it goes on
        assert peer.client.ready


def test_too_many_at_once_are_told_to_come_back(auth: Running) -> None:
    with Peer(auth.path) as peer:
        lines = b"".join(peer.client.request(n, "LOGIN", [], None) for n in range(1, 102))
        answers = peer.answers(lines, 101)
        (failed,) = [answer for answer in answers if isinstance(answer, Failed)]
        assert failed == Failed(101, "too many logins are under way", temporary=True)


def test_guessing_is_throttled(loop_thread: LoopThread, directory: Directory) -> None:
    logins = directory_logins(directory)
    with (
        serving(loop_thread, logins, GuessLimits(per_address=3)) as auth,
        Peer(auth.path) as peer,
    ):
        for number in range(1, 4):
            peer.answers(peer.client.request(number, "PLAIN", ["rip=192.0.2.7"], WRONG))
        (failed,) = peer.answers(peer.client.request(4, "PLAIN", ["rip=192.0.2.7"], BOB))
        assert failed == Failed(4, "too many failed logins", temporary=True)
        (succeeded,) = peer.answers(peer.client.request(5, "PLAIN", ["rip=192.0.2.8"], BOB))
        assert isinstance(succeeded, Succeeded)


def test_stopping_lets_a_check_end(loop_thread: LoopThread) -> None:
    begun = threading.Event()

    def slow(login: str, password: str) -> str | None:
        begun.set()
        time.sleep(0.5)
        return login

    with serving(loop_thread, PasswordLogins(slow)) as auth:
        peer = Peer(auth.path)
        peer.socket.sendall(peer.client.request(1, "PLAIN", [], BOB))
        assert begun.wait(5)
    with peer:
        (succeeded,) = peer.answers(b"")
        assert isinstance(succeeded, Succeeded)
