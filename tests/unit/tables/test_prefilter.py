"""S1.2: a prefiltered pattern table answers as the search of all its rules by the engine itself."""

import time
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from maysend.tables import LookupTable, TableContext, TableError, open_table
from maysend.tables.pattern_reading import PatternReader
from maysend.tables.pcre import open_pcre
from maysend.tables.regexp import open_regexp
from maysend.tables.rule_search import PatternTable
from maysend.tables.text import CheckedTable
from tests.differential.tables import patterns

OPENERS = {"pcre": open_pcre, "regexp": open_regexp}

ATOMS = {
    "pcre": ("bob", "al", "a", "B", "Z", "\\.", "@", "ex\\.com", "[a-e]", "[^@]", ".", "\\w", "\\d",
             "[A-Z0-9._-]", "[[:alpha:]]", "[^[:upper:]a]", "é", "[é]", "^", "$", "\\b", "(?:x|y)",
             "(a|b)", "(^|@)", "(@|$)", "\\S", "[]a]", "[\\w.]", "-", "\\+", "(a|bo|)", "(?=a)",
             "\\x41", "(?i)", "\\Qa\\E", "[a\\]]", "(b(o)b)", "\\/", "_", "0"),
    "regexp": ("bob", "al", "a", "B", "Z", "\\.", "@", "ex\\.com", "[a-e]", "[^@]", ".", "[é]",
               "[A-Z0-9._-]", "[[:alpha:]]", "[^[:upper:]a]", "é", "^", "$", "(x|y)", "(a|b)",
               "(^|@)", "(@|$)", "[]a]", "[\\w.]", "-", "\\+", "(b(o)b)", "\\/", "_", "0", "\\w",
               "\\<", "(a|)", "\\b", "[[=a=]]", "\\`"),
}  # fmt: skip
QUANTIFIERS = ("", "", "", "", "*", "+", "?", "{1,2}", "{2}", "{0,1}", "*?", "+?", "{1,}", "{0}")
FLAGS = {"pcre": ("", "", "", "", "i", "m", "s", "x", "A", "E", "U"), "regexp": ("", "", "i", "m")}
KEY_PIECES = (
    "bob", "al", "a", "B", "Z", ".", "@", "ex.com", "EX.COM", "é", "x", "0", "_", "-", "+", "]",
    "\\", "\n", "\0", "\udcff", "Bob@ex.com", " ", "O", "/", "A" * 40,
)  # fmt: skip


@st.composite
def files(draw: st.DrawFn, kind: str) -> str:
    lines: list[str] = []
    for number in range(draw(st.integers(1, 8))):
        shape = draw(st.sampled_from(("rule",) * 6 + ("if", "endif", "if", "both")))
        if shape == "endif":
            lines.append("endif")
            continue
        condition = draw(st.sampled_from(("", "", "", "!"))) + draw(condition_of(kind))
        if shape == "if":
            lines.append(f"if {condition}")
            continue
        if shape == "both" and kind == "regexp":
            condition += f"!{draw(condition_of(kind))}"
        answer = draw(st.sampled_from(("", "", "", " $1", " ${1}$2", "é$1", "\udcff", "\udcff$1")))
        lines.append(f"{condition} rule{number}{answer}")
    return "\n".join(lines) + "\n"


@st.composite
def condition_of(draw: st.DrawFn, kind: str) -> str:
    atom = st.builds(str.__add__, st.sampled_from(ATOMS[kind]), st.sampled_from(QUANTIFIERS))
    branch = st.lists(atom, min_size=1, max_size=5).map("".join)
    shape = st.sampled_from(("%s", "%s", "%s", "^%s$", "^%s", "%s$", "(%s)", "^(%s)@", "(%s)?a"))
    body = draw(shape) % "|".join(draw(st.lists(branch, min_size=1, max_size=3)))
    return f"/{body}/{draw(st.sampled_from(FLAGS[kind]))}"


KEYS = st.lists(st.lists(st.sampled_from(KEY_PIECES), max_size=6).map("".join), max_size=8)


def _disagreements(kind: str, path: Path, keys: list[str]) -> list[Any]:
    """Keys that the table answers otherwise than all its rules do, by itself or as it is opened."""
    table = OPENERS[kind](str(path), TableContext())
    context = TableContext()
    checked = CheckedTable(
        PatternTable(table.spec, table.rules, table.search_all, None), context, forwards=False
    )
    opened = open_table(table.spec, context)
    return [
        (key, table.lookup(key), table.search_all(key), _answer(opened, key), _answer(checked, key))
        for key in keys
        if table.lookup(key) != table.search_all(key)
        or _answer(opened, key) != _answer(checked, key)
    ]


def _answer(table: LookupTable, key: str) -> str | None:
    try:
        return table.lookup(key)
    except TableError as error:
        return f"error: {error}"


@pytest.mark.parametrize("kind", ["pcre", "regexp"])
@settings(max_examples=600, deadline=None)
@given(data=st.data())
def test_random_tables_answer_as_all_rules_do(
    kind: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("rules") / "rules"
    path.write_bytes(data.draw(files(kind)).encode("utf-8", "surrogateescape"))
    assert not _disagreements(kind, path, data.draw(KEYS))


@pytest.mark.parametrize("kind", ["pcre", "regexp"])
@given(seed=st.integers(0, 1 << 32))
@example(seed=1)
@settings(max_examples=200, deadline=None)
def test_tables_of_the_differential_test_answer_as_all_rules_do(
    kind: str, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    random = Random(seed)
    path = tmp_path_factory.mktemp("rules") / "rules"
    path.write_bytes(patterns.rules(random, kind).encode("utf-8", "surrogateescape"))
    keys = ["".join(random.choices("abo.@x A", k=random.randint(0, 7))) for _ in range(12)]
    assert not _disagreements(kind, path, keys)


UNDERSTOOD = (
    "^bob@example\\.com$", "@example\\.com$", "^(alice|bob)(\\+[^@]*)?@example\\.com$", "bulk",
    "^[a-z]+[0-9]{4,}@", "(^|\\.)example\\.org$", "^.*@(a|b)\\.example$", "[^a-z@]x",
)  # fmt: skip
LEFT_TO_THE_ENGINE = {
    "perl": ("(?i)a", "\\Qa\\E", "(?=a)", "a**", "a++", "(a)\\1", "\\x41", "$", "^", "a?", "", "^*",
             "(*UTF)a", "a{,3}", "[[.a.]]", "[z-a]", "[A-z]", "a|", "()", "[a", "(a", "a)", "a$b",
             "a]", "a}", "\\", "\\R", "[\\x41]"),
    "posix": ("\\wa", "a+?", "a**", "(?:a)", "(a)\\1", "\\<a", "^*", "[[=a=]]", "a{,3}", "a|",
              "()", "[a", "a)", "a$b", "\\", "a{1"),
}  # fmt: skip


@pytest.mark.parametrize("syntax", ["perl", "posix"])
def test_what_addresses_are_written_with_is_understood(syntax: Any) -> None:
    reader = PatternReader(syntax)
    assert [text for text in UNDERSTOOD if reader.read(text.encode()) is None] == []


@pytest.mark.parametrize("syntax", ["perl", "posix"])
def test_what_is_in_doubt_is_left_to_the_engine(syntax: Any) -> None:
    reader = PatternReader(syntax)
    assert [text for text in LEFT_TO_THE_ENGINE[syntax] if reader.read(text.encode())] == []


def test_an_if_that_is_never_closed_reaches_to_the_end() -> None:
    table = open_pcre("{ {if /a/}, {/b/ inside}, {if !/c/}, {/d/ deeper} }", TableContext())
    assert table.lookup("b") is None
    assert table.lookup("ab") == "inside"
    assert table.lookup("acd") is None
    assert table.lookup("ad") == "deeper"


@pytest.mark.parametrize("kind", ["pcre", "regexp"])
def test_ten_thousand_patterns_open_quickly_and_cost_hardly_more_than_ten(
    kind: str, tmp_path: Path
) -> None:
    """A loose bound, because tests share their machine; bench_patterns.py has the figures."""
    path = tmp_path / "rules"
    path.write_text("".join(f"/^user{n}[0-9]*@d{n}\\./ OK {n}\n" for n in range(10_000)))
    started = time.process_time()
    table = OPENERS[kind](str(path), TableContext())
    assert time.process_time() - started < 5
    started = time.process_time()
    for number in range(10_000):
        table.lookup(f"nobody{number}@d{number}.example")
    assert time.process_time() - started < 1
    assert table.lookup("user9999@d9999.example") == "OK 9999"
