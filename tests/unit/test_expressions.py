"""What is not to be written in a regular expression of ours."""

import re
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src/maysend"
POSSESSIVE_GROUP = re.compile(r"\)(?:[*+?]|\{[0-9,]+\})\+|\(\?>")


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: path.name)
def test_no_group_is_repeated_possessively(path: Path) -> None:
    """Before Python 3.11.5 a repetition that failed keeps what it had matched of its group: the dot
    of "bob.@example.com" was taken for a part of "bob" (github.com/python/cpython/issues/106052).
    What is possessive about one character, as in "[a-z]++", is right."""
    assert POSSESSIVE_GROUP.search(path.read_text()) is None


def test_possessive_groups_are_seen() -> None:
    for pattern in (r"(?:\.[a-z]++)*+", r"(a|b)++", r"(?:a){2,3}+", r"(?>a+)"):
        assert POSSESSIVE_GROUP.search(pattern), pattern
    for pattern in (r"(?:\.[a-z]++)*", r"[a-z]{0,61}+", r"(a)+\+"):
        assert not POSSESSIVE_GROUP.search(pattern), pattern
