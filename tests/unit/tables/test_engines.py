"""Both ways to PCRE2, and the C library's regular expressions: same answers, bounded, threaded."""

import json
import time
from ctypes import CDLL
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from maysend.tables import TableContext, open_table, pcre
from maysend.tables.delimited import CompiledPattern
from maysend.tables.pcre2_library import BundledLibrary, Compiler, SystemLibrary
from maysend.tables.rules import MatchError, RuleError

CASELESS_DOTALL = 0x28
CASES: list[dict[str, Any]] = json.loads(
    Path(__file__).with_name("postmap_answers.json").read_text(encoding="utf-8")
)


def _system() -> Compiler:
    try:
        return SystemLibrary(CDLL("libpcre2-8.so.0")).compile
    except OSError:
        pytest.skip("no libpcre2-8 on this machine; the one in the pcre2 package is used")


@pytest.fixture(params=["system", "bundled"])
def compiler(request: pytest.FixtureRequest) -> Compiler:
    return _system() if request.param == "system" else BundledLibrary().compile


def test_s1_2_both_libraries_answer_as_postmap(
    compiler: Compiler, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(pcre, "_compiler", lambda: compiler)
    asked = 0
    for case in CASES:
        if case.get("type") != "pcre":
            continue
        path = tmp_path / "rules"
        path.write_bytes(case["file"].encode("utf-8", "surrogateescape"))
        table = open_table(f"pcre:{path}", TableContext())
        for key, answer in case["answers"].items():
            if isinstance(answer, str | None):
                assert table.lookup(key) == answer, (case["file"], key)
                asked += 1
    assert asked > 500


def _match(compiled: CompiledPattern, key: bytes) -> Any:
    return compiled.match(key, compiled.group_count)


def test_patterns_see_bytes(compiler: Compiler) -> None:
    assert _match(compiler(b"^(.)(.)$", CASELESS_DOTALL), "é".encode()) == [b"\xc3", b"\xa9"]
    assert _match(compiler(b"^\\w", CASELESS_DOTALL), "é".encode()) is None
    assert _match(compiler(b"(*UTF)^.$", CASELESS_DOTALL), "é".encode()) is not None


def test_options_are_those_asked_for_and_no_others(compiler: Compiler) -> None:
    with pytest.raises(RuleError, match="offset 2"):
        compiler(b"\\u0061", CASELESS_DOTALL)  # ALT_BSUX would accept it
    assert _match(compiler(b"a", 0x80000000), b"ba") is None  # ANCHORED is kept


def test_the_machines_own_library_knows_backslash_c_as_in_postfix() -> None:
    assert _match(_system()(b"\\Ca", CASELESS_DOTALL), b"ba") is not None


def test_groups_that_took_no_part_are_empty(compiler: Compiler) -> None:
    assert _match(compiler(b"(a)|(b)|(c)", 0), b"b") == [b"", b"b", b""]


def test_a_catastrophic_pattern_ends_at_the_match_limit(compiler: Compiler) -> None:
    compiled = compiler(b"(a+)+$", 0)
    started = time.monotonic()
    with pytest.raises(MatchError, match="match limit exceeded"):
        _match(compiled, b"a" * 40 + b"b")
    assert time.monotonic() - started < 5


def test_a_rule_at_the_match_limit_is_passed_over_with_a_warning() -> None:
    warnings: list[str] = []
    table = open_table(
        "pcre:{ {/(a+)+$/ first}, {if /(a+)+$/}, {/./ second}, {endif}, {/./ third} }",
        TableContext(warn=warnings.append),
    )
    assert table.lookup("a" * 40 + "b") == "third"
    assert [warning.split(": ")[-1] for warning in warnings] == ["match limit exceeded"] * 2


@pytest.mark.parametrize("kind", ["pcre", "regexp"])
def test_lookups_from_several_threads(kind: str) -> None:
    table = open_table(f"{kind}:{{ {{/^(.*)x([0-9]+)$/ $2-$1}} }}", TableContext())
    wrong: list[int] = []

    def ask(first: int) -> None:
        wrong.extend(
            number for number in range(first, first + 3000)
            if table.lookup(f"ax{number}") != f"{number}-a"
        )  # fmt: skip

    threads = [Thread(target=ask, args=(10_000 * number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_regexp_is_in_the_c_locale_whatever_python_has_set() -> None:
    table = open_table("regexp:{ {/^[[:alpha:]]$/ one}, {/^..$/ two} }", TableContext())
    assert table.lookup("a") == "one"
    assert table.lookup("é") == "two"


def test_tables_are_freed() -> None:
    """A reload must not keep what it replaced; compiled patterns live outside of Python."""
    for kind in ("pcre", "regexp"):
        for _ in range(300):
            table = open_table(f"{kind}:{{ {{/(a)(b)/ $1}} }}", TableContext())
            assert table.lookup("ab") == "a"
            del table
