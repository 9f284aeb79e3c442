"""`maysend account list` with many accounts: a row at a time, a progress bar for who watches."""

import os
import pty
import subprocess
import sys
from pathlib import Path

from sqlalchemy import insert

from maysend.cli.streaming import WORTH_WATCHING
from maysend.directory import schema
from maysend.directory.opening import open_database

MANY = WORTH_WATCHING + 500
COMMAND = "from maysend.cli.main import main; main(prog_name='maysend')"


def filled(path: Path, accounts: int) -> str:
    database = open_database(f"sqlite:///{path}", create=True)
    row = {"domain": "example.com", "name": "", "enabled": True, "scope": "", "created": 0}
    with database.writing() as connection:
        rows = [{**row, "login": f"user{n:06d}@example.com"} for n in range(accounts)]
        connection.execute(insert(schema.accounts), rows)
    database.close()
    return f"sqlite:///{path}"


def watched(url: str, output: Path) -> str:
    """What somebody sees whose terminal shows stderr while the list goes to a file."""
    ours, theirs = pty.openpty()
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, "account", "list", "--directory", url],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=theirs,
            env=os.environ | {"TERM": "xterm", "COLUMNS": "80"},
        )
        os.close(theirs)
        seen = b""
        try:
            while octets := os.read(ours, 65536):
                seen += octets
        except OSError:
            pass  # EIO: the other end is closed
        assert process.wait(60) == 0
    os.close(ours)
    return seen.decode()


def test_many_rows_come_with_a_progress_bar_and_none_is_lost(tmp_path: Path) -> None:
    url = filled(tmp_path / "d.db", MANY)
    seen = watched(url, tmp_path / "list")
    assert "accounts" in seen
    assert "100%" in seen
    assert "user0" not in seen  # the rows are in the file alone
    lines = (tmp_path / "list").read_text().splitlines()
    assert lines[0].split() == ["LOGIN", "NAME", "STATE"]
    assert [line.split()[0] for line in lines[1:]] == [
        f"user{n:06d}@example.com" for n in range(MANY)
    ]


def test_few_rows_come_without(tmp_path: Path) -> None:
    assert watched(filled(tmp_path / "d.db", 10), tmp_path / "list") == ""
    assert len((tmp_path / "list").read_text().splitlines()) == 11
