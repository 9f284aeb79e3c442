"""Postfix's own postmap: one process for many keys."""

import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from signal import SIGPIPE

DIED = b"postmap died of SIGPIPE"


class Postmap:
    """postmap(1) with a configuration directory of its own."""

    def __init__(self, directory: Path, parameters: Mapping[str, str]) -> None:
        directory.mkdir()
        main_cf = "".join(f"{name} = {value}\n" for name, value in parameters.items())
        (directory / "main.cf").write_text(f"compatibility_level = 3.6\n{main_cf}")
        self.directory = directory

    def ask(self, spec: str, key: str) -> tuple[int, bytes, bytes]:
        """`postmap -q KEY SPEC`: exit status, output, and what it complained about.

        A fatal error takes a second, because Postfix programs sleep before they exit with one.
        """
        done = self._run("-q", encoded(key), encoded(spec))
        return done.returncode, done.stdout, done.stderr

    def ask_all(self, spec: str, keys: Iterable[str]) -> tuple[bytes, bytes]:
        """`postmap -q - SPEC`: its output, and what it complained about."""
        lines = b"".join(encoded(key) + b"\n" for key in keys)
        done = self._run("-q", "-", encoded(spec), stdin=lines)
        return done.stdout, done.stderr + (DIED if done.returncode == -SIGPIPE else b"")

    def build(self, spec: str, *options: str) -> None:
        """Make the indexed file of a text file."""
        done = self._run(*options, encoded(spec))
        if done.returncode:
            raise RuntimeError(f"postmap {spec}: {done.stderr.decode(errors='replace')}")

    def _run(
        self, *arguments: str | bytes, stdin: bytes = b""
    ) -> subprocess.CompletedProcess[bytes]:
        command = ["postmap", "-c", str(self.directory), *arguments]
        return subprocess.run(command, input=stdin, capture_output=True, check=False, timeout=120)


def encoded(text: str) -> bytes:
    """The bytes that `text` stands for."""
    return text.encode("utf-8", "surrogateescape")
