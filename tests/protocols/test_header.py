"""The header block: collected in pieces, every line a field or a continuation."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maysend.protocols.header import (
    HeaderCollector,
    HeaderError,
    names_line_by_line,
    parse_header,
)


@pytest.mark.parametrize(
    ("octets", "names"),
    [
        (b"", ()),
        (b"From: a\r\nTo: b\r\n", (b"from", b"to")),
        (b"From: a\r\n b\r\n\tc\r\n", (b"from",)),
        (b"Subject:\r\n", (b"subject",)),
        (b".x: dot first\r\n", (b".x",)),
    ],
)
def test_sound_headers(octets: bytes, names: tuple[bytes, ...]) -> None:
    assert parse_header(octets).names == names


@pytest.mark.parametrize(
    ("octets", "line"),
    [
        (b"hello\r\n", 1),
        (b" From: a\r\n", 1),
        (b"From a@b Mon\r\nFrom: a\r\n", 1),
        (b"From: a\r\nno colon\r\n", 2),
        (b"From: a\r\nTo : b\r\n", 2),
        (b"From: a\r\n  \r\nTo: b\r\n", 2),
        (b"Fr\xc3\xb6m: a\r\n", 1),
        (b": a\r\n", 1),
        (b"\r\n", 1),
    ],
)
def test_a_line_that_is_neither_field_nor_continuation(octets: bytes, line: int) -> None:
    with pytest.raises(HeaderError, match=f"554 5.6.0 .* line {line} "):
        parse_header(octets)


def test_too_many_hops() -> None:
    parse_header(b"Received: x\r\n" * 50)
    with pytest.raises(HeaderError, match=r"554 5\.4\.6"):
        parse_header(b"Received: x\r\n" * 51)


@given(
    lines=st.lists(st.sampled_from([b"A: b", b" c", b"..d: e", b"x"]), max_size=8),
    body=st.sampled_from([b"", b"\r\n", b"\r\nbody\r\n\r\nmore\r\n"]),
    cut=st.integers(1, 40),
)
def test_collected_in_any_pieces(lines: list[bytes], body: bytes, cut: int) -> None:
    header = b"".join(line + b"\r\n" for line in lines)
    wire = header + body
    collector = HeaderCollector()
    for start in range(0, len(wire), cut):
        collector.feed(wire[start : start + cut])
    assert collector.wire == wire
    assert collector.complete == bool(body)
    assert collector.header == header.replace(b"\r\n.", b"\r\n").removeprefix(b".")


def test_a_header_has_a_bound() -> None:
    collector = HeaderCollector(limit=1000)
    for _ in range(18):
        collector.feed(b"X: " + b"y" * 50 + b"\r\n")
    with pytest.raises(HeaderError, match=r"552 5\.3\.4"):
        collector.feed(b"X: " + b"y" * 50 + b"\r\n")


LINES = [
    b"From: a",
    b"x",
    b" more",
    b"\t",
    b" ",
    b"A:",
    b"B :",
    b"",
    b"To: \0",
    b"c:\rd",
    b"e:\nf",
    b":",
]


@given(lines=st.lists(st.sampled_from(LINES), max_size=6), ends=st.sampled_from([b"", b"\r\n"]))
def test_a_block_read_as_one_is_as_if_read_line_by_line(lines: list[bytes], ends: bytes) -> None:
    octets = b"\r\n".join(lines) + ends
    outcomes = []
    for read in (lambda: parse_header(octets).names, lambda: tuple(names_line_by_line(octets))):
        try:
            outcomes.append(read())
        except HeaderError as problem:
            outcomes.append(problem.reply)
    assert outcomes[0] == outcomes[1]


@given(octets=st.binary(max_size=500))
def test_any_octets_are_read_or_refused(octets: bytes) -> None:
    with contextlib.suppress(HeaderError):
        parse_header(octets)
