"""The octets of the policy delegation protocol, from the client's end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maysend.delegation.protocol import (
    MOST_OCTETS,
    MalformedReplyError,
    ReplyReader,
    encode_request,
)

VALUES = st.text(st.characters(blacklist_categories=("Cs",)), max_size=40)
LINES = st.binary(max_size=60).filter(lambda line: b"\n" not in line and line != b"")


@given(st.dictionaries(st.sampled_from(["sender", "recipient", "helo_name", "size"]), VALUES))
def test_a_value_can_neither_end_its_line_nor_the_request(attributes: dict[str, str]) -> None:
    octets = encode_request(attributes)
    lines = octets.split(b"\n")
    assert lines[-2:] == [b"", b""]
    assert [line.partition(b"=")[0].decode() for line in lines[:-2]] == list(attributes)
    assert b"\0" not in octets


@given(st.lists(LINES))
def test_only_a_reply_with_an_action_has_one(lines: list[bytes]) -> None:
    reader = ReplyReader()
    actions = [line for line in lines if line.partition(b"=")[0] == b"action"]
    try:
        for line in lines:
            assert not reader.take(line)
        assert reader.take(b"")
        action = reader.action()
    except MalformedReplyError:
        assert not actions or b"=" not in actions[0]
    else:
        said = actions[0].partition(b"=")[2].partition(b"\0")[0]
        assert action.encode("utf-8", "surrogateescape") == said


def test_a_reply_has_a_longest_length() -> None:
    reader = ReplyReader()
    while reader.room:
        reader.take(b"x" * 999)
    assert reader.room == 0
    assert MOST_OCTETS % 1000 == 0


@pytest.mark.parametrize("line", [b"action", b"Action=OK", b"", b"action\0=OK"])
def test_what_is_no_action_is_none(line: bytes) -> None:
    reader = ReplyReader()
    with pytest.raises(MalformedReplyError):  # noqa: PT012 (either line or end may complain)
        if line:
            reader.take(line)
        reader.action()
