"""S5.4: what `maysend account suspend` prints finds and holds what the login has already queued."""

import json
import os
import smtplib
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from maysend.cli.main import main
from tests.servers.serving import serving
from tests.servers.test_serve_beside_postfix import CONFIGURATION, folder, postfix_with

__all__ = ["folder"]

pytestmark = pytest.mark.needs_postfix


def test_printed_command_holds_the_mail_of_that_login_only(folder: Path) -> None:
    """In a real queue; the login is found in whatever case it was typed."""
    with (
        serving(folder, CONFIGURATION.format(folder=folder)),
        postfix_with(folder, defer_transports="discard") as postfix,
    ):
        for login, sender in (
            ("Bob@Example.com", "bob@example.com"),
            ("bob@example.com", "bob@example.com"),
            ("eve@example.com", "eve@example.com"),
        ):
            with smtplib.SMTP("127.0.0.1", postfix.port, timeout=30) as client:
                client.ehlo("client.example")
                client.login(login, "secret")
                client.sendmail(sender, ["x@example.net"], f"From: {sender}\n\nhello\n")
        environment = os.environ | {"MAIL_CONFIG": str(postfix.directory)}
        assert "hold" not in queues(environment, "bob@example.com")
        suspend = f"account suspend bob@example.com --format json --directory {folder}/d.db"
        done = CliRunner().invoke(main, [*suspend.split(), "--reason", "Call 123"])
        command = json.loads(done.stdout)["hold_queued"]
        subprocess.run(["bash", "-c", command], env=environment, check=True, timeout=60)
        assert queues(environment, "bob@example.com") == ["hold", "hold"]
        assert "hold" not in queues(environment, "eve@example.com")


def queues(environment: dict[str, str], sender: str) -> list[str]:
    """In which queue each message of `sender` is."""
    listed = subprocess.run(
        ["postqueue", "-j"], env=environment, capture_output=True, check=True, timeout=60
    )
    entries = map(json.loads, listed.stdout.splitlines())
    return [entry["queue_name"] for entry in entries if entry["sender"] == sender]
