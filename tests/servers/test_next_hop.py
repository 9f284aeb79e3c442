"""A next hop that dies, lies or hangs: the client gets a 4xx and never a 250."""

import random
import socket
import threading
import time

import pytest

from maysend.servers.submission import Timeouts
from tests.servers.conftest import LoopThread
from tests.servers.gateways import NextHopScript, converse, running

BODY = b"Subject: x\r\n\r\n" + b"0123456789abcdef\r\n" * 2000
TRIES = 1000


class Dying:
    """Reads so many octets of each message, then drops the connection in one of several ways."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.complete = 0

    def serve(self, connection: socket.socket) -> None:
        position = self._random.randint(0, len(BODY) + 400)
        abruptly = self._random.random() < 0.5
        converse(connection, {})
        left, tail = position, b""
        while left > 0:
            octets = connection.recv(min(left, 65536))
            if not octets:
                return
            left -= len(octets)
            tail = (tail + octets)[-5:]
            if tail == b"\r\n.\r\n":
                # The whole message is here; this next hop dies before it says so.
                self.complete += 1
                break
        if abruptly:
            linger = (1).to_bytes(4, "little") + bytes(4)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


def test_a_next_hop_that_dies_in_data_never_gives_a_250(loop_thread: LoopThread) -> None:
    """1,000 tries at random octets, before and after the final dot."""
    dying = Dying(7)
    next_hop = NextHopScript(dying.serve)
    replies: list[str] = []
    with running(loop_thread, next_hop_port=next_hop.port) as gateway:

        def send_some(tries: int) -> None:
            for _ in range(tries):
                with gateway.connect() as client:
                    replies.append(client.message(BODY + b".\r\n"))

        senders = [threading.Thread(target=send_some, args=(TRIES // 4,)) for _ in range(4)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
    next_hop.close()
    assert len(replies) == TRIES
    assert {reply[0] for reply in replies} == {"4"}
    assert dying.complete, "some must have died between the final dot and the reply"


@pytest.mark.parametrize(
    ("answer", "reply"),
    [
        (b"", "451 4.4.2 "),
        (b"banana\r\n", "451 4.4.2 "),
        (b"250-half a reply\r\n", "451 4.4.2 "),
        (b"354 again?\r\n", "451 4.4.2 "),
        (b"421 4.3.2 going\r\n", "451 4.3.2 going"),
        (b"554 5.7.1 spam\r\n", "554 5.7.1 spam"),
        (b"452 full\r\n", "452 4.0.0 full"),
        (b"250 2.0.0 queued as 1\r\n", "250 2.0.0 queued as 1"),
    ],
)
def test_what_it_says_to_the_message(loop_thread: LoopThread, answer: bytes, reply: str) -> None:
    def serve(connection: socket.socket) -> None:
        converse(connection, {})
        octets = b""
        while not octets.endswith(b"\r\n.\r\n"):
            octets += connection.recv(65536)
        connection.sendall(answer)

    next_hop = NextHopScript(serve)
    with running(loop_thread, next_hop_port=next_hop.port) as gateway, gateway.connect() as client:
        assert client.message(BODY + b".\r\n").startswith(reply)
        line = gateway.log[-1]
        assert ("lost after the final dot" in line) == (reply == "451 4.4.2 ")
    next_hop.close()


def test_a_reply_before_the_final_dot_is_no_verdict(loop_thread: LoopThread) -> None:
    def serve(connection: socket.socket) -> None:
        converse(connection, {b"DATA": b"354 go\r\n250 2.0.0 taken already\r\n"})
        while connection.recv(65536):
            pass

    next_hop = NextHopScript(serve)
    with running(loop_thread, next_hop_port=next_hop.port) as gateway, gateway.connect() as client:
        client.begin()
        client.send(BODY)
        time.sleep(0.2)
        client.send(b".\r\n")
        assert client.reply().startswith("451 4.4.2 ")
    next_hop.close()


@pytest.mark.parametrize("moment", [b"MAIL", b"RCPT", b"DATA"])
def test_it_goes_away_between_commands(loop_thread: LoopThread, moment: bytes) -> None:
    next_hop = NextHopScript(lambda connection: converse(connection, {moment: b"\r\n"}, moment))
    with running(loop_thread, next_hop_port=next_hop.port) as gateway, gateway.connect() as client:
        client.command("EHLO x")
        client.command("MAIL FROM:<a@b.c>")
        reply = client.command("RCPT TO:<x@y.z>")
        if moment == b"DATA":
            assert reply.startswith("250 ")
            assert client.command("DATA").startswith("354 ")
            client.send(BODY + b".\r\n")
            reply = client.reply()
        assert reply.startswith("451 4.4.2 ")
        assert client.command("NOOP") == "250 2.0.0 Ok"
    next_hop.close()


def test_recipients_that_were_lost_are_not_forgotten(loop_thread: LoopThread) -> None:
    """The next hop dies after the first recipient: the message fails as a whole."""
    next_hop = NextHopScript(lambda connection: converse(connection, {}, b"RCPT"))
    with running(loop_thread, next_hop_port=next_hop.port) as gateway, gateway.connect() as client:
        client.command("EHLO x")
        client.command("MAIL FROM:<a@b.c>")
        assert client.command("RCPT TO:<first@y.z>").startswith("250 ")
        time.sleep(0.1)
        assert client.command("RCPT TO:<second@y.z>").startswith("451 4.4.2 ")
        assert client.command("RCPT TO:<third@y.z>").startswith("451 4.4.2 ")
        assert client.command("DATA").startswith("451 4.4.2 ")
        client.command("RSET")
        client.command("MAIL FROM:<a@b.c>")
        assert client.command("RCPT TO:<first@y.z>").startswith("250 ")
    next_hop.close()


def test_it_is_down_and_comes_back(loop_thread: LoopThread) -> None:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    timeouts = Timeouts(next_hop_connect=2, probe_interval=0.1)
    with running(loop_thread, next_hop_port=port, timeouts=timeouts) as gateway:
        with gateway.connect() as client:
            assert "8BITMIME" not in client.command("EHLO x")
            client.command("MAIL FROM:<a@b.c>")
            assert client.command("RCPT TO:<x@y.z>").startswith("451 4.4.1 ")
        loop_thread.run(gateway.sink.stop())
        loop_thread.run(gateway.sink.start(port=port))
        time.sleep(0.5)
        with gateway.connect() as client:
            assert "8BITMIME" in client.command("EHLO x")
            assert client.message(BODY + b".\r\n").startswith("250 ")


def test_it_hangs(loop_thread: LoopThread) -> None:
    """In each phase of its own the client is told 4xx within the timeout."""
    timeouts = Timeouts(next_hop_data=0.3, next_hop_final=0.3)

    def serve_until(moment: bytes) -> NextHopScript:
        def serve(connection: socket.socket) -> None:
            answers = {moment: b"250-\r\n"} if moment == b"DATA" else {}
            converse(connection, answers)
            while connection.recv(65536):
                pass

        return NextHopScript(serve)

    for moment in (b"DATA", b"."):
        next_hop = serve_until(moment)
        with (
            running(loop_thread, next_hop_port=next_hop.port, timeouts=timeouts) as gateway,
            gateway.connect() as client,
        ):
            assert client.message(BODY + b".\r\n").startswith("451 4.4.2 ")
        next_hop.close()


def test_a_silent_next_hop_does_not_keep_the_gateway_from_starting(
    loop_thread: LoopThread,
) -> None:
    next_hop = NextHopScript(lambda connection: connection.recv(1))
    timeouts = Timeouts(first_probe=0.2, next_hop_greeting=0.5)
    with (
        running(loop_thread, next_hop_port=next_hop.port, timeouts=timeouts) as gateway,
        gateway.connect() as client,
    ):
        assert "8BITMIME" not in client.command("EHLO x")
        client.command("MAIL FROM:<a@b.c>")
        assert client.command("RCPT TO:<x@y.z>").startswith("451 4.4.2 ")
    next_hop.close()


def test_a_client_that_leaves_in_data(loop_thread: LoopThread) -> None:
    """The next hop does not get the final dot, so the message is not taken there."""
    with running(loop_thread) as gateway:
        for cut in (0, 10, len(BODY) // 2, len(BODY), len(BODY) + 1):
            client = gateway.connect()
            client.begin()
            client.send((BODY + b".\r\n")[:cut])
            client.socket.close()
        time.sleep(0.3)
        assert not gateway.sink.messages
        assert sum("status=lost" in line for line in gateway.log) == 5
