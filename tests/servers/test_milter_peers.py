"""S2.7: mail servers that lie to the milter, or say what they say octet by octet."""

import random
import socket
import struct
import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from maysend.protocols.milter import LONGEST_PACKET, packet
from tests.servers.conftest import LoopThread
from tests.servers.milters import RunningMilter, running_milter

OFFER = packet("O", struct.pack("!III", 6, 0x1FF, 0x1FFFFF))
CLIENT = packet("C", b"client.example\x004\x30\x39192.0.2.7\0")
LOGIN = packet("D", b"M{auth_authen}\0bob\0{auth_type}\0PLAIN\0")
MAIL = packet("M", b"<bob@example.com>\0")
SOUND = packet("L", b"From\0 Bob <bob@example.com>\0")
FORGED = packet("L", b"From\0 eve@example.com\0")
END = packet("D", b"Ti\x004ABCD\0") + packet("E")
ACCEPT = b"a"
REFUSAL = b"y554 5.7.1 <eve@example.com>: Header From address rejected: not owned by user bob\0"


@pytest.fixture
def milter(loop_thread: LoopThread) -> Iterator[RunningMilter]:
    with running_milter(loop_thread) as running:
        yield running


class Peer:
    """A mail server's end of one connection."""

    def __init__(self, milter: RunningMilter) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(milter.path))
        self.socket.settimeout(20)
        self._input = self.socket.makefile("rb")

    def __enter__(self) -> "Peer":
        return self

    def __exit__(self, *_: object) -> None:
        self._input.close()
        self.socket.close()

    def say(self, octets: bytes) -> None:
        try:
            self.socket.sendall(octets)
        except OSError:  # it may have hung up at the first of these octets
            return

    def answer(self) -> bytes:
        """The next answer without its length; b"" where the milter has hung up."""
        try:
            length = self._input.read(4)
            return self._input.read(int.from_bytes(length, "big")) if length else b""
        except ConnectionResetError:
            return b""

    def negotiate(self) -> None:
        self.say(OFFER + CLIENT)
        assert self.answer()[:1] == b"O"


def assert_it_goes_on(milter: RunningMilter) -> None:
    with Peer(milter) as peer:
        peer.negotiate()
        peer.say(LOGIN + MAIL + SOUND + END)
        assert peer.answer() == ACCEPT
        peer.say(LOGIN + MAIL + FORGED + END)
        assert peer.answer() == REFUSAL


def test_octet_by_octet(milter: RunningMilter) -> None:
    with Peer(milter) as peer:
        for header, wanted in ((SOUND, ACCEPT), (FORGED, REFUSAL)):
            begin = OFFER + CLIENT if header is SOUND else b""
            for octet in begin + LOGIN + MAIL + header + END:
                peer.say(bytes([octet]))
            if begin:
                assert peer.answer()[:1] == b"O"
            assert peer.answer() == wanted


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        (b"\0\0\0\0", "a packet of 0 octets"),
        (b"\xff\xff\xff\xff", "a packet of 4294967295 octets"),
        (struct.pack("!I", LONGEST_PACKET + 1) + b"L", f"a packet of {LONGEST_PACKET + 1} octets"),
        (packet("L", b"From\0 eve@example.com"), "a string that does not end"),
        (packet("L", b"From\0 bob@example.com\0From\0 eve@example.com\0"), "strings, expected 2"),
        (packet("D", b"M{auth_authen}\0"), "a macro without a value"),
        (packet("Z"), "the unknown command 'Z'"),
        (packet("O", b"\0\0"), "a negotiation that is too short"),
        (b"GET / HTTP/1.1\r\n\r\n", "a packet of 1195725856 octets"),
    ],
)
def test_a_lie_ends_the_connection(milter: RunningMilter, said: bytes, complaint: str) -> None:
    """Postfix then does what milter_default_action says, in the middle of a message too."""
    with Peer(milter) as peer:
        peer.negotiate()
        peer.say(LOGIN + MAIL + said)
        assert peer.answer() == b""
    (line,) = [line for line in milter.log if "connection closed" in line]
    assert complaint in line
    assert_it_goes_on(milter)


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        (MAIL, "a command before the negotiation"),
        (OFFER + CLIENT + SOUND, "a header field of no message"),
        (packet("O", struct.pack("!III", 2, 0x3F, 0x7F)), "version 2 of the protocol"),
        (packet("O", struct.pack("!III", 6, 0, 0)), "lets nobody add a header field"),
    ],
)
def test_an_order_that_cannot_be(milter: RunningMilter, said: bytes, complaint: str) -> None:
    with Peer(milter) as peer:
        peer.say(said)
        while peer.answer():
            pass
    assert any(complaint in line for line in milter.log)
    assert_it_goes_on(milter)


def test_a_length_that_is_never_kept_holds_nothing_up(milter: RunningMilter) -> None:
    """It says that much comes and says no more: others are served, and little is kept."""
    with Peer(milter) as peer:
        peer.negotiate()
        peer.say(LOGIN + MAIL + struct.pack("!I", LONGEST_PACKET) + b"L" + b"x" * 1000)
        for _ in range(20):
            began = time.monotonic()
            assert_it_goes_on(milter)
            assert time.monotonic() - began < 5


def test_a_header_without_end(milter: RunningMilter) -> None:
    """Field after field: what is kept is bounded, and the answer is a refusal."""
    with Peer(milter) as peer:
        peer.negotiate()
        peer.say(LOGIN + MAIL)
        for _ in range(300):
            peer.say(packet("L", b"Resent-From\0 " + b"x" * 10000 + b"\0") * 10)
        peer.say(END)
        assert peer.answer().startswith(b"y552 5.3.4 Error: message header size exceeds")
    assert_it_goes_on(milter)


def test_who_says_more_than_is_answered_has_to_wait(milter: RunningMilter) -> None:
    """Thousands of messages at once: what can't be answered yet is left in the socket."""
    message, count = LOGIN + MAIL + FORGED + END, 15000
    answers: list[bytes] = []
    with Peer(milter) as peer:
        peer.negotiate()

        def listen() -> None:
            answers.extend(peer.answer() for _ in range(count))

        listening = threading.Thread(target=listen)
        listening.start()
        peer.say(message * count)
        kept = (count - milter.counted("reject")) * len(message)
        assert kept < 1_000_000, "octets"
        listening.join()
    assert answers == [REFUSAL] * count
    assert_it_goes_on(milter)


PACKETS = st.sampled_from([OFFER, CLIENT, LOGIN, MAIL, SOUND, packet("N"), packet("A")])
BROKEN = st.tuples(st.sampled_from("OCDHMRLTNBAKU"), st.binary(max_size=40)).map(
    lambda made: packet(*made)
)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@example(said=[], cuts=7)
@given(
    said=st.lists(PACKETS | BROKEN | st.binary(max_size=9), max_size=12), cuts=st.integers(1, 64)
)
def test_random_talk_never_has_a_forged_header_accepted(
    milter: RunningMilter, said: list[bytes], cuts: int
) -> None:
    """Whatever was said before, a forged message of a client that has logged in is no accept."""
    octets = OFFER + CLIENT + b"".join(said) + CLIENT + LOGIN + MAIL + FORGED + packet("E")
    with Peer(milter) as peer:
        for start in range(0, len(octets), cuts):
            peer.say(octets[start : start + cuts])
        peer.socket.shutdown(socket.SHUT_WR)
        answers = []
        while answer := peer.answer():
            answers.append(answer)
    assert ACCEPT not in answers
    if not said:
        assert answers[-1] == REFUSAL


def test_many_peers_that_come_and_go(milter: RunningMilter) -> None:
    """Connections cut anywhere leave nothing behind."""
    whole = OFFER + CLIENT + LOGIN + MAIL + SOUND + END
    source = random.Random(5)
    for _ in range(200):
        with Peer(milter) as peer:
            peer.say(whole[: source.randrange(len(whole))])
    assert_it_goes_on(milter)
    deadline = time.monotonic() + 10
    while open_connections(milter) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert open_connections(milter) == 0


def open_connections(milter: RunningMilter) -> float:
    samples = milter.metrics.samples()
    return sum(sample.value for sample in samples if sample.name == "maysend_connections")
