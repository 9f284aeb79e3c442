"""A table file with a syntax error: told by file, line and what was expected; the rest is used."""

from pathlib import Path

import pytest

from maysend.tables import TableContext, open_table

PATTERNS = "/a(/ x\n/b/q y\n/c\n/d/ $3\nfoo\n/ok/ yes\n"


@pytest.mark.parametrize(
    ("kind", "text", "key", "told"),
    [
        (
            "texthash", 'novalue\n"unbalanced x\nok yes\n', "ok",
            {1: "expected format: key whitespace value", 2: "unbalanced"},
        ),
        (
            "pcre", PATTERNS, "ok",
            {1: "missing closing parenthesis", 2: "expected i m s x A E U X", 3: "no closing",
             4: "out of range", 5: "expected a rule, if or endif"},
        ),
        (
            "regexp", PATTERNS, "ok",
            {1: "Unmatched (", 2: "expected i x m", 3: "no closing", 4: "out of range",
             5: "expected a rule, if or endif"},
        ),
        (
            "cidr", "10.0.0.1/8 x\n10.0.0.0/99 y\n1.2.3 z\n10.0.0.0/8\n192.0.2.0/24 yes\n",
            "192.0.2.1",
            {1: "non-null host address bits", 2: "expected 0 to 32", 3: "expected an IP address",
             4: "expected network/length and an answer"},
        ),
    ],
)  # fmt: skip
def test_broken_lines_are_told_and_skipped(
    kind: str, text: str, key: str, told: dict[int, str], tmp_path: Path
) -> None:
    path = tmp_path / "table"
    path.write_text(text)
    warnings: list[str] = []
    assert open_table(f"{kind}:{path}", TableContext(warn=warnings.append)).lookup(key) == "yes"
    assert len(warnings) == len(told)
    for (line, expected), warning in zip(told.items(), warnings, strict=True):
        assert f"{path}, line {line}: " in warning
        assert expected in warning


@pytest.mark.parametrize("kind", ["sqlite", "mysql", "pgsql", "ldap", "memcache"])
def test_a_broken_parameter_file_is_told(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "table.cf"
    path.write_text("# what to ask\nquery SELECT\n")
    warnings: list[str] = []
    open_table(f"{kind}:{path}", TableContext(warn=warnings.append))
    assert len(warnings) == 1
    assert f'{path}:2: missing "="' in warnings[0]
