"""S2.7: every trick with the header, shown to the gateway and to the milter of a real Postfix."""

import subprocess
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from email.utils import getaddresses
from pathlib import Path
from typing import TypeAlias

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from maysend.servers.submission import Limits
from tests.differential.live_postfix import LivePostfix, Smtp
from tests.servers.conftest import LoopThread
from tests.servers.gateways import Client, running
from tests.servers.header_tricks import MENDED_AWAY, TRICKS, Trick
from tests.servers.milters import POLICY, running_milter

BODY_OR_NOT = {"with a body": b"\r\nx\r\n.\r\n", "without blank line and body": b".\r\n"}
PARAMETERS = POLICY | {"compatibility_level": "3.6"}
ORIGINATORS = ("from", "sender", "resent-from", "resent-sender")
BOBS = {"bob@example.com", "ceo@example.com"}

Say: TypeAlias = Callable[[bytes, bool], str]


class Door:
    """Where bob has logged in: `say(message, smtputf8)` gives the reply to a message on the wire,
    `passed_on()` the messages that were let through since it was last asked."""

    def __init__(self, say: Say, passed_on: Callable[[], list[bytes]]) -> None:
        self.say = say
        self.passed_on = passed_on
        self.mends = False


def speak(client: Client | Smtp, message: bytes, smtputf8: bool) -> str:
    mail = "MAIL FROM:<bob@example.com>" + (" SMTPUTF8" if smtputf8 else "")
    assert client.command(mail).startswith("250 ")
    assert client.command("RCPT TO:<x@example.net>").startswith("250 ")
    assert client.command("DATA").startswith("354 ")
    client.send(message)
    return client.reply()


def header_of(postfix: LivePostfix, queue_file: Path) -> bytes:
    """A queued message's header, as Postfix's own postcat shows it."""
    command = ["postcat", "-c", str(postfix.directory), "-h", str(queue_file)]
    return subprocess.run(command, check=True, capture_output=True, timeout=20).stdout


def authors(message: bytes) -> set[str]:
    """All that another reader of the message finds in the fields that say who it is from."""
    header = message_from_bytes(message, policy=policy.compat32)
    values = [value for name in ORIGINATORS for value in header.get_all(name, [])]
    return {address.lower() for _, address in getaddresses([str(value) for value in values])}


@pytest.fixture(scope="module")
def thread() -> Iterator[LoopThread]:
    thread = LoopThread()
    yield thread
    thread.close()


@pytest.fixture(scope="module")
def gateway(thread: LoopThread) -> Iterator[Door]:
    limits = Limits(smtpd_hard_error_limit=100000, smtpd_soft_error_limit=100000)
    with (
        running(
            thread,
            policy=PARAMETERS,
            tls_auth_only=False,
            limits=limits,
            authenticate=lambda login, password: "bob",
        ) as gateway,
        gateway.connect() as client,
    ):
        assert "SMTPUTF8" in client.command("EHLO x")
        assert client.command("AUTH PLAIN AGJvYgB4").startswith("235 ")

        def passed_on() -> list[bytes]:
            messages = [message.text for message in gateway.sink.messages]
            gateway.sink.messages.clear()
            return messages

        yield Door(lambda message, smtputf8: speak(client, message, smtputf8), passed_on)


@pytest.fixture(scope="module")
def milter(thread: LoopThread) -> Iterator[Door]:
    with running_milter(thread, PARAMETERS) as milter, LivePostfix() as postfix:
        relay = {"smtpd_relay_restrictions": "permit_sasl_authenticated, reject"}
        postfix.configure(relay | {"smtpd_milters": f"unix:{milter.path}"})

        def passed_on() -> list[bytes]:
            files = [path for path in (postfix.queue / "incoming").iterdir() if path.is_file()]
            messages = [header_of(postfix, path) for path in files]
            for path in files:
                path.unlink()
            return messages

        with postfix.session(helo="client.example", login="bob") as smtp:
            door = Door(lambda message, smtputf8: speak(smtp, message, smtputf8), passed_on)
            door.mends = True
            yield door


@pytest.fixture(params=["gateway", pytest.param("milter", marks=pytest.mark.needs_postfix)])
def door(request: pytest.FixtureRequest) -> Door:
    door = request.getfixturevalue(request.param)
    assert isinstance(door, Door)
    door.passed_on()
    return door


@pytest.mark.parametrize("end", BODY_OR_NOT.values(), ids=BODY_OR_NOT)
@pytest.mark.parametrize("trick", TRICKS, ids=[trick.name for trick in TRICKS])
def test_a_trick_is_refused(door: Door, trick: Trick, end: bytes) -> None:
    wanted = (door.mends and trick.mended) or trick.reply
    assert door.say(trick.header + end, trick.smtputf8).startswith(wanted)
    messages = door.passed_on()
    assert bool(messages) == (wanted == MENDED_AWAY)
    assert all(authors(message) <= BOBS for message in messages)


NAMES = st.sampled_from([b"Sender", b"Resent-From", b"Subject", b"X-From", b"To", b"FROM"])
WORDS = st.sampled_from(
    [
        *(b"bob@example.com", b"<bob@example.com>", b"ceo@example.com", b"eve@example.com"),
        *(
            b"<eve@example.com>",
            b"(eve@example.com)",
            b'"eve@example.com"',
            b"us: ",
            b"\r\n ",
            b";",
        ),
        *(b"Bob ", b", ", b",", b'"', b"(", b")", b"<", b">", b"\\", b"@", b" ", b".", b"\r\n\t"),
        *(b"=?utf-8?q?", b"=40", b"?=", b"\xc3\xa9", b"=?utf-8?b?ZXZl?=", b"\xe2\x80\xae", b"\x0b"),
    ]
)
JUNK = st.sampled_from(
    [b"\r\n \r\n", b"\r\n\r\n", b"\r", b"\n", b"\0", b"\xff", b" ", b"From ", b"x"]
)
VALUE = st.lists(WORDS, max_size=6).map(b"".join)
FIELD = st.builds(b"%b: %b\r\n".__mod__, st.tuples(NAMES, VALUE))
AUTHOR = st.builds(
    b"From: %b%b%b\r\n".__mod__,
    st.tuples(VALUE, st.sampled_from([b"", b"<bob@example.com>", b" bob@example.com"]), VALUE)
    | st.just((b"", b"bob@example.com", b"")),
)
LINES = st.tuples(
    st.lists(FIELD, max_size=1).map(b"".join),
    AUTHOR,
    st.lists(FIELD | FIELD | FIELD | JUNK, max_size=2).map(b"".join),
).map(b"".join)
SETTINGS = settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@SETTINGS
@given(lines=LINES, smtputf8=st.booleans())
def test_whatever_is_said_nobody_is_shown_but_bob(door: Door, lines: bytes, smtputf8: bool) -> None:
    """Random headers: what is passed on, another parser finds only bob in; one reply each."""
    message = lines.replace(b"\r\n.", b"\r\n..") + b"\r\n\r\nx\r\n.\r\n"
    reply = door.say(message, smtputf8)
    messages = door.passed_on()
    event("passed on" if messages else f"refused: {reply[:40]}")
    if not reply.startswith("250 "):
        assert reply[:2] in ("55", "52"), reply
        assert not messages
    for header in messages:
        found = authors(header)
        assert found, "it is from somebody"
        assert found <= BOBS
