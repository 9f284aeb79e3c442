"""S5.2: what a lookup did, as `maysend lookup -v` shows it."""

import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner

from maysend.cli.lookup import lookup
from maysend.tables import TableContext, TableError, open_table
from tests.unit.tables.traces import traced


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A few tables."""
    (tmp_path / "text").write_text("# owners\nb two\na@b.example one\n")
    (tmp_path / "rules").write_text("if /x/\n/xx/ y\nendif\n/^(.*)@b/ $1\n")
    (tmp_path / "networks").write_text("10.0.0.0/8 a\n192.0.2.0/24 b\n")
    with sqlite3.connect(tmp_path / "db") as connection:
        connection.execute("CREATE TABLE t (a, b)")
        rows = [("a@b.example", None), ("a@b.example", ""), ("a@b.example", "x@y.example")]
        connection.executemany("INSERT INTO t VALUES (?, ?)", rows)
    connection.close()
    (tmp_path / "sql.cf").write_text(
        f"dbpath = {tmp_path}/db\nquery = SELECT b FROM t WHERE a = '%s'\nresult_format = %u/%D\n"
    )
    return tmp_path


def test_the_line_of_a_text_table(files: Path) -> None:
    steps = traced(f"texthash:{files}/text", "A@B.example")
    assert steps == [
        (0, "table", f"texthash:{files}/text"),
        (0, "key", "A@B.example"),
        (0, "folded", "a@b.example"),
        (0, "line", f"texthash:{files}/text, line 3"),
        (0, "answer", '"one"'),
    ]
    assert traced(f"texthash:{files}/text", "x")[-1] == (0, "answer", "not found")


@pytest.mark.parametrize("kind", ["pcre", "regexp"])
def test_the_rule_of_a_pattern_table(kind: str, files: Path) -> None:
    spec = f"{kind}:{files}/rules"
    steps = traced(spec, "a@b.example")
    assert (0, "skipped", "if without a match, line 1") not in steps, "there is an x in example"
    assert (0, "rule", f"{spec}, line 4") in steps
    assert (0, "skipped", "if without a match, line 1") in traced(spec, "a@b")


def test_the_rule_of_a_cidr_table(files: Path) -> None:
    assert (0, "rule", f"cidr:{files}/networks, line 2") in traced(
        f"cidr:{files}/networks", "192.0.2.9"
    )


def test_the_query_the_rows_and_what_becomes_of_them(files: Path) -> None:
    steps = traced(f"unionmap:{{sqlite:{files}/sql.cf, inline:{{z=z}}}}", "a@b.example")
    assert [step[1:] for step in steps if step[0] == 1 and step[1] not in ("table", "key")] == [
        ("folded", "a@b.example"),
        ("query", "SELECT b FROM t WHERE a = 'a@b.example'"),
        ("value", "NULL"),
        ("skipped", "it is NULL, empty, or lacks a part that result_format needs"),
        ("value", '""'),
        ("skipped", "it is NULL, empty, or lacks a part that result_format needs"),
        ("value", '"x@y.example"'),
        ("formatted", '"x/b.example"'),
        ("answer", '"x/b.example"'),
        ("folded", "a@b.example"),
        ("answer", "not found"),
    ]


def test_a_hostile_key_is_shown_as_it_was_sent(files: Path) -> None:
    steps = traced(f"sqlite:{files}/sql.cf", "x' OR 'a'='a@b")
    assert (0, "query", "SELECT b FROM t WHERE a = 'x'' or ''a''=''a@b'") in steps
    assert steps[-1] == (0, "answer", "not found")


def test_a_failure_is_a_step() -> None:
    steps: list[tuple[str, str]] = []
    context = TableContext(trace=lambda step: steps.append((step.what, step.text)))
    table = open_table("fail:x", context)
    with pytest.raises(TableError):
        table.lookup("a")
    assert steps[-1][0] == "failed"


@pytest.mark.parametrize("key", ["a@b.example", "192.0.2.1", "nobody", "xx@b", ""])
def test_a_traced_table_answers_as_any_other(key: str, files: Path) -> None:
    for spec in ("texthash:{}/text", "pcre:{}/rules", "regexp:{}/rules", "cidr:{}/networks"):
        plain = open_table(spec.format(files), TableContext())
        told = open_table(spec.format(files), TableContext(trace=lambda step: None))
        assert told.lookup(key) == plain.lookup(key)


def test_the_command_shows_it_on_standard_error(files: Path) -> None:
    done = CliRunner().invoke(lookup, ["-v", f"sqlite:{files}/sql.cf", "A@b.example"])
    assert done.exit_code == 0
    assert done.stdout == "x/b.example\n"
    assert "  query      SELECT b FROM t WHERE a = 'a@b.example'\n" in done.stderr
    assert all(len(line) <= 80 for line in done.stderr.splitlines() if line[0] == " ")
