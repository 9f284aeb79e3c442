"""S4.1, S4.2: every mechanism with real clients and a real Dovecot; EHLO as a live smtpd's."""

import base64
import hashlib
import hmac
import smtplib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from maysend.directory import Directory
from maysend.sasl.stored import make_keys
from maysend.servers.submission import Limits, PasswordLogins, directory_logins
from maysend.servers.submission.dovecot_logins import DovecotLogins
from maysend.servers.submission.guessing import GuessLimits
from tests.differential.live_postfix import LivePostfix
from tests.servers.conftest import LoopThread
from tests.servers.dovecot import dovecot_auth
from tests.servers.gateways import Client, Running, running

USERS = {"bob@example.com": "{PLAIN}secret", "eve@example.com": "{SHA256.hex}" + "0" * 64}
ALL = ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256")
OFFERED_BY_DOVECOT = ("plain", "login", "cram-md5", "scram-sha-256", "anonymous", "digest-md5")


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Path]:
    with dovecot_auth(USERS, OFFERED_BY_DOVECOT) as path:
        yield path


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Directory]:
    with Directory.open(tmp_path / "directory.db") as opened:
        keys = make_keys("secret", b"a salt")
        parts = (
            base64.b64encode(x).decode() for x in (b"a salt", keys.stored_key, keys.server_key)
        )
        stored = "{SCRAM-SHA-256}4096," + ",".join(parts)
        opened.accounts.add("bob@example.com", password_hash="{PLAIN}secret")
        opened.accounts.add("keys@example.com", password_hash=stored)
        opened.accounts.add("digest@example.com", password_hash="{SHA256.hex}" + "0" * 64)
        opened.accounts.add("off@example.com", password_hash="{PLAIN}secret")
        opened.accounts.disable("off@example.com")
        opened.aliases.add("robert@example.com", ["bob@example.com"])
        yield opened


@pytest.fixture
def gateway(loop_thread: LoopThread, directory: Directory) -> Iterator[Running]:
    limits = Limits(smtpd_hard_error_limit=1000, guesses=GuessLimits(per_address=0))
    with running(
        loop_thread,
        logins=lambda: directory_logins(directory, realm="example.com", mechanisms=ALL),
        tls_auth_only=False,
        limits=limits,
    ) as started:
        yield started


def cram_md5(client: Client, login: str, password: str) -> str:
    challenge = base64.b64decode(client.command("AUTH CRAM-MD5").removeprefix("334 "))
    digest = hmac.new(password.encode(), challenge, "md5").hexdigest()
    return client.command(encoded(f"{login} {digest}"))


def scram(client: Client, login: str, password: str) -> tuple[str, str]:
    """(what the server said first, the last reply), with the server's own proof checked."""
    first = f"n={login},r=clientnonce"
    said = client.command(f"AUTH SCRAM-SHA-256 {encoded('n,,' + first)}")
    server_first = base64.b64decode(said.removeprefix("334 ")).decode()
    fields = dict(field.split("=", 1) for field in server_first.split(","))
    keys = make_keys(password, base64.b64decode(fields["s"]), int(fields["i"]))
    unproved = f"c={encoded('n,,')},r={fields['r']}"
    message = f"{first},{server_first},{unproved}".encode()
    salted = hashlib.pbkdf2_hmac(
        "sha256", password.encode(), base64.b64decode(fields["s"]), int(fields["i"])
    )
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    signature = hmac.digest(keys.stored_key, message, "sha256")
    proof = base64.b64encode(bytes(a ^ b for a, b in zip(client_key, signature, strict=True)))
    reply = client.command(encoded(f"{unproved},p={proof.decode()}"))
    if reply.startswith("334 "):
        ours = base64.b64encode(hmac.digest(keys.server_key, message, "sha256")).decode()
        assert base64.b64decode(reply.removeprefix("334 ")).decode() == f"v={ours}"
        reply = client.command("")
    return server_first, reply


def test_cram_md5_with_smtplib(gateway: Running) -> None:
    """S4.1: smtplib prefers CRAM-MD5 where it is offered."""
    with smtplib.SMTP("127.0.0.1", gateway.port) as client:
        client.ehlo()
        client.user, client.password = "bob@example.com", "secret"  # type: ignore[attr-defined]
        code, _ = client.auth("CRAM-MD5", client.auth_cram_md5)  # type: ignore[arg-type]
        assert code == 235
        client.sendmail("bob@example.com", "x@example.net", "Subject: x\n\ny")
    assert any("sasl_method=CRAM-MD5" in line for line in gateway.log)


@pytest.mark.needs_swaks
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
def test_swaks(gateway: Running, mechanism: str) -> None:
    """S4.1."""
    swaks = subprocess.run(
        [
            *("swaks", "--server", "127.0.0.1", "--port", str(gateway.port)),
            *("--from", "bob@example.com", "--to", "x@example.net", "--auth", mechanism),
            *("--auth-user", "bob@example.com", "--auth-password", "secret"),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert swaks.returncode == 0, swaks.stdout + swaks.stderr
    assert len(gateway.sink.messages) == 1


@pytest.mark.needs_curl
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
def test_curl(gateway: Running, mechanism: str, tmp_path: Path) -> None:
    """S4.1."""
    (tmp_path / "message").write_text("Subject: x\n\ny\n")
    curl = subprocess.run(
        [
            *("curl", "-sS", f"smtp://127.0.0.1:{gateway.port}", "--mail-from", "bob@example.com"),
            *("--mail-rcpt", "x@example.net", "-T", str(tmp_path / "message"), "--crlf"),
            *("--user", "bob@example.com:secret", "--login-options", f"AUTH={mechanism}"),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert curl.returncode == 0, curl.stderr
    assert len(gateway.sink.messages) == 1


def test_scram_with_password_and_with_keys(gateway: Running) -> None:
    """S4.1, S4.2: RFC 7677, the server's proof too."""
    for login in ("bob@example.com", "keys@example.com", "robert@example.com", "bob"):
        with gateway.connect() as client:
            client.command("EHLO x")
            assert scram(client, login, "wrong")[1].startswith("535 5.7.8 ")
            assert scram(client, login, "secret")[1].startswith("235 ")


def test_what_is_not_stored_in_the_right_form(gateway: Running) -> None:
    """CRAM-MD5 needs the password, SCRAM it or its keys; PLAIN works with each."""
    with gateway.connect() as client:
        client.command("EHLO x")
        for login in (
            "keys@example.com",
            "digest@example.com",
            "off@example.com",
            "no@example.com",
        ):
            assert cram_md5(client, login, "secret").startswith("535 5.7.8 "), login
        for login in ("digest@example.com", "off@example.com", "no@example.com"):
            assert scram(client, login, "secret")[1].startswith("535 5.7.8 "), login
        plain = encoded("\0keys@example.com\0secret")
        assert client.command(f"AUTH PLAIN {plain}").startswith("235 ")


def test_an_unknown_login_is_not_told_from_a_known_one(gateway: Running) -> None:
    """The same salt each time, in any spelling, and the same number of iterations."""
    with gateway.connect() as client:
        client.command("EHLO x")
        first, _ = scram(client, "nobody@example.com", "x")
        again, _ = scram(client, "Nobody@example.com", "x")
        other, _ = scram(client, "somebody@example.com", "x")
        assert first.split(",")[1:] == again.split(",")[1:]
        assert first.split(",")[1] != other.split(",")[1]
        assert first.endswith(",i=4096")


def test_malformed_exchanges(gateway: Running) -> None:
    with gateway.connect() as client:
        client.command("EHLO x")
        assert client.command("AUTH CRAM-MD5 eA==").startswith("535 5.7.8 ")
        for response in ("bob", "bob x", " " + "0" * 32, "\0b " + "0" * 32):
            assert client.command("AUTH CRAM-MD5").startswith("334 ")
            assert client.command(encoded(response)).startswith("535 5.7.8 ")
        for first in ("", "n", "p=tls-unique,,n=b,r=x", "n,,n=b=b,r=x", "n,a=c,n=b,r=x", "n,,m=1"):
            assert client.command(f"AUTH SCRAM-SHA-256 {encoded(first) or '='}").startswith("535 ")
        assert client.command(f"AUTH SCRAM-SHA-256 {encoded('n,,n=bob,r=x')}").startswith("334 ")
        assert client.command(encoded("c=eSws,r=x,p=eA==")).startswith("535 ")
        assert client.command("AUTH PLAIN " + "A" * 5000) == "500 5.5.2 Error: line too long"
        assert client.command("AUTH PLAIN") == "334 "
        assert client.command("A" * 20000) == "500 5.5.2 Error: line too long"
        assert client.command("NOOP") == "250 2.0.0 Ok"


def test_mechanisms_that_nobody_speaks() -> None:
    with pytest.raises(ValueError, match="expected one of PLAIN, LOGIN, CRAM-MD5"):
        PasswordLogins(lambda login, password: None, mechanisms=("GSSAPI",))


SETTINGS: list[dict[str, str]] = [
    {},
    {"broken_sasl_auth_clients": "yes"},
    {"smtpd_sasl_exceptions_networks": "192.0.2.0/24"},
    {"smtpd_sasl_exceptions_networks": "127.0.0.1"},
    {"smtpd_sasl_exceptions_networks": "!127.0.0.1, 127.0.0.0/8"},
    {"smtpd_sasl_local_domain": "example.com"},
    *(
        {"smtpd_sasl_security_options": options}
        for options in (
            "",
            "noplaintext",
            "noplaintext, noanonymous",
            "noactive",
            "nodictionary noanonymous",
            "mutual_auth",
            "noanonymous, noactive, nodictionary",
        )
    ),
]


@pytest.mark.needs_postfix
@pytest.mark.needs_dovecot
def test_ehlo_is_what_a_live_smtpd_says(loop_thread: LoopThread, dovecot: Path) -> None:
    """S4.1: the AUTH lines for every setting, and the replies to AUTH, one Dovecot behind both."""
    commands = ["AUTH", "AUTH FOO", "AUTH PLAIN x y", "AUTH PLAIN !", "AUTH PLAIN"]
    commands += ["!", "AUTH PLAIN", "*", f"AUTH PLAIN {encoded(chr(0) + 'bob@example.com')}"]
    commands += [f"AUTH PLAIN {encoded(chr(0) + 'bob@example.com' + chr(0) + 'no')}", "AUTH LOGIN"]
    commands += [encoded("bob@example.com"), encoded("secret"), "AUTH PLAIN"]
    path = {"smtpd_sasl_path": str(dovecot)}
    with LivePostfix(path) as postfix:
        for parameters in SETTINGS:
            asked = commands if not parameters else commands[:1]
            postfix.configure(path | parameters)
            with postfix.session(client_address="127.0.0.1", helo="x") as smtp:
                theirs = [auth_lines(smtp.command("EHLO x")), *map(smtp.command, asked)]
            with (
                running(
                    loop_thread,
                    logins=lambda: DovecotLogins(str(dovecot)),
                    policy=parameters,
                    tls_auth_only=False,
                ) as gateway,
                gateway.connect() as client,
            ):
                ours = [auth_lines(client.command("EHLO x")), *map(client.command, asked)]
            assert ours == theirs, parameters


def auth_lines(reply: str) -> list[str]:
    return [line[4:] for line in reply.splitlines() if line[4:].startswith("AUTH")]


@pytest.mark.needs_dovecot
def test_logins_from_a_dovecot(loop_thread: LoopThread, dovecot: Path) -> None:
    """S4.2: every mechanism passed through, temporary and final failures, and its absence."""
    with running(
        loop_thread,
        logins=lambda: DovecotLogins(f"unix:{dovecot}"),
        tls_auth_only=False,
        policy={"smtpd_sasl_authenticated_header": "yes"},
    ) as gateway:
        with gateway.connect() as client:
            assert "AUTH PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256" in client.command("EHLO x")
            assert cram_md5(client, "bob@example.com", "wrong").startswith("535 5.7.8 ")
            assert cram_md5(client, "bob@example.com", "secret").startswith("235 ")
            client.begin("bob@example.com")
            client.send(b"Subject: x\r\n\r\ny\r\n.\r\n")
            assert client.reply().startswith("250 ")
        with gateway.connect() as client:
            client.command("EHLO x")
            assert scram(client, "bob@example.com", "secret")[1].startswith("235 ")
        text = gateway.sink.messages[0].text
        assert b"\r\n\t(Authenticated sender: bob@example.com)\r\n\tby gateway.example" in text


@pytest.mark.needs_dovecot
def test_a_dovecot_that_goes_and_comes_back(loop_thread: LoopThread, tmp_path: Path) -> None:
    """S4.2, S4.7: no socket: no AUTH in EHLO, a 535 to AUTH, a line in the log that names it."""
    socket = tmp_path / "link"
    with running(
        loop_thread, logins=lambda: DovecotLogins(str(socket)), tls_auth_only=False
    ) as gateway:
        with gateway.connect() as client:
            assert auth_lines(client.command("EHLO x")) == []
            assert client.command("AUTH PLAIN").startswith("535 5.7.8 ")
        with dovecot_auth(USERS) as path:
            socket.symlink_to(path)
            with smtplib.SMTP("127.0.0.1", gateway.port) as smtp:
                login_when_it_is_there(smtp)
        with gateway.connect() as client:
            assert auth_lines(client.command("EHLO x")) == []


def login_when_it_is_there(smtp: smtplib.SMTP) -> None:
    for _ in range(50):
        smtp.ehlo()
        if smtp.has_extn("auth"):
            break
        time.sleep(0.1)
    assert smtp.login("bob@example.com", "secret")[0] == 235


def test_guessing_is_throttled(loop_thread: LoopThread) -> None:
    """After some failures nothing is checked, the metric says so, and others can log in."""
    checked: list[str] = []

    def check(login: str, password: str) -> str | None:
        checked.append(login)
        return login if password == "secret" else None

    limits = Limits(
        smtpd_hard_error_limit=1000,
        smtpd_soft_error_limit=1000,
        guesses=GuessLimits(per_address=7, per_login=4),
    )
    with running(loop_thread, authenticate=check, tls_auth_only=False, limits=limits) as gateway:

        def guess(client: Client, login: str, password: str) -> str:
            return client.command("AUTH PLAIN " + encoded(f"\0{login}\0{password}"))[:4]

        with gateway.connect() as client:
            client.command("EHLO x")
            assert [guess(client, "bob", "x") for _ in range(6)] == ["535 "] * 4 + ["454 "] * 2
            assert guess(client, "BOB", "secret") == "454 ", "not even with the right one"
            assert [guess(client, f"eve{n}", "x") for n in range(5)] == ["535 "] * 3 + ["454 "] * 2
            assert guess(client, "alice", "secret") == "454 "
        assert len(checked) == 7
        counts = gateway.gateway.traffic.counts
        assert (counts.logins_failed, counts.logins_throttled) == (7, 6)
