"""Sound configurations, each of its own kind: lint finds no error in them and warns of nothing."""

import sqlite3
import tomllib
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from maysend.lint import Configuration, Severity, lint
from maysend.lint.rules.index import RULES
from maysend.policy import Policy
from tests.servers.dovecot import dovecot_auth

CASES = tomllib.loads((Path(__file__).parent / "sound.toml").read_text())["case"]
ALWAYS = """\
compatibility_level = 3.6
myhostname = mail.example.com
mydomain = example.com
myorigin = example.com
local_recipient_maps =
"""


def sound_cases() -> list[Any]:
    dovecot = pytest.mark.needs_dovecot
    return [
        pytest.param(case, id=case["name"], marks=dovecot if "mechanisms" in case else ())
        for case in CASES
    ]


@pytest.mark.parametrize("case", sound_cases())
def test_a_sound_configuration_gets_no_warning(case: dict[str, Any], tmp_path: Path) -> None:
    logins = case.get("mechanisms")
    with dovecot_auth({}, logins) if logins else nullcontext() as auth_socket:
        for name, text in {"main.cf": ALWAYS + case["main_cf"], **case.get("files", {})}.items():
            text = text.replace("$config_directory", str(tmp_path))
            text = text.replace("$auth_socket", str(auth_socket))
            (tmp_path / name).write_text(text.lstrip())
        if "sql" in case:
            with sqlite3.connect(tmp_path / "mail.db") as connection:
                connection.executescript(case["sql"])
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
