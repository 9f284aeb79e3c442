"""Sound configurations, each of its own kind: lint finds no error in them and warns of nothing."""

import socket
import sqlite3
import tomllib
from pathlib import Path
from typing import Any

import pytest

from maysend.lint import Configuration, Severity, lint
from maysend.lint.rules.index import RULES
from maysend.policy import Policy

CASES = tomllib.loads((Path(__file__).parent / "sound.toml").read_text())["case"]
ALWAYS = """\
compatibility_level = 3.6
myhostname = mail.example.com
mydomain = example.com
myorigin = example.com
local_recipient_maps =
"""


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_sound_configuration_gets_no_warning(case: dict[str, Any], tmp_path: Path) -> None:
    for name, text in {"main.cf": ALWAYS + case["main_cf"], **case.get("files", {})}.items():
        (tmp_path / name).write_text(text.lstrip().replace("$config_directory", str(tmp_path)))
    if "sql" in case:
        with sqlite3.connect(tmp_path / "mail.db") as connection:
            connection.executescript(case["sql"])
    with socket.socket(socket.AF_UNIX) as auth_server:
        if "listens" in case:
            auth_server.bind(str(tmp_path / case["listens"]))
            auth_server.listen()
            (tmp_path / case["listens"]).chmod(0o666)  # Postfix is another user
        found = lint(Configuration(tmp_path))
    alarms = [
        (finding.code, str(finding.problem.place), finding.problem.message)
        for finding in found
        if finding.severity is not Severity.NOTE
    ]
    assert alarms == []


def test_there_are_at_least_twelve() -> None:
    assert len(CASES) >= 12


def test_the_built_in_policy_gets_no_warning(tmp_path: Path) -> None:
    from importlib.resources import files

    from maysend.directory import Directory

    directory = str(files("maysend.policy").joinpath("builtin"))
    tables = Directory.open(f"sqlite:///{tmp_path}/directory.db").table_types()
    assert Policy.builtin(tables).findings == []
    # TLS is the gateway's own affair, in maysend.toml: MS3 would look for it in main.cf.
    rules = [code for code in RULES if not code.startswith("MS3")]
    found = lint(Configuration(directory, tables=tables), rules)
    assert [finding.code for finding in found if finding.severity is not Severity.NOTE] == []
