"""S5.4: systemd's side of `maysend serve`: units, sockets that it opens, and what it is told.

The sockets come from systemd's own socket activation program, as from systemd itself.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from maysend.cli.systemd import systemd
from maysend.directory import Directory
from tests.servers.policy_client import PolicyClient

pytestmark = pytest.mark.needs_systemd

TOML = """
directory = "sqlite:///d.db"
workers = 2
grace = 2
[[listener]]
kind = "policy"
address = "unix:{folder}/policy"
mode = "0600"
[[listener]]
kind = "policy"
name = "other"
address = "inet:127.0.0.1:{port}"
"""
FORGED = {"sasl_username": "bob@example.com", "sender": "eve@example.com", "recipient": "x@y.net"}
REFUSAL = "553 5.7.1 not owned by user bob@example.com"


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        number: int = free.getsockname()[1]
    return number


@pytest.fixture
def toml(tmp_path: Path, port: int) -> Path:
    with Directory.open(tmp_path / "d.db") as directory:
        for login in ("bob@example.com", "eve@example.com"):
            directory.accounts.add(login, password_hash="{PLAIN}secret")
    file = tmp_path / "maysend.toml"
    file.write_text(TOML.format(folder=tmp_path, port=port))
    return file


class Told:
    """What systemd is told (sd_notify(3))."""

    def __init__(self, path: Path) -> None:
        self.address = str(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.address)
        self._socket.settimeout(60)

    def next(self) -> str:
        return self._socket.recv(1000).decode()

    def close(self) -> None:
        self._socket.close()


@contextlib.contextmanager
def activated(toml: Path, *sockets: str) -> Iterator[tuple[subprocess.Popen[bytes], Told]]:
    """`maysend serve` as systemd starts it when the first client connects to one of `sockets`."""
    folder = toml.parent
    told = Told(folder / "notify")
    program = "from maysend.cli.main import main; main()"
    listening = [part for where in sockets for part in ("-l", where)]
    environment = [f"-E{name}" for name in ("PYTHONPATH", "PATH") if name in os.environ]
    with (folder / "stderr").open("wb") as stderr:
        process = subprocess.Popen(
            ["systemd-socket-activate", *listening, *environment, "-ENOTIFY_SOCKET",
             sys.executable, "-c", program, "serve", "--config", str(toml)],
            stderr=stderr,
            env={**os.environ, "NOTIFY_SOCKET": told.address},
        )  # fmt: skip
    try:
        yield process, told
    finally:
        process.kill()
        process.wait()
        told.close()


def connected(path: Path) -> PolicyClient:
    """A client; the socket is there from the start, or soon after."""
    for _ in range(400):
        with contextlib.suppress(OSError):
            return PolicyClient(path)
        time.sleep(0.05)
    raise AssertionError(f"no {path}")


def test_the_first_client_starts_it_and_is_answered(toml: Path, port: int) -> None:
    """It waits in the socket that systemd opened; so does one at the other, inet, listener."""
    path = toml.parent / "policy"
    with activated(toml, str(path), f"127.0.0.1:{port}") as (process, told), connected(path) as one:
        assert one.ask(**FORGED) == REFUSAL
        assert told.next() == "READY=1"
        with socket.create_connection(("127.0.0.1", port), 30) as other:
            request = "request=smtpd_access_policy\nprotocol_state=RCPT\n"
            request += "".join(f"{name}={value}\n" for name, value in FORGED.items())
            other.sendall(f"{request}\n".encode())
            assert other.recv(1000).decode() == f"action={REFUSAL}\n\n"
        process.send_signal(signal.SIGHUP)
        assert told.next().startswith("RELOADING=1\nMONOTONIC_USEC=")
        assert told.next() == "READY=1"
        with connected(path) as after:
            assert after.ask(**FORGED) == REFUSAL
        process.terminate()
        assert told.next() == "STOPPING=1"
        assert process.wait(30) == 0
        assert path.exists(), "it is systemd's"


def test_a_reload_that_fails_is_over_too(toml: Path, port: int) -> None:
    """systemd waits for READY=1 after RELOADING=1, whatever came of it."""
    path = toml.parent / "policy"
    with activated(toml, str(path), f"127.0.0.1:{port}") as (process, told), connected(path) as one:
        assert one.ask(**FORGED) == REFUSAL
        assert told.next() == "READY=1"
        toml.write_text("nonsense")
        process.send_signal(signal.SIGHUP)
        assert told.next().startswith("RELOADING=1\n")
        assert told.next() == "READY=1"
        assert one.ask(**FORGED) == REFUSAL
    assert "the configuration before is still served" in (toml.parent / "stderr").read_text()


def test_a_socket_that_no_listener_has_is_told(toml: Path) -> None:
    path, stray = toml.parent / "policy", toml.parent / "stray"
    with activated(toml, str(path), str(stray)) as (_, told), connected(path) as one:
        assert one.ask(**FORGED) == REFUSAL
        assert told.next() == "READY=1"
    assert f"systemd opened {stray}: no listener has it" in (toml.parent / "stderr").read_text()


def test_the_units_are_what_systemd_takes(toml: Path, tmp_path: Path) -> None:
    """systemd-analyze has nothing to say of them."""
    units = tmp_path / "units"
    units.mkdir()
    said = CliRunner().invoke(systemd, ["--config", str(toml), "--sockets", "--write", str(units)])
    assert said.exit_code == 0, said.output
    names = sorted(path.name for path in units.iterdir())
    assert names == ["maysend-other.socket", "maysend-policy.socket", "maysend.service"]
    service = units / "maysend.service"
    service.write_text(service.read_text().replace(str(Path(sys.executable).parent), "/bin")
                       .replace("/bin/maysend", "/bin/true"))  # fmt: skip
    for name in names:
        checked = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", units / name], capture_output=True, text=True
        )
        assert (checked.returncode, checked.stderr) == (0, ""), name
    policy = (units / "maysend-policy.socket").read_text()
    assert f"ListenStream={tmp_path}/policy\nSocketMode=0600\n" in policy


@pytest.mark.parametrize(
    ("where", "runtime"),
    [("/run/policy", ""), ("/run/maysend/x/policy", "RuntimeDirectory=maysend\n")],
)
def test_a_folder_below_run_is_made_by_systemd(toml: Path, where: str, runtime: str) -> None:
    toml.write_text(toml.read_text().replace(f"{toml.parent}/policy", where))
    said = CliRunner().invoke(systemd, ["--config", str(toml)])
    assert said.exit_code == 0, said.output
    assert ("RuntimeDirectory=" in said.output) == bool(runtime)
    assert runtime in said.output


def test_what_cannot_be_written_is_told(toml: Path) -> None:
    said = CliRunner().invoke(systemd, ["--config", str(toml), "--write", "/nonexistent"])
    assert said.exit_code == 73
    assert said.output == (
        "maysend systemd: /nonexistent/maysend.service: No such file or directory\n"
    )
