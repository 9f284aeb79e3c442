"""Property tests of the small parsers: whatever comes in, a table or a clear error comes out."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maysend.tables import TableContext, TableError, open_table
from maysend.tables.braces import BraceError, enclosed, inner, members
from maysend.tables.entries import EntryError, assigned, spaced
from maysend.tables.lines import logical_lines
from maysend.tables.substitution import SubstitutionError, parse_replacement
from maysend.tables.text import fold, is_utf8

bytes_as_text = st.binary(max_size=80).map(lambda raw: raw.decode("utf-8", "surrogateescape"))
punctuation = st.text("ab{} ,=\"\\'$(!/\n\t#%1é", max_size=40)
anything = st.one_of(bytes_as_text, punctuation)


@given(anything)
def test_a_group_is_what_stands_between_its_braces(text: str) -> None:
    try:
        assert enclosed(text) == text[1:-1]
    except BraceError:
        assert text[:1] != "{" or text[-1:] != "}" or "{" in text[1:-1] or "}" in text[1:-1]


@given(st.lists(st.text("ab=", min_size=1, max_size=5)))
def test_members_are_what_was_joined(items: list[str]) -> None:
    assert members(", ".join(items)) == items
    assert members(" ".join(f"{{{item} x}}" for item in items)) == [f"{{{i} x}}" for i in items]


@given(anything)
def test_entries_split_or_say_why(text: str) -> None:
    for split in (spaced, assigned):
        with suppress(EntryError):
            key, value = split(text)
            assert key in text
            assert value in text


@given(anything)
def test_a_replacement_parses_or_says_why(text: str) -> None:
    with suppress(SubstitutionError):
        replacement = parse_replacement(text)
        filled = replacement.filled([b"<>"] * replacement.highest)
        assert filled.count("<>") >= sum(isinstance(piece, int) for piece in replacement.pieces)


@given(st.text("ab$", max_size=20))
def test_dollars_come_back_when_they_are_doubled(text: str) -> None:
    replacement = parse_replacement(text.replace("$", "$$"))
    assert replacement.highest == 0
    assert replacement.filled([]) == text


@given(st.lists(st.binary(max_size=20)))
def test_logical_lines_never_start_with_whitespace(lines: list[bytes]) -> None:
    for line in logical_lines([raw + b"\n" for raw in lines], "x", TableContext()):
        assert line.text
        assert line.text[0] not in " \t\n\v\f\r"
        assert 1 <= line.number <= len(lines) + sum(raw.count(b"\n") for raw in lines)


@given(anything)
def test_folding_twice_changes_nothing(text: str) -> None:
    for utf8 in (True, False):
        if not utf8 or is_utf8(text):
            assert fold(fold(text, utf8=utf8), utf8=utf8) == fold(text, utf8=utf8)


@pytest.mark.parametrize("text", ["", "a", "{a", "a}", "{a}b", "{a}{b}"])
def test_what_is_not_one_group_is_refused(text: str) -> None:
    with pytest.raises(BraceError):
        inner(text)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(name=anything, key=anything)
@pytest.mark.parametrize(
    "kind",
    ["static", "inline", "pcre", "regexp", "cidr", "unionmap", "pipemap", "randmap", "proxy"],
)
def test_any_table_name_opens_and_answers_or_fails_clearly(kind: str, name: str, key: str) -> None:
    table = open_table(f"{kind}:{name}", TableContext())
    with suppress(TableError):
        answer = table.lookup(key.replace("\0", ""))
        assert answer is None or isinstance(answer, str)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(content=st.one_of(st.binary(max_size=200), punctuation.map(str.encode)), key=anything)
@pytest.mark.parametrize("kind", ["texthash", "pcre", "regexp", "cidr", "sqlite"])
def test_any_file_opens_and_answers_or_fails_clearly(
    kind: str, content: bytes, key: str, tmp_path: Path
) -> None:
    path = tmp_path / "table"
    path.write_bytes(content)
    table = open_table(f"{kind}:{path}", TableContext())
    with suppress(TableError):
        answer = table.lookup(key.replace("\0", ""))
        assert answer is None or isinstance(answer, str)
