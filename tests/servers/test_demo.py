"""`maysend demo` as a user runs it: the main job, with the clients that it names."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

DEMO = [sys.executable, "-c", "from maysend.cli.main import main; main()", "demo"]


def needs(program: str) -> None:
    """Skip, visibly, where a client is not installed; fail where nothing may be left out."""
    if shutil.which(program) is None:
        if os.environ.get("MAYSEND_REQUIRE_ALL") == "1":
            pytest.fail(f"{program} is not installed")
        pytest.skip(f"needs {program}")


class Demo:
    """A running demo and what it has printed so far."""

    def __init__(self, output: Path) -> None:
        self._output = output
        environment = os.environ | {"PYTHONUNBUFFERED": "1"}
        with output.open("wb") as file:
            self.process = subprocess.Popen(
                [*DEMO, "--port", "0"], stdout=file, stderr=subprocess.STDOUT, env=environment
            )
        self.wait_for("Ctrl-C ends it.")

    @property
    def text(self) -> str:
        return self._output.read_text()

    def wait_for(self, text: str) -> None:
        for _ in range(300):
            if text in self.text:
                return
            assert self.process.poll() is None, self.text
            time.sleep(0.1)
        pytest.fail(f"{text!r} never came; there is: {self.text}")

    def commands(self, program: str) -> list[str]:
        """The commands to copy of one program, one a string."""
        joined = self.text.replace("\\\n", " ")
        pattern = rf"^ +((?:\S*/)?{program} .*)$"
        return [re.sub(" +", " ", found) for found in re.findall(pattern, joined, re.MULTILINE)]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    running = Demo(tmp_path_factory.mktemp("demo") / "output.txt")
    yield running
    running.process.terminate()
    assert running.process.wait(20) == 0


def run(command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", command], capture_output=True, text=True, timeout=60, check=False
    )


REASONS = (
    "",
    "553 5.7.1 <bob@example.com>: Sender address rejected: not owned by user alice@example.com",
    "554 5.7.1 <mallory@example.com>: SASL login name rejected: account suspended: unpaid bill",
    "554 5.7.1 <friend@example.net>: Recipient address rejected: Access denied",
)


def test_it_fits_80_columns(demo: Demo) -> None:
    printed = demo.text.replace(sys.executable, "maysend")
    # The folder of temporary files is the machine's, and may be long.
    assert [line for line in printed.splitlines() if len(line) > 80 and "/" not in line] == []


def test_one_accepted_three_refused_with_curl(demo: Demo) -> None:
    """S2.4, S2.5, S1.6: bob's +tag is his, alice is not bob, a suspended user, no login."""
    needs("curl")
    outcomes = [run(command) for command in demo.commands("curl")]
    assert [outcome.returncode for outcome in outcomes] == [0, 55, 55, 55]
    assert [re.findall("failed: ([0-9]+)", outcome.stderr) for outcome in outcomes[1:]] == [
        ["553"],
        ["554"],
        ["554"],
    ]


def test_one_accepted_three_refused_with_swaks(demo: Demo) -> None:
    needs("swaks")
    if "TLS not available" in run("swaks --tls --server 127.0.0.1 --port 1 --to a@b.c").stderr:
        if os.environ.get("MAYSEND_REQUIRE_ALL") == "1":
            pytest.fail("swaks has no TLS: install Net::SSLeay (libnet-ssleay-perl)")
        pytest.skip("needs swaks with TLS (Net::SSLeay)")
    outcomes = [run(command) for command in demo.commands("swaks")]
    assert outcomes[0].returncode == 0
    assert "250 2.0.0 Ok: taken by the sink" in outcomes[0].stdout
    for outcome, reason in zip(outcomes[1:], REASONS[1:], strict=True):
        assert outcome.returncode != 0
        assert reason in outcome.stdout


def test_what_happened_is_shown(demo: Demo) -> None:
    demo.wait_for("Ctrl-C ends it.")
    needs("curl")
    for command in demo.commands("curl"):
        run(command)
    shown = " ".join(demo.text.split("Ctrl-C ends it.")[1].split())
    assert "sink: took" in shown
    for reason in REASONS[1:]:
        assert reason in shown
    assert "rule=reject_authenticated_sender_login_mismatch" in shown
    assert "demo:demo" not in shown


def test_explain_gives_the_same_reasons(demo: Demo) -> None:
    """The reply that the client got is the one that explain shows (S1.7)."""
    commands = re.findall(r"explain +--config .*", demo.text.replace("\\\n", " "))
    explanations = [
        subprocess.run(
            [*DEMO[:-1], *command.split()], capture_output=True, text=True, timeout=60, check=False
        )
        for command in commands
    ]
    assert [explanation.returncode for explanation in explanations] == [0, 1, 1, 1]
    for explanation, reason in zip(explanations, REASONS, strict=True):
        assert reason in re.sub(r"\s+", " ", explanation.stdout)


def test_check_sends_all_four() -> None:
    """The non-interactive form: the replies, and exit status 0 when they are as they should."""
    outcome = subprocess.run(
        [*DEMO, "--check"], capture_output=True, text=True, timeout=60, check=False
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    printed = re.sub(r"\s+", " ", outcome.stdout)
    for reason in REASONS:
        assert reason in printed
    assert "The sink took 1 message." in printed


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly(number: signal.Signals, tmp_path: Path) -> None:
    running = Demo(tmp_path / "output.txt")
    (folder,) = set(re.findall(r"--cacert (\S+)/certificate\.pem", running.text))
    running.process.send_signal(number)
    assert running.process.wait(20) == 0
    assert "Traceback" not in running.text
    assert not Path(folder).exists()


def test_a_taken_port_is_said(demo: Demo) -> None:
    (port, *_) = re.findall(r"127\.0\.0\.1, port (\d+)", demo.text)
    outcome = subprocess.run(
        [*DEMO, "--port", port], capture_output=True, text=True, timeout=60, check=False
    )
    assert outcome.returncode == 69
    assert "maysend demo: " in outcome.stderr
    assert port in outcome.stderr
    assert "Traceback" not in outcome.stderr
