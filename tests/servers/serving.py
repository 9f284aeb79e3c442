"""`maysend serve` as a process, with its configuration in a directory of its own."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 40.0


class Serving:
    """A running `maysend serve`; `log` is what it has said so far."""

    def __init__(self, folder: Path, process: subprocess.Popen[bytes], output: Path) -> None:
        self.folder = folder
        self.process = process
        self._output = output

    @property
    def log(self) -> str:
        return self._output.read_text()

    def wait_for(self, pattern: str, times: int = 1) -> re.Match[str]:
        """Wait until the log has `pattern` that often; its last match."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            found = list(re.finditer(pattern, self.log))
            if len(found) >= times:
                return found[-1]
            assert self.process.poll() is None, self.log
            time.sleep(0.02)
        raise AssertionError(f"no {pattern!r} in time: {self.log}")

    @property
    def workers(self) -> list[int]:
        """The process ids of the workers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text().split()]

    def port(self, name: str) -> int:
        return int(self.wait_for(rf"{name} on (?:port |inet:127\.0\.0\.1:)(\d+)")[1])

    def web(self, path: str) -> tuple[int, str]:
        try:
            url = f"http://127.0.0.1:{self.port('metrics')}{path}"
            with urllib.request.urlopen(url, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def counted(self, name: str, **labels: str) -> float:
        """The sum of the metrics of that name that have these labels."""
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        return sum(
            float(line.rpartition(" ")[2])
            for line in self.web("/metrics")[1].splitlines()
            if re.match(rf"{name}[ {{]", line) and all(label in line for label in wanted)
        )

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def stop(self) -> int:
        self.signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


def eventually(what: str, is_so: Callable[[], bool]) -> None:
    """Wait until it is so; fail with `what` where it is not within half a minute."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if is_so():
            return
        time.sleep(0.05)
    raise AssertionError(what)


def start(
    folder: Path, configuration: str, environment: Mapping[str, str] | None = None
) -> Serving:
    """Start `maysend serve`, without waiting until it is ready."""
    file = folder / "maysend.toml"
    file.write_text(configuration)
    output = folder / "stderr"
    command = "from maysend.cli.main import main; main()"
    with output.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-c", command, "serve", "--config", str(file)],
            stderr=stderr,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **(environment or {})},
        )
    return Serving(folder, process, output)


@contextmanager
def serving(
    folder: Path, configuration: str, environment: Mapping[str, str] | None = None
) -> Iterator[Serving]:
    """A `maysend serve` that is ready."""
    running = start(folder, configuration, environment)
    try:
        running.wait_for(r"ready: ")
        yield running
    finally:
        if running.process.poll() is None:
            running.stop()


def refused(folder: Path, configuration: str) -> tuple[int, str]:
    """The exit status and the message of a `maysend serve` that can't serve."""
    running = start(folder, configuration)
    try:
        return running.process.wait(PATIENCE), running.log
    finally:
        if running.process.poll() is None:
            running.process.kill()
