"""S4.1, S4.2: clients as they are against `maysend serve`: STARTTLS, implicit TLS, two sources.

Dialogues of mail programs are written down as they send them; programs that are here are run. Each
door has bob, who may send, and carol, who is suspended.
"""

import base64
import shutil
import smtplib
import ssl
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from maysend.directory import Directory
from maysend.servers.sink import Sink
from tests.servers.conftest import LoopThread
from tests.servers.dovecot import dovecot_auth
from tests.servers.gateways import Client
from tests.servers.serving import Serving, serving

BOB, CAROL = "bob@example.com", "carol@example.com"
PASSWORD = "s3 cret=&+?"
LISTENER = """
[[listener]]
name = "{name}"
kind = "submission"
address = "inet:127.0.0.1:0"
hostname = "gateway.example"
{settings}
[[listener.next_hop]]
host = "127.0.0.1"
port = {sink}
"""
MAIN_CF = """
compatibility_level = 3.6
smtpd_sasl_auth_enable = yes
broken_sasl_auth_clients = yes
smtpd_tls_auth_only = no
smtpd_sender_login_maps = inline:{bob@example.com=bob@example.com}
smtpd_sender_restrictions = reject_sender_login_mismatch
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_reject_unlisted_recipient = no
mydestination =
"""
SUSPENDED = f"554 5.7.1 <{CAROL}>: SASL login name rejected: unpaid bill"
NOT_BOBS = f"553 5.7.1 <{CAROL}>: Sender address rejected: not owned by user {BOB}"
MESSAGE = (
    f"From: Bob <{BOB}>\r\nTo: x@example.net\r\nSubject: hello\r\n"
    "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\n"
    "Content-Transfer-Encoding: 8bit\r\n\r\nGrüße\r\n..\r\n.\r\n"
)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


PLAIN = encoded(f"\0{BOB}\0{PASSWORD}")


class Site:
    """A running `maysend serve` with all its doors, and what arrived behind it."""

    def __init__(self, running: Serving, sink: Sink, certificate: Path) -> None:
        self.running = running
        self.sink = sink
        self.certificate = certificate
        self.tls = ssl.create_default_context(cafile=str(certificate))

    def port(self, name: str) -> int:
        return self.running.port(name)

    def connect(self, name: str) -> Client:
        return Client(self.port(name))

    def arrived(self) -> bytes:
        """The one message that arrived since this was last asked."""
        (message,) = self.sink.messages
        self.sink.messages.clear()
        assert message.sender == BOB
        return message.text


@pytest.fixture(scope="module")
def site(certificate: Path) -> Iterator[Site]:
    folder = Path(tempfile.mkdtemp(prefix="maysend-clients-"))
    folder.chmod(0o755)
    thread, sink = LoopThread(), Sink()
    thread.run(sink.start())
    with Directory.open(folder / "d.db") as directory:
        for login in (BOB, CAROL):
            directory.accounts.add(login, PASSWORD)
        directory.accounts.suspend(CAROL, "unpaid bill")
    (folder / "postfix").mkdir()
    (folder / "postfix" / "main.cf").write_text(MAIN_CF)
    doors = {
        "submission": f'tls_certificate = "{certificate}"',
        "submissions": f'tls = "wrapper"\ntls_certificate = "{certificate}"',
        "old": f'tls = "none"\npostfix = "{folder}/postfix"',
    }
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        stack.callback(thread.close)
        stack.callback(lambda: thread.run(sink.stop()))
        if shutil.which("dovecot", path="/usr/sbin:/usr/bin"):
            users = dict.fromkeys((BOB, CAROL), "{PLAIN}" + PASSWORD)
            path = stack.enter_context(dovecot_auth(users))
            doors["dovecot"] = f'tls = "none"\ndovecot_auth = "{path}"'
        text = 'directory = "sqlite:///d.db"\nworkers = 1\n' + "".join(
            LISTENER.format(name=name, settings=settings, sink=sink.port)
            for name, settings in doors.items()
        )
        yield Site(stack.enter_context(serving(folder, text)), sink, certificate)


DOORS = [
    "submission",
    "submissions",
    "old",
    pytest.param("dovecot", marks=pytest.mark.needs_dovecot),
]


# -- programs --------------------------------------------------------------------------------------


@pytest.mark.needs_swaks
@pytest.mark.parametrize(
    ("door", "mechanism"),
    [
        ("submission", "PLAIN"),
        ("submissions", "LOGIN"),
        ("old", "LOGIN"),
        pytest.param("dovecot", "PLAIN", marks=pytest.mark.needs_dovecot),
    ],
)
def test_swaks(site: Site, door: str, mechanism: str) -> None:
    """S4.1."""
    tls = {"submission": ["--tls"], "submissions": ["--tlsc"]}.get(door, [])
    verified = [*tls, "--tls-verify", "--tls-ca-path", str(site.certificate)] if tls else []

    def swaks(login: str, sender: str) -> str:
        return subprocess.run(
            [
                *("swaks", "--server", "localhost", "--port", str(site.port(door)), *verified),
                *("--from", sender, "--to", "x@example.net", "--h-From", f"<{BOB}>"),
                *("--auth", mechanism, "--auth-user", login, "--auth-password", PASSWORD),
            ],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        ).stdout

    said = swaks(BOB, BOB)
    assert "235 2.7.0 Authentication successful" in said, said
    assert f"From: <{BOB}>".encode() in site.arrived()
    assert NOT_BOBS in swaks(BOB, CAROL)
    if door != "old":  # its policy is one that knows of no suspension
        assert SUSPENDED in swaks(CAROL, CAROL)


@pytest.mark.needs_curl
@pytest.mark.parametrize("door", DOORS)
def test_curl(site: Site, door: str, tmp_path: Path) -> None:
    """S4.1: it chooses the mechanism itself."""
    scheme = "smtps" if door == "submissions" else "smtp"
    tls = ["--ssl-reqd", "--cacert", str(site.certificate)] if "submission" in door else []
    (tmp_path / "message").write_bytes(b"From: bob@example.com\r\nSubject: x\r\n\r\ny\r\n")

    def curl(login: str, sender: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [
                *("curl", "-sSv", f"{scheme}://localhost:{site.port(door)}", *tls),
                *("--mail-from", sender, "--mail-rcpt", "x@example.net"),
                *("-T", str(tmp_path / "message"), "--user", f"{login}:{PASSWORD}"),
            ],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    sent = curl(BOB, BOB)
    assert sent.returncode == 0, sent.stderr
    site.arrived()
    refused = curl(BOB, CAROL)
    assert refused.returncode != 0
    assert NOT_BOBS in refused.stderr


@pytest.mark.parametrize("door", DOORS)
def test_pythons_smtplib(site: Site, door: str) -> None:
    """S4.1: with the library's own choice of mechanism, and its SSL variant."""
    if door == "submissions":
        client: smtplib.SMTP = smtplib.SMTP_SSL("localhost", site.port(door), context=site.tls)
    else:
        client = smtplib.SMTP("localhost", site.port(door))
    with client:
        if door == "submission":
            client.starttls(context=site.tls)
        with pytest.raises(smtplib.SMTPAuthenticationError) as wrong:
            client.login(BOB, "wrong")
        assert wrong.value.smtp_code == 535
        client.login(BOB, PASSWORD)
        assert client.sendmail(BOB, ["x@example.net", "y@example.net"], MESSAGE.encode()) == {}
        assert "Grüße\r\n..\r\n.\r\n".encode() in site.arrived()
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            client.sendmail(CAROL, ["x@example.net"], MESSAGE.encode())
        assert refused.value.recipients["x@example.net"] == (553, NOT_BOBS[4:].encode())


# -- mail programs' dialogues ----------------------------------------------------------------------


def dialogue(client: Client, *steps: tuple[str, str]) -> None:
    """Commands and how their replies begin."""
    for command, reply in steps:
        said = client.command(command)
        assert said.startswith(reply), (command, said)


def send(client: Client) -> None:
    size = len(MESSAGE.encode())
    dialogue(
        client,
        (f"MAIL FROM:<{BOB}> BODY=8BITMIME SIZE={size}", "250 2.1.0 "),
        ("RCPT TO:<x@example.net>", "250 2."),
        ("DATA", "354 "),
    )
    client.send(MESSAGE.replace("\r\n.", "\r\n..").encode() + b".\r\n")
    assert client.reply().startswith("250 2.0.0 ")
    assert client.command("QUIT").startswith("221 2.0.0 ")
    assert client.reply() == ""


def test_thunderbird(site: Site) -> None:
    """S4.1: an address literal in EHLO, STARTTLS, EHLO again, PLAIN with an initial response."""
    with site.connect("submission") as client:
        offered = client.command("EHLO [192.168.1.5]")
        assert "250-STARTTLS" in offered
        assert "AUTH" not in offered
        assert client.command("STARTTLS").startswith("220 ")
        client.start_tls(site.tls)
        offered = client.command("EHLO [192.168.1.5]")
        assert "STARTTLS" not in offered
        assert "AUTH PLAIN LOGIN" in offered
        assert "8BITMIME" in offered
        dialogue(client, (f"AUTH PLAIN {PLAIN}", "235 2.7.0 "))
        send(client)
    received = site.arrived()
    assert b"Received: from [192.168.1.5] (" in received
    assert "Grüße\r\n..\r\n.\r\n".encode() in received


def test_apple_mail(site: Site) -> None:
    """S4.1: an IPv6 literal in EHLO; PLAIN in two steps, given up once."""
    with site.connect("submission") as client:
        assert client.command("EHLO smtpclient.apple").startswith("250-")
        assert client.command("STARTTLS").startswith("220 ")
        client.start_tls(site.tls)
        dialogue(
            client,
            ("EHLO [IPv6:2001:db8::5]", "250-"),
            ("AUTH PLAIN", "334 "),
            ("*", "501 5.7.0 "),
            ("AUTH PLAIN", "334 "),
            (PLAIN, "235 2.7.0 "),
        )
        send(client)
    site.arrived()


@pytest.mark.parametrize("initial", [False, True], ids=["step by step", "with the name at once"])
@pytest.mark.parametrize("door", DOORS[2:])
def test_outlook(site: Site, door: str, initial: bool) -> None:
    """S4.1: a bare host name, a wrong password first, LOGIN with and without initial response."""
    with site.connect(door) as client:
        assert "LOGIN" in client.command("EHLO DESKTOP-1A2B3C")
        for password, reply in (("wrong", "535 5.7.8 "), (PASSWORD, "235 2.7.0 ")):
            if initial:
                dialogue(client, (f"AUTH LOGIN {encoded(BOB)}", "334 UGFzc3dvcmQ6"))
            else:
                dialogue(
                    client,
                    ("AUTH LOGIN", "334 VXNlcm5hbWU6"),
                    (encoded(BOB), "334 UGFzc3dvcmQ6"),
                )
            dialogue(client, (encoded(password), reply))
        send(client)
    site.arrived()


def test_outlook_express(site: Site) -> None:
    """S4.1: it knows LOGIN alone, reads only the old line `AUTH=`, and sends in lower case."""
    with site.connect("old") as client:
        offered = client.command("ehlo winxp").splitlines()
        (old,) = [line for line in offered if line[4:].startswith("AUTH=")]
        assert "LOGIN" in old[len("250-AUTH=") :].split()
        dialogue(
            client,
            ("auth login", "334 VXNlcm5hbWU6"),
            (encoded(BOB), "334 UGFzc3dvcmQ6"),
            (encoded(PASSWORD), "235 2.7.0 "),
            (f"mail from: <{BOB}>", "250 2.1.0 "),
            ("rcpt to: <x@example.net>", "250 2."),
            ("data", "354 "),
        )
        client.send(f"From: <{BOB}>\r\n\r\nx\r\n.\r\n".encode())
        assert client.reply().startswith("250 2.0.0 ")
    site.arrived()


def test_a_printer(site: Site) -> None:
    """S4.1: HELO offers no AUTH, so nobody can log in: what it sends is refused for that."""
    with site.connect("old") as client:
        dialogue(
            client,
            ("HELO printer", "250 "),
            (f"MAIL FROM:<{BOB}>", "250 2.1.0 "),
            (
                "RCPT TO:<x@example.net>",
                f"553 5.7.1 <{BOB}>: Sender address rejected: not logged in",
            ),
        )


def test_a_phone_that_sends_everything_at_once(site: Site) -> None:
    """S4.1: PIPELINING from AUTH on, one connection for two messages with RSET between them."""
    with site.connect("old") as client:
        client.command("EHLO [10.0.0.2]")
        client.send(
            f"AUTH PLAIN {PLAIN}\r\nMAIL FROM:<{BOB}> SIZE=100\r\nRCPT TO:<x@example.net>\r\n"
            f"RSET\r\nMAIL FROM:<{BOB}>\r\nRCPT TO:<y@example.net>\r\nDATA\r\n".encode()
        )
        replies = [client.reply()[:4] for _ in range(7)]
        assert replies == ["235 ", "250 ", "250 ", "250 ", "250 ", "250 ", "354 "]
        client.send(f"From: {BOB}\r\n\r\nx\r\n.\r\nQUIT\r\n".encode())
        assert [client.reply()[:4] for _ in range(2)] == ["250 ", "221 "]
    assert b"for <y@example.net>" in site.arrived()
