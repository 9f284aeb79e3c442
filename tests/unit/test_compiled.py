"""What `make compiled` compiles is tested by all other tests; here the same source without that."""

import os
import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES, SOURCE_SUFFIXES
from pathlib import Path

import pytest

from tests.conftest import leave_out

ROOT = Path(__file__).resolve().parents[2]
FROM_SOURCE = "tools/from_source.py"
WHERE = "import maysend.policy.session as found; print(found.__file__)"
SHORT = (
    "tests/unit/policy",
    "tests/unit/restrictions",
    "tests/differential/test_sessions.py::test_random_sessions_get_the_same_replies",
)


def run(*arguments: str) -> str:
    environment = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    result = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT, env=environment, check=False, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout[-4000:]
    return result.stdout.strip()


def test_decisions_are_compiled() -> None:
    found = run("-c", WHERE)
    if found.endswith(tuple(SOURCE_SUFFIXES)):
        leave_out("what make compiled makes")
    assert found.endswith(tuple(EXTENSION_SUFFIXES))


def test_source_is_preferred_when_asked(tmp_path: Path) -> None:
    program = tmp_path / "where.py"
    program.write_text(WHERE)
    assert run(FROM_SOURCE, str(program)).endswith(tuple(SOURCE_SUFFIXES))


@pytest.mark.needs_postfix
def test_source_decides_as_compiled_modules_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAYSEND_SESSIONS", "200")
    monkeypatch.setenv("MAYSEND_DNS_SESSIONS", "20")
    said = run(FROM_SOURCE, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", *SHORT)
    assert " passed" in said
    assert " failed" not in said
