"""The policy delegation protocol, fed whole, in pieces and byte by byte (SMTPD_POLICY_README)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maysend.protocols.policy import (
    LONGEST_ACTION,
    MOST_ATTRIBUTES,
    PolicyProtocolError,
    PolicyRequests,
    encode_action,
)
from tests.protocols.fed import all_ways

WANTED = ("sender", "recipient", "sasl_username", "a")
LONGEST = 300


def requests() -> PolicyRequests:
    return PolicyRequests(WANTED, LONGEST)


def attributes(decoder: PolicyRequests) -> dict[str, str] | None:
    """The next request's, by name."""
    values = decoder.next()
    if values is None:
        return None
    return {name: value for name, value in zip(WANTED, values, strict=True) if value is not None}


def one(octets: bytes) -> dict[str, str] | None:
    decoder = requests()
    decoder.feed(octets)
    return attributes(decoder)


def test_a_request_gives_the_wanted_attributes() -> None:
    assert one(b"request=x\nsender=a@b\nstress=\nrecipient=\n\n") == {
        "sender": "a@b",
        "recipient": "",
    }


def test_values_keep_equals_signs_and_octets_that_are_no_text() -> None:
    assert one(b"sender=a=b\xff\n\n") == {"sender": "a=b\udcff"}


def test_of_a_name_that_comes_twice_the_last_value_counts() -> None:
    decoder = requests()
    for _ in range(2):  # read name by name, and then by the layout that was learnt
        decoder.feed(b"sender=first\nrecipient=r\nsender=last\n\n")
        assert attributes(decoder) == {"sender": "last", "recipient": "r"}


def test_other_names_in_the_same_places_are_not_mistaken() -> None:
    """The layout of one request never gives the next one's login a miss."""
    decoder = requests()
    decoder.feed(b"sender=a@b\nstress=\n\nsender=a@b\nsasl_username=bob\n\n")
    assert attributes(decoder) == {"sender": "a@b"}
    assert attributes(decoder) == {"sender": "a@b", "sasl_username": "bob"}


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"\n", "a request without attributes"),
        (b"sender\n\n", "expected name=value, got 'sender'"),
        (b"sender=x\n=y\n\n", "an attribute without a name"),
        (b"sender=x\0y\n\n", "a request with a NUL"),
        (b"sender=" + b"x" * LONGEST, f"a request of more than {LONGEST} octets"),
        (b"a=\n" * (MOST_ATTRIBUTES + 1) + b"\n", f"of more than {MOST_ATTRIBUTES} attributes"),
    ],
)
def test_what_is_no_request_is_refused_with_its_reason(octets: bytes, text: str) -> None:
    decoder = PolicyRequests(WANTED, LONGEST if len(octets) < 400 else 10000)
    decoder.feed(octets)
    with pytest.raises(PolicyProtocolError) as raised:
        decoder.next()
    assert text in str(raised.value)


def test_a_longest_request_is_taken_and_one_octet_more_is_not() -> None:
    name = b"sender="
    for length, is_taken in ((LONGEST, True), (LONGEST + 1, False)):
        octets = name + b"x" * (length - len(name)) + b"\n\n"
        for found in all_ways(requests, octets, [5, length]):
            assert (found[-1] is not PolicyProtocolError) == is_taken


@given(st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=200))
def test_what_never_ends_is_not_kept_for_ever(pieces: list[bytes]) -> None:
    """Whatever comes, at most LONGEST octets and the last piece are held."""
    decoder = requests()
    for piece in pieces:
        decoder.feed(piece.replace(b"\n", b"x"))
        assert decoder.pending <= LONGEST + 1 + len(piece)
        try:
            assert decoder.next() is None
        except PolicyProtocolError:
            return
    assert decoder.pending <= LONGEST + 1


line = st.builds(
    lambda name, value: name + b"=" + value,
    st.sampled_from([b"sender", b"recipient", b"a", b"other", b"x.y", b"s+e*"]),
    st.binary(max_size=20).map(lambda value: value.replace(b"\n", b"").replace(b"\0", b"")),
)
request = st.lists(line, min_size=1, max_size=6).map(lambda lines: b"\n".join(lines) + b"\n\n")
junk = st.binary(max_size=40) | st.sampled_from([b"\n", b"\n\n", b"=\n\n", b"sender=\n", b"\0"])


@given(st.lists(request | junk, max_size=6).map(b"".join), st.lists(st.integers(0, 400)))
def test_the_pieces_make_no_difference(octets: bytes, cuts: list[int]) -> None:
    whole, pieces, bytewise = all_ways(requests, octets, cuts)
    assert whole == pieces == bytewise


@given(st.lists(st.lists(line, min_size=1, max_size=6), min_size=1, max_size=5))
def test_what_was_learnt_of_earlier_requests_changes_nothing(asked: list[list[bytes]]) -> None:
    learnt = requests()
    for lines in asked:
        octets = b"\n".join(lines) + b"\n\n"
        learnt.feed(octets)
        pairs = [part.decode("utf-8", "surrogateescape").partition("=") for part in lines]
        expected = {name: value for name, _, value in pairs if name in WANTED}
        assert attributes(learnt) == one(octets) == expected
        assert learnt.next() is None
        assert learnt.pending == 0


few_values = st.sampled_from([b"", b"v", b"vv", b"v\xff", b"=v", b"a=v"])
same_names = st.tuples(*[few_values] * 7).map(
    lambda values: [
        name + b"=" + value
        for name, value in zip(
            (b"x", b"sender", b"y", b"recipient", b"a", b"sender", b"z"), values, strict=True
        )
    ]
)


@given(st.lists(same_names | st.lists(line, min_size=1, max_size=8), min_size=2, max_size=12))
def test_a_client_that_changes_a_few_lines_is_read_as_one_that_comes_anew(
    asked: list[list[bytes]],
) -> None:
    """Lines that never changed are compared as a whole: no value of an earlier request is given."""
    known = requests()
    for lines in asked:
        octets = b"\n".join(lines) + b"\n\n"
        known.feed(octets)
        assert attributes(known) == one(octets)


def test_a_line_more_or_less_between_those_that_never_changed_is_noticed() -> None:
    decoder = requests()
    for middle in (b"recipient=1\n", b"recipient=2\n", b"recipient=3\n"):
        decoder.feed(b"sender=s\n" + middle + b"a=b\n\n")
        assert attributes(decoder) == {"sender": "s", "recipient": middle[10:11].decode(), "a": "b"}
    for middle in (b"", b"a=c\nrecipient=4\n", b"sasl_username=bob\n"):
        octets = b"sender=s\n" + middle + b"a=b\n\n"
        decoder.feed(octets)
        assert attributes(decoder) == one(octets)


def test_long_requests_are_read_and_not_remembered() -> None:
    decoder = PolicyRequests(WANTED, 100_000)
    for value in ("x" * 20_000, "y" * 20_000):
        decoder.feed(f"sender={value}\na=b\n\n".encode())
        assert attributes(decoder) == {"sender": value, "a": "b"}
    assert not decoder._layouts


@given(st.text(max_size=50).map(lambda t: t.encode("utf-8", "replace").decode()))
def test_an_answer_is_one_line(action: str) -> None:
    octets = encode_action(action)
    assert octets.startswith(b"action=")
    assert octets.endswith(b"\n\n")
    assert octets.count(b"\n") == 2
    assert b"\0" not in octets


def test_a_long_answer_is_cut() -> None:
    assert len(encode_action("x" * 100_000)) == LONGEST_ACTION + len("action=\n\n")
