"""Socketmap queries, fed whole, in pieces and byte by byte (socketmap_table(5))."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maysend.protocols.socketmap import (
    LONGEST_ANSWER,
    Query,
    SocketmapError,
    SocketmapQueries,
    found,
    permanent,
    temporary,
    timeout,
)
from tests.protocols.fed import all_ways, events

LONGEST = 50


def queries() -> SocketmapQueries:
    return SocketmapQueries(LONGEST)


def netstring(octets: bytes) -> bytes:
    return b"%d:%b," % (len(octets), octets)


def test_a_query_is_a_name_and_a_key() -> None:
    octets = netstring(b"owners bob@example.com") + netstring(b"a b c\xff") + netstring(b"a ")
    assert events(queries(), [octets]) == [
        Query("owners", "bob@example.com"),
        Query("a", "b c\udcff"),
        Query("a", ""),
    ]


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"x", "expected a netstring"),
        (b"-1:", "expected a netstring"),
        (b"007:a b,", "expected a netstring"),
        (b"9999999999", "expected a netstring"),
        (b"51:", "a query of more than 50 octets"),
        (b"999999999:", "a query of more than 50 octets"),
        (b"3:a b;", "a netstring without a comma at its end"),
        (b"0:,", "expected the name of a map, a space, and a key"),
        (b"3:abc,", "expected the name of a map, a space, and a key"),
        (b"2: k,", "expected the name of a map, a space, and a key"),
    ],
)
def test_what_is_no_query_is_refused_with_its_reason(octets: bytes, text: str) -> None:
    decoder = queries()
    decoder.feed(octets)
    with pytest.raises(SocketmapError) as raised:
        decoder.next()
    assert str(raised.value) == text


@given(
    st.integers(0, 10**12),
    st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=200),
)
def test_a_length_that_lies_makes_nobody_keep_more(length: int, pieces: list[bytes]) -> None:
    """More than LONGEST is refused at once; less than announced is waited for, within LONGEST."""
    decoder = queries()
    for piece in [f"{length}:".encode(), *pieces]:
        decoder.feed(piece)
        assert decoder.pending <= len(f"{length}:") + LONGEST + 1 + len(piece)
        try:
            while decoder.next() is not None:
                pass
        except SocketmapError:
            return
        assert length <= LONGEST, "refused before anything of it is kept"


query = st.binary(max_size=LONGEST).map(netstring)
good = st.text("abc ", max_size=20).map(lambda text: netstring(f"m {text}".encode()))
junk = st.binary(max_size=10) | st.sampled_from([b"5", b"12:", b":", b",", b"0", b"00:"])


@given(st.lists(good | query | junk, max_size=6).map(b"".join), st.lists(st.integers(0, 200)))
def test_the_pieces_make_no_difference(octets: bytes, cuts: list[int]) -> None:
    whole, pieces, bytewise = all_ways(queries, octets, cuts)
    assert whole == pieces == bytewise


@given(st.text(max_size=600).map(lambda text: text.encode("utf-8", "replace").decode()))
def test_every_answer_is_one_netstring(text: str) -> None:
    for answer in (found(text), temporary(text), permanent(text), timeout(text)):
        length, _, rest = answer.partition(b":")
        assert int(length) + 1 == len(rest)
        assert rest.endswith(b",")
        assert int(length) <= LONGEST_ANSWER
        assert b"\0" not in rest


def test_an_answer_that_postfix_would_not_take_is_a_permanent_error() -> None:
    assert found("x" * LONGEST_ANSWER).partition(b":")[2].startswith(b"PERM an answer of more")
    assert found("a\0b").partition(b":")[2].startswith(b"PERM ")
