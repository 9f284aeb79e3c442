"""S3.5, S5.3: `maysend tables` says which table types there are, and what to do without one."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from maysend.cli.tables import TableType, tables
from maysend.tables.drivers import DRIVERS, Driver
from maysend.tables.index import TYPES


def _listed() -> dict[str, dict[str, str]]:
    done = CliRunner().invoke(tables, ["--format", "json"])
    assert done.exit_code == 0
    return {found["name"]: found for found in json.loads(done.stdout)}


def test_every_type_has_a_line_of_80_columns() -> None:
    done = CliRunner().invoke(tables, [])
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert all(len(line) < 80 for line in lines)
    names = [line.split()[0] for line in lines if not line.startswith(" ")]
    assert names == sorted(names)
    assert {*TYPES, "directory"} <= set(names)
    assert all(found["what"] for found in _listed().values())


@pytest.mark.needs_postfix
def test_what_postconf_lists_is_listed(tmp_path: Path) -> None:
    (tmp_path / "main.cf").write_text("compatibility_level = 3.6\n")
    done = subprocess.run(
        ["postconf", "-c", str(tmp_path), "-m"], capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) <= set(_listed())


def test_a_missing_driver_says_what_to_install() -> None:
    def gone() -> object:
        raise ImportError("No module named 'ldap'")

    missing = Driver("python-ldap", DRIVERS["ldap"].install, gone).missing()
    assert "pip install 'maysend[ldap]'" in missing
    text = TableType("ldap", "an LDAP directory", missing).lines()
    assert "not usable here: needs python-ldap" in " ".join(text.split())
    assert all(len(line) < 80 for line in text.splitlines())


def test_a_table_without_its_driver_says_the_same(tmp_path: Path) -> None:
    """In a process where python-ldap can't be imported."""
    (tmp_path / "a.cf").write_text("search_base = dc=example\n")
    program = (
        "import sys; sys.modules['ldap'] = None\n"
        "from maysend.cli.main import main; main()"
    )  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", program, "lookup", f"ldap:{tmp_path}/a.cf", "a"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 75
    assert "needs python-ldap: pip install 'maysend[ldap]'" in done.stderr
