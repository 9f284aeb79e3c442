"""What `make compiled` compiles is tested by all other tests; here the same source without that."""

import ast
import os
import subprocess
import sys
import tomllib
from importlib.machinery import EXTENSION_SUFFIXES, SOURCE_SUFFIXES
from pathlib import Path

import pytest

from tests.conftest import leave_out

ROOT = Path(__file__).resolve().parents[2]
COMPILED = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"][
    "targets"
]["wheel"]["hooks"]["mypyc"]["include"]
EAGER = (
    "Counter", "all", "any", "bytes", "dict", "fromkeys", "frozenset", "join", "list", "max", "min",
    "set", "sorted", "sum", "tuple",
)  # fmt: skip
"""Who asks a generator for all that it has, or stops where a list would not matter."""
HARMLESS_TWICE = {
    "bisect_left", "bisect_right", "end", "find", "index", "iter", "len", "lower", "max", "next",
    "ord", "rfind", "start", "upper",
}  # fmt: skip
"""Calls that may stand in a slice, because they change nothing."""
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


def called_in(expression: ast.expr) -> set[str]:
    """The names of what is called; "await" and ":=" where something is awaited or assigned."""
    nodes = list(ast.walk(expression))
    names = {ast.unparse(n.func).rpartition(".")[2] for n in nodes if isinstance(n, ast.Call)}
    names |= {"await" for node in nodes if isinstance(node, ast.Await)}
    return names | {":=" for node in nodes if isinstance(node, ast.NamedExpr)}


@pytest.mark.parametrize("path", COMPILED)
def test_compiled_modules_have_nothing_that_means_something_else_there(path: str) -> None:
    """mypyc drops the options of a class, makes a list of a generator before it is asked, and
    evaluates what stands in a slice twice.
    """
    tree = ast.parse((ROOT / path).read_text())
    at_once = {
        id(argument)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and ast.unparse(call.func).rpartition(".")[2] in EAGER
        for argument in call.args
    }
    found = [
        f"line {node.lineno}: {ast.unparse(node).splitlines()[0]}"
        for node in ast.walk(tree)
        if (isinstance(node, ast.ClassDef) and node.keywords)
        or (isinstance(node, ast.GeneratorExp) and id(node) not in at_once)
        or (isinstance(node, ast.Subscript) and not called_in(node.slice) <= HARMLESS_TWICE)
    ]
    assert found == []


@pytest.mark.needs_postfix
def test_source_decides_as_compiled_modules_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAYSEND_SESSIONS", "200")
    monkeypatch.setenv("MAYSEND_DNS_SESSIONS", "20")
    monkeypatch.setenv("MAYSEND_SESSION_WORKERS", "1")  # another process would not be led
    said = run(FROM_SOURCE, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", *SHORT)
    assert " passed" in said
    assert " failed" not in said
