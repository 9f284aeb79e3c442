"""S3.5, S5.3: `maysend lookup` as a process, beside `postmap -q`."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from maysend.tables.index import TYPES

HELLO = "inline:{a=b, {c = d e}, empty=}"


def _run(
    *arguments: str | bytes, stdin: bytes = b"", env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    program: Sequence[str | bytes] = (
        sys.executable, "-c", "from maysend.cli.main import main; main()", "lookup",
    )  # fmt: skip
    return subprocess.run(
        [*program, *arguments], input=stdin, capture_output=True, check=False, timeout=60,
        env=os.environ | (env or {}),
    )  # fmt: skip


def _outcome(*arguments: str | bytes, **options: Any) -> tuple[int, bytes]:
    done = _run(*arguments, **options)
    assert b"Traceback" not in done.stderr
    return done.returncode, done.stdout


def test_one_key_prints_the_answer() -> None:
    assert _outcome(HELLO, "A") == (0, b"b\n")
    assert _outcome(HELLO, "x") == (1, b"")


def test_several_keys_print_key_and_answer() -> None:
    assert _outcome(HELLO, "x", "c", "A") == (0, b"c\td e\nA\tb\n")
    assert _outcome(HELLO, "x", "y") == (1, b"")


def test_keys_come_from_standard_input() -> None:
    assert _outcome(HELLO, "-", stdin=b"a\nx\n\nC") == (0, b"a\tb\nC\td e\n")
    assert _outcome(HELLO, "-", stdin=b"") == (1, b"")


def test_bytes_that_are_no_utf8_pass_through(tmp_path: Path) -> None:
    (tmp_path / "main.cf").write_text("compatibility_level = 3.6\nsmtputf8_enable = no\n")
    assert _outcome("-c", str(tmp_path), b"static:\xff", b"\xfe") == (0, b"\xff\n")
    assert _outcome("-c", str(tmp_path), "static:\xe9", "-", stdin=b"\xff\n") == (
        0, b"\xff\t\xc3\xa9\n",
    )  # fmt: skip
    done = _run(HELLO, b"\xff")
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"non-UTF-8 key" in done.stderr


def test_a_locale_without_utf8_changes_nothing() -> None:
    environment = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    assert _outcome("inline:{é=ü}", "É", env=environment) == (0, "ü\n".encode())


def test_an_empty_answer_is_printed_with_a_warning() -> None:
    done = _run(HELLO, "empty")
    assert (done.returncode, done.stdout) == (0, b"\n")
    assert b"an empty answer is not allowed" in done.stderr


def test_s5_3_an_unsupported_type_says_what_exists() -> None:
    done = _run("ldap:/etc/postfix/suspended.cf", "bob@example.com")
    assert done.returncode in (75,)
    if "ldap" not in TYPES:
        assert b"unsupported dictionary type: ldap" in done.stderr
        assert b"postfix-ldap" in done.stderr
        assert b"texthash" in done.stderr


def test_s3_5_types_are_listed() -> None:
    done = _run("--types")
    assert done.returncode == 0
    assert {*TYPES, "directory"} == set(done.stdout.decode().split())


@pytest.mark.parametrize("spec", ["fail:x", "texthash:/nonexistent", "inline:{", "nope:x", ":"])
def test_a_table_that_fails_is_never_not_found(spec: str) -> None:
    done = _run(spec, "a")
    assert (done.returncode, done.stdout) == (75, b"")
    assert done.stderr.startswith(b"maysend lookup: ")
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("arguments", [(), ("inline:{a=b}",), ("--nope", "a", "b")])
def test_wrong_usage(arguments: tuple[str, ...]) -> None:
    done = _run(*arguments)
    assert done.returncode == 64
    assert b"Usage: " in done.stderr


def test_a_main_cf_that_is_not_there(tmp_path: Path) -> None:
    done = _run("-c", str(tmp_path), HELLO, "a")
    assert done.returncode == 78
    assert str(tmp_path / "main.cf").encode() in done.stderr


def test_parameters_come_from_main_cf(tmp_path: Path) -> None:
    (tmp_path / "main.cf").write_text("default_database_type = texthash\n")
    table = tmp_path / "access"
    table.write_text("a b\na c\n")
    done = _run("-c", str(tmp_path), str(table), "a")
    assert (done.returncode, done.stdout) == (0, b"b\n")
    assert b"line 2: duplicate entry" in done.stderr


def test_help_is_a_manual() -> None:
    done = _run("--help")
    assert done.returncode == 0
    text = done.stdout.decode()
    assert "maysend lookup 'inline:{a=b}' a" in text
    assert "Exit status" in text
    assert max(len(line) for line in text.splitlines()) <= 80


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    command = f"{sys.executable} -c 'from maysend.cli.main import main; main()' lookup"
    keys = "yes a | head -20000"
    done = subprocess.run(
        ["sh", "-c", f"{keys} | {command} static:x - | head -1"],
        capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.stdout == b"a\tx\n"
    assert b"Traceback" not in done.stderr


@pytest.mark.needs_postfix
def test_the_same_as_postmap(tmp_path: Path) -> None:
    """Exit 1 of postmap for an error is 75 here, so that it can be told from "not found"."""
    (tmp_path / "main.cf").write_text("compatibility_level = 3.6\n")
    for spec in (HELLO, "static:{x y}", "pcre:{ {/^(.*)@x$/ $1} }", "fail:x"):
        for key in ("a", "C", "bob@X", "é", ""):
            theirs = subprocess.run(
                ["postmap", "-c", str(tmp_path), "-q", key, spec], capture_output=True, check=False
            )
            status, output = _outcome("-c", str(tmp_path), spec, key)
            assert output == theirs.stdout
            failed = b"fatal" in theirs.stderr
            assert status == (75 if failed else theirs.returncode), json.dumps([spec, key])
