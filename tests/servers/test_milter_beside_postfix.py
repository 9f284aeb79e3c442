"""S2.7, S2.14: a real Postfix asks the milter: logins, strangers, many messages, a dead milter."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from maysend.directory import Directory
from tests.differential.live_postfix import LivePostfix, Smtp
from tests.servers.conftest import LoopThread
from tests.servers.milters import RunningMilter, running_milter

pytestmark = pytest.mark.needs_postfix

SOUND = "From: Bob <bob@example.com>"
OPEN = {"smtpd_recipient_restrictions": "permit"} | {"smtpd_relay_restrictions": "permit"}


@pytest.fixture(scope="module")
def postfix() -> Iterator[LivePostfix]:
    with LivePostfix() as instance:
        yield instance


@pytest.fixture
def milter(loop_thread: LoopThread, postfix: LivePostfix) -> Iterator[RunningMilter]:
    with running_milter(loop_thread) as running:
        ask_milter(postfix, running.path)
        yield running


def ask_milter(postfix: LivePostfix, path: Path, **parameters: str) -> None:
    relay = {
        "smtpd_relay_restrictions": "permit_sasl_authenticated, reject_unauth_destination",
        "smtpd_milters": f"unix:{path}",
    }
    postfix.configure(relay | parameters)


def begin(smtp: Smtp, recipients: int = 1, sender: str = "bob@example.com") -> None:
    assert smtp.command(f"MAIL FROM:<{sender}>").startswith("250 ")
    for number in range(recipients):
        assert smtp.command(f"RCPT TO:<bob{number}@example.com>").startswith("250 ")
    assert smtp.command("DATA").startswith("354 ")


def send(smtp: Smtp, header: str, recipients: int = 1, body: str = "x") -> str:
    begin(smtp, recipients)
    lines = [*header.split("\n"), "", *body.split("\n"), "."]
    smtp.send("".join(f"{line}\r\n" for line in lines).encode("utf-8", "surrogateescape"))
    return smtp.reply()


def queued(postfix: LivePostfix) -> list[bytes]:
    """The contents of the queue files, oldest first."""
    files = [path for path in (postfix.queue / "incoming").iterdir() if path.is_file()]
    return [path.read_bytes() for path in sorted(files, key=lambda path: path.stat().st_ino)]


NOT_BOBS = "554 5.7.1 <eve@example.com>: Header From address rejected: not owned by user bob"


def test_several_messages_of_one_session(postfix: LivePostfix, milter: RunningMilter) -> None:
    with postfix.session(helo="client.example", login="bob") as smtp:
        assert send(smtp, SOUND).startswith("250 ")
        assert send(smtp, "From: eve@example.com") == NOT_BOBS
        assert send(smtp, SOUND, recipients=50).startswith("250 ")
        assert send(smtp, "From: eve@example.com", recipients=50) == NOT_BOBS
        assert send(smtp, "Subject: x") == "554 5.6.0 Header From rejected: there is none"
        assert send(smtp, SOUND, body="y\n" * 20000).startswith("250 ")
    assert milter.counted("permit") == 3
    assert milter.counted("reject") == 3
    (line, *_) = [line for line in milter.log if "reject: END-OF-MESSAGE" in line]
    assert not line.startswith("NOQUEUE"), "the queue id was asked for"
    assert "sasl_username=<bob>" in line
    assert "from unknown[192.0.2.7]" in line


@pytest.mark.parametrize(
    ("header", "reply"),
    [
        ("From: bob@example.com, eve@example.com\nSender: bob@example.com", NOT_BOBS),
        ("From: bob@example.com\nFrom: eve@example.com", "it stands 2 times"),
        # Postfix makes "From:" of "From :", and X-Mailbox-Line: where that comes first.
        ("Subject: x\nFrom : eve@example.com", NOT_BOBS),
        ("From : eve@example.com", "Header From rejected: there is none"),
        ("fROM:\n eve@example.com", NOT_BOBS),
        (
            'From: "eve@example.com" <bob@example.com>',
            "<eve@example.com>: Header From display name rejected",
        ),
        ("From: bob@example.com\nSender: eve@example.com", "Header Sender address rejected"),
        ("From: bob@example.com\nResent-From: eve@example.com", "Header Resent-From address"),
        ("From: <@x.org:bob@example.com>", "Header From rejected: at character"),
        ("From: 100%eve@example.com", "<100%eve@example.com>: Header From address rejected"),
        ("From: b\udcffb <bob@example.com>", "octets that are no UTF-8"),
        ("Subject: x\nno field\nFrom: eve@example.com", "Header From rejected: there is none"),
        ("From: bob@example.com\nSubject: " + "x" * 30000, "250 "),
        ("From: bob@example.com\nX-From: eve@example.com", "250 "),
    ],
)
def test_what_postfix_passes_on_is_what_is_checked(
    postfix: LivePostfix, milter: RunningMilter, header: str, reply: str
) -> None:
    with postfix.session(helo="client.example", login="bob") as smtp:
        assert reply in send(smtp, header)


def test_a_sender_is_added_on_behalf(postfix: LivePostfix, milter: RunningMilter) -> None:
    with postfix.session(helo="client.example", login="bob") as smtp:
        assert send(smtp, "From: ceo@example.com\nSubject: on behalf").startswith("250 ")
    assert b"Sender: <bob@example.com>" in queued(postfix)[-1]


def test_grants_of_the_directory(
    loop_thread: LoopThread, postfix: LivePostfix, tmp_path: Path
) -> None:
    """S2.7: "as" is the address itself, "on-behalf" needs a Sender:, which is added."""
    with Directory.open(tmp_path / "directory.sqlite") as directory:
        for login in ("bob@example.com", "eve@example.com"):
            directory.accounts.add(login, password_hash="{PLAIN}x")
        directory.grants.add("bob@example.com", "team@example.com", kind="as")
        directory.grants.add("bob@example.com", "ceo@example.com", kind="on-behalf")
        maps = {
            "smtpd_sender_login_maps": "directory:owners",
            "smtpd_on_behalf_login_maps": "directory:on_behalf",
        }
        with running_milter(loop_thread, maps, directory.table_types()) as milter:
            ask_milter(postfix, milter.path)
            with postfix.session(helo="client.example", login="bob@example.com") as smtp:
                for header, added in (
                    ("From: team@example.com", False),
                    ("From: ceo@example.com\nSender: Bob <bob@example.com>", False),
                    ("From: ceo@example.com", True),
                ):
                    assert send(smtp, header).startswith("250 ")
                    assert (b"Sender: <bob@example.com>" in queued(postfix)[-1]) == added
                reply = send(smtp, "From: ceo@example.com\nSender: team@example.com")
                assert reply.startswith("250 "), "team@ is bob's"
                reply = send(smtp, "From: ceo@example.com\nSender: ceo@example.com")
                assert "<ceo@example.com>: Header Sender address rejected: not owned" in reply
            with postfix.session(helo="client.example", login="eve@example.com") as smtp:
                for header in ("From: team@example.com", "From: ceo@example.com"):
                    assert "not owned by user eve@example.com" in send(smtp, header)


def test_postfix_keeps_only_the_part_of_a_field_that_was_checked(
    postfix: LivePostfix, milter: RunningMilter
) -> None:
    """Postfix cuts a header field at its first NUL, for the milter and for the message alike."""
    with postfix.session(helo="client.example", login="bob") as smtp:
        header = "Subject: cut\nFrom: bob@example.com\0, eve@example.com\nX: y"
        assert send(smtp, header).startswith("250 ")
    (message,) = [octets for octets in queued(postfix) if b"Subject: cut" in octets]
    assert b"From: bob@example.com" in message
    assert b"eve@example.com" not in message


def test_strangers_are_not_looked_at(postfix: LivePostfix, milter: RunningMilter) -> None:
    with postfix.session(helo="client.example") as smtp:
        assert send(smtp, "From: bob@example.com").startswith("250 ")
        assert send(smtp, "no header at all").startswith("250 ")
    assert milter.counted("permit") == milter.counted("reject") == 0


def test_no_main_cf_can_hide_the_login(postfix: LivePostfix, milter: RunningMilter) -> None:
    ask_milter(postfix, milter.path, milter_mail_macros="")
    with postfix.session(helo="client.example", login="bob") as smtp:
        assert send(smtp, "From: eve@example.com") == NOT_BOBS


def test_a_table_that_fails_is_a_4xx(loop_thread: LoopThread, postfix: LivePostfix) -> None:
    with running_milter(loop_thread, {"smtpd_sender_login_maps": "fail:x"}) as milter:
        ask_milter(postfix, milter.path)
        with postfix.session(helo="client.example", login="bob") as smtp:
            assert send(smtp, SOUND) == "451 4.3.0 <bob@example.com>: Temporary lookup failure"


def test_with_the_envelope(loop_thread: LoopThread, postfix: LivePostfix) -> None:
    with running_milter(loop_thread, envelope=True) as milter:
        ask_milter(postfix, milter.path)
        with postfix.session(helo="client.example", login="bob") as smtp:
            assert smtp.command("MAIL FROM:<eve@example.com>").startswith("250 ")
            assert smtp.command("RCPT TO:<x@example.com>") == (
                "553 5.7.1 <eve@example.com>: Sender address rejected: not owned by user bob"
            )
            assert smtp.command("RSET").startswith("250 ")
            assert smtp.command("MAIL FROM:<bob@example.com>").startswith("250 ")
            assert smtp.command("RCPT TO:<list@example.com>") == (
                "554 5.7.1 <list@example.com>: Recipient address rejected: Access denied"
            )
            assert smtp.command("RCPT TO:<x@example.com>").startswith("250 ")
            assert smtp.command("DATA").startswith("354 ")
            smtp.send(b"From: eve@example.com\r\n\r\nx\r\n.\r\n")
            assert smtp.reply() == NOT_BOBS
            assert send(smtp, SOUND).startswith("250 ")
        with postfix.session(helo="client.example") as smtp:
            assert send(smtp, "From: bob@example.com").startswith("250 ")


def test_no_milter_is_a_4xx(postfix: LivePostfix, tmp_path: Path) -> None:
    ask_milter(postfix, tmp_path / "nobody")
    with postfix.session(login="bob") as smtp:
        assert smtp.command("EHLO client.example").startswith("250")
        assert smtp.command("MAIL FROM:<bob@example.com>").startswith("451 4.7.1 ")


@pytest.mark.parametrize("answer", [b"", b"\0\0\0\0", b"\xff\xff\xff\xffx", b"\0\0\0\x0dO\0\0"])
def test_a_milter_that_dies_or_hangs_is_a_4xx(postfix: LivePostfix, answer: bytes) -> None:
    """What Postfix does where we are killed or stopped: the same fail-closed answer."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(1000)
                connection.sendall(answer)
                time.sleep(0 if answer else 1.5)

    threading.Thread(target=serve, daemon=True).start()
    postfix.configure(
        {
            "smtpd_milters": f"inet:127.0.0.1:{listener.getsockname()[1]}",
            "milter_connect_timeout": "1s",
            "milter_command_timeout": "1s",
        }
    )
    try:
        with postfix.session(login="bob") as smtp:
            smtp.command("EHLO client.example")
            assert smtp.command("MAIL FROM:<bob@example.com>").startswith("451 4.7.1 ")
    finally:
        listener.close()
