"""The ```console blocks of a guide: commands after "$ ", further lines after "> ", then output.

A line "…" in the output stands for any number of lines.
"""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECONDS = 60


class Example(NamedTuple):
    """One command as it is written in a guide, and what is shown of its output."""

    line: int
    command: str
    shown: str


def examples(guide: str) -> list[Example]:
    """The commands of all blocks of a guide's text, in their order."""
    found: list[Example] = []
    for block in BLOCK.finditer(guide):
        first = guide.count("\n", 0, block.start(1)) + 1
        for number, text in enumerate(block[1].splitlines(keepends=True), first):
            if text.startswith("$ "):
                found.append(Example(number, text.removeprefix("$ "), ""))
                continue
            assert found, f"line {number}: output before the first command"
            last = found[-1]
            if text.startswith("> ") and not last.shown:
                found[-1] = last._replace(command=last.command + text.removeprefix("> "))
            else:
                found[-1] = last._replace(shown=last.shown + text)
    return found


def run(command: str, folder: Path, environment: Mapping[str, str] | None = None) -> str:
    """What `command` prints in `folder`, on both streams, at 80 columns."""
    programs = folder / ".programs"
    programs.mkdir(exist_ok=True)
    maysend = programs / "maysend"
    if not maysend.exists():
        maysend.write_text(
            f"#!{sys.executable}\nfrom maysend.cli.main import main\nmain(prog_name='maysend')\n"
        )
        maysend.chmod(0o755)
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("MAYSEND_", "SSH_"))}
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={
            **clean,
            "PATH": f"{programs}:{os.environ['PATH']}",
            "COLUMNS": "80",
            "LC_ALL": "C.UTF-8",
            **(environment or {}),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=SECONDS,
        check=False,
    )
    return done.stdout.decode()


def is_shown(shown: str, real: str) -> bool:
    """Whether the output in the guide is the real one."""
    parts = [re.escape(part) for part in re.split(r"^…\n", shown, flags=re.MULTILINE)]
    return re.fullmatch("(?:.*\n)*?".join(parts), real) is not None
