"""The four messages of the demo: one that is accepted, three that are refused for other reasons."""

import smtplib
import ssl
from pathlib import Path

import msgspec

from maysend.demo.site import ALICE, BOB, MALLORY, PASSWORD

TO = "friend@example.net"
HOST = "127.0.0.1"


class Example(msgspec.Struct, frozen=True):
    """One message to try; `login` is empty for a client that does not log in."""

    title: str
    login: str
    sender: str
    code: int


EXAMPLES = (
    Example("Accepted: bob sends from his own +tag", BOB, "bob+news@example.com", 250),
    Example("Refused: alice is not bob", ALICE, BOB, 553),
    Example("Refused: mallory is suspended", MALLORY, MALLORY, 554),
    Example("Refused: nobody has logged in", "", ALICE, 554),
)


def curl_command(example: Example, port: int, certificate: Path, message: Path) -> str:
    """A curl command to copy, in lines of less than 80 columns."""
    login = [f"--user {example.login}:{PASSWORD}"] if example.login else []
    return _lines(
        f"curl -sS --ssl-reqd --cacert {certificate}",
        *login,
        f"--mail-from {example.sender} --mail-rcpt {TO}",
        f"--crlf --upload-file {message}",
        f"smtp://{HOST}:{port}/client.example",
    )


def swaks_command(example: Example, port: int) -> str:
    """A swaks command to copy."""
    login = (
        [f"--auth PLAIN --auth-user {example.login} --auth-password {PASSWORD}"]
        if example.login
        else []
    )
    return _lines(
        f"swaks --server {HOST} --port {port} --tls",
        *login,
        f"--from {example.sender} --to {TO}",
    )


def explain_command(example: Example, program: str, config: Path) -> str:
    """The `maysend explain` command that shows why."""
    login = [f"--login {example.login}"] if example.login else []
    return _lines(
        f"{program} explain --config {config}",
        *login,
        f"--from {example.sender} --to {TO}",
    )


def send(example: Example, port: int, certificate: Path) -> tuple[int, str]:
    """Send it as a mail client does; the last reply's code and text. Raises OSError."""
    tls = ssl.create_default_context(cafile=str(certificate))
    with smtplib.SMTP(HOST, port, local_hostname="client.example", timeout=30) as client:
        client.starttls(context=tls)
        client.ehlo()
        if example.login:
            client.login(example.login, PASSWORD)
        for command in (f"MAIL FROM:<{example.sender}>", f"RCPT TO:<{TO}>"):
            code, text = client.docmd(command)
            if code >= 400:
                return code, text.decode("utf-8", "replace")
        code, text = client.data(
            f"From: {example.sender}\r\nTo: {TO}\r\nSubject: {example.title}\r\n\r\nHello\r\n"
        )
        return code, text.decode("utf-8", "replace")


def _lines(*parts: str) -> str:
    return " \\\n      ".join(parts)
