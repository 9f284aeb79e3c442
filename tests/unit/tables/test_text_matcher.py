"""S1.2: what matches patterns here finds what re finds, and groups where it says so."""

import re
from random import Random

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from maysend.tables import TableContext
from maysend.tables.pattern_literals import GROUP, MOST_WAYS, seen
from maysend.tables.pattern_reading import PatternReader
from maysend.tables.regexp import open_regexp
from maysend.tables.text_matcher import TextMatcher, TooLong
from maysend.tables.text_scan import TextScan
from maysend.tables.text_search import GroupSearch
from tests.unit.tables.test_prefilter import ATOMS, KEY_PIECES, QUANTIFIERS

SHAPES = ("%s", "^%s$", "^%s", "%s$", "(%s)", "^(%s)@", "(%s)?a", "^([^@]+)@%s$", "(%s){2}b")
KEYS = st.lists(
    st.lists(st.sampled_from(KEY_PIECES), max_size=6).map("".join), min_size=1, max_size=8
)


@st.composite
def sources(draw: st.DrawFn, syntax: str) -> str:
    """An expression as the reader writes it, with its groups marked."""
    atoms = st.sampled_from(ATOMS["pcre" if syntax == "perl" else "regexp"])
    atom = st.builds(str.__add__, atoms, st.sampled_from(QUANTIFIERS))
    branch = st.lists(atom, min_size=1, max_size=5).map("".join)
    body = "|".join(draw(st.lists(branch, min_size=1, max_size=3)))
    pattern = draw(st.sampled_from(SHAPES)) % body
    meaning = PatternReader("perl" if syntax == "perl" else "posix").read(pattern.encode())
    assume(meaning is not None)
    assert meaning is not None
    source = draw(st.sampled_from((meaning.groups, meaning.source)))
    assume(source and meaning.ways <= MOST_WAYS)
    assert source
    return source


def _seen(keys: list[str]) -> list[str]:
    return [seen(key) for key in keys if "\n" not in key and "\0" not in key]


@pytest.mark.parametrize("syntax", ["perl", "posix"])
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(data=st.data())
def test_it_finds_what_re_finds(syntax: str, data: st.DataObject) -> None:
    source = data.draw(sources(syntax))
    try:
        matcher = TextMatcher(source, {})
    except TooLong:
        return
    search = re.compile(source.replace(GROUP, ""), re.ASCII).search
    for text in _seen(data.draw(KEYS)):
        expected = search(text)
        assert matcher.holds(text) is (expected is not None), (source, text)
        spans = matcher.spans(text)
        assert (spans is None) is (expected is None), (source, text)
        if expected is not None and matcher.unique:
            assert spans == [place for span in expected.regs[1:] for place in span], (source, text)


@pytest.mark.parametrize("pattern", ["^(bob)?(.*)@(.*)$", "^(?:bob)?[^@]*@", "^(?:ab){2}[^@]*@"])
@pytest.mark.parametrize("key", ["alice@example.com", "boa", "bobba", "abbc", "ababc", "x", "xa"])
def test_a_text_in_parentheses_is_repeated_whole(pattern: str, key: str) -> None:
    meaning = PatternReader("perl").read(pattern.encode())
    assert meaning is not None
    assert meaning.source
    for source in filter(None, (meaning.groups, meaning.source)):
        found = TextMatcher(source, {}).holds(seen(key))
        assert found is (re.search(pattern, key) is not None), source


UNIQUE = (
    "^([^@]+)@a\\.example$",
    "^(alice|bob)(\\+([^@]*))?@(.*)$",
    "^([0-9]{3,})(x)?@",
    "(a)(b)c",
)
AMBIGUOUS = ("^(.*)-owner@(.*)$", "^(a|ab)(c|bcd)$", "^(a*)(a*)@", "(a|b)+c", "^(a?)a@", "(a+)",
             "^([^@]+)(@x)?", "(^|x)(a)")  # fmt: skip


@pytest.mark.parametrize(("pattern", "unique"), [
    *((pattern, True) for pattern in UNIQUE), *((pattern, False) for pattern in AMBIGUOUS),
])  # fmt: skip
def test_groups_are_told_only_where_there_is_one_way_to_match(pattern: str, unique: bool) -> None:
    meaning = PatternReader("posix").read(pattern.encode())
    assert meaning is not None
    assert GroupSearch(meaning.groups, meaning.ways, {}).usable() is unique


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_regexp_groups_are_those_of_the_c_library(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    atoms = ("([^@]+)", "([a-c]+)", "([0-9]*)", "(x)?", "(b|c)", "(\\+([^@]*))?", "@", "a",
             "-", "(x(y)?)?")  # fmt: skip
    bodies = [
        "".join(data.draw(st.lists(st.sampled_from(atoms), min_size=1, max_size=5)))
        for _ in range(3)
    ]
    rules = "".join(
        f"/{start}{body}{end}/ {place} $1\n"
        for place, body in enumerate(bodies)
        for start, end in (("^", "$"), ("", "@"), ("^", ""))
        if "(" in body
    )
    path = tmp_path_factory.mktemp("rules") / "rules"
    path.write_text(rules)
    table = open_regexp(str(path), TableContext())
    letters = st.text("abcXxy019@+-", max_size=9)
    for key in data.draw(st.lists(letters, min_size=1, max_size=8)):
        assert table.lookup(key) == table.search_all(key), (rules, key)


@pytest.mark.parametrize("nested", ["(" * 15 + "ab" + "){3}" * 15, "((((a|bc){3}){3}){3}){3}"])
def test_what_would_take_too_much_room_is_left_to_others(nested: str) -> None:
    meaning = PatternReader("posix").read(nested.encode())
    if meaning is not None and meaning.groups:
        assert not GroupSearch(meaning.groups, meaning.ways, {}).usable()


@pytest.mark.parametrize("by_characters", [True, False])
@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 1 << 32))
def test_texts_are_found_where_they_are(by_characters: bool, seed: int) -> None:
    random = Random(seed)
    pieces = ("ab", "c@", "\n", "x1", "2", ".d", "é", "-", "\t")
    texts = {
        "".join(random.choices(pieces, k=random.randint(2, 6))): (number,)
        for number in range(random.randint(0, 9))
    }
    scan = TextScan(texts, by_characters=by_characters)
    for _ in range(20):
        body = "".join(random.choices(pieces, k=random.randint(0, 9))).replace("\n", "")
        text = f"\n{body}\n"
        found: list[int] = []
        scan.find(text, found)
        assert set(found) == {number for wanted, (number,) in texts.items() if wanted in text}


def test_many_texts_are_found_by_their_characters() -> None:
    scan = TextScan({f"@d{n}.example\n": (n,) for n in range(5000)}, by_characters=True)
    assert scan.by_characters
    assert scan.likely(b"bob\n@d4711.example") is None
    assert scan.likely(b"bob\0@d4711.example") is None
    found: list[int] = []
    scan.find("\nbob@d4711.example\n", found)
    assert found == [4711]


def test_texts_that_are_too_alike_are_left_to_the_automaton() -> None:
    alike = {"a" * (3 + number): (number,) for number in range(10)}
    scan = TextScan(alike, by_characters=True)
    assert not scan.by_characters
    found: list[int] = []
    scan.find("\nxaaaa\n", found)
    assert set(found) == {0, 1}
    assert not TextScan({"ab": (1,)}, by_characters=True).by_characters
