"""The server codec: whole, in pieces and byte by byte, and everything that is no SMTP."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maysend.protocols.smtp import data
from maysend.protocols.smtp.data import DataLimits, DataScanner, stuff, unstuff
from maysend.protocols.smtp.events import (
    BadLine,
    Event,
    Line,
    MessageEnd,
    MessageSkipped,
    MessageSlice,
)
from maysend.protocols.smtp.server import ServerCodec

UNLIMITED = DataLimits()
SMALL = DataLimits(size=3000, line=100)


def events(pieces: list[bytes], limits: DataLimits = UNLIMITED) -> list[Event]:
    """All events of a dialogue in which DATA begins a message and STARTTLS drops what follows.

    Slices of a message are joined, so that only what was said counts, not how it arrived.
    """
    codec = ServerCodec()
    found: list[Event] = []
    message = b""
    for piece in pieces:
        codec.receive(piece)
        while (event := codec.next_event()) is not None:
            if isinstance(event, MessageSlice):
                message += event.wire
            elif isinstance(event, MessageEnd):
                found += [event] if event.defect else [MessageSlice(message), event]
                message = b""
            elif not isinstance(event, MessageSkipped):
                found.append(event)
            if event == Line("DATA"):
                codec.start_data(limits)
    return found


def bytewise(octets: bytes) -> list[bytes]:
    return [octets[i : i + 1] for i in range(len(octets))]


PARTS = [b"\r\n", b"\n", b"\r", b".", b"\r\n.\r\n", b"\n.\n", b"\r\n.", b"DATA\r\n", b"DATA"]
PARTS += [b"\0", b"x", b"Subject: a\r\n", b"\xff", b"STARTTLS\r\n", b"y" * 90, b"z" * 2100]
SMTPISH = st.lists(st.sampled_from(PARTS), max_size=40).map(b"".join)


@given(octets=SMTPISH, cuts=st.lists(st.integers(0, 4000), max_size=8))
@settings(max_examples=300, deadline=None)
def test_pieces_do_not_matter(octets: bytes, cuts: list[int]) -> None:
    borders = [0, *sorted(cut % (len(octets) + 1) for cut in cuts), len(octets)]
    pieces = [octets[a:b] for a, b in pairwise(borders)]
    whole = events([octets], SMALL)
    assert events(pieces, SMALL) == whole
    assert events(bytewise(octets), SMALL) == whole


@given(pieces=st.lists(st.binary(max_size=300), max_size=30))
@settings(max_examples=200, deadline=None)
def test_any_octets_are_taken_and_little_is_held(pieces: list[bytes]) -> None:
    codec = ServerCodec()
    for piece in pieces:
        codec.receive(piece)
        while codec.next_event() is not None:
            pass
        assert codec.held <= 2048


@given(text=st.lists(st.sampled_from([b".", b"a", b"\r\n", b".."]), max_size=30).map(b"".join))
def test_dots_doubled_and_undone(text: bytes) -> None:
    lines = text + b"\r\n"
    assert unstuff(stuff(lines)) == lines
    assert data.END not in b"\r\n" + stuff(lines)


@given(text=st.lists(st.sampled_from([b".", b"a" * 30, b"\r\n"]), max_size=30).map(b"".join))
def test_a_message_arrives_as_it_was_sent(text: bytes) -> None:
    message = text + b"\r\n"
    found = events(bytewise(b"DATA\r\n" + stuff(message) + b".\r\nQUIT\r\n"))
    assert found == [
        Line("DATA"),
        MessageSlice(stuff(message)),
        MessageEnd(None, len(stuff(message))),
        Line("QUIT"),
    ]


def test_an_empty_message() -> None:
    found = events([b"DATA\r\n.\r\nQUIT\r\n"])
    assert found == [Line("DATA"), MessageSlice(b""), MessageEnd(None, 0), Line("QUIT")]


SMUGGLING = {
    "LF.LF": b"\n.\n",
    "LF.CRLF": b"\n.\r\n",
    "CRLF.LF": b"\r\n.\n",
    "LF.CR": b"\n.\r",
    "CR.CR": b"\r.\r",
    "CR.CRLF": b"\r.\r\n",
    "CRLF.CR": b"\r\n.\r",
    "CR.LF": b"\r.\n",
    "CRLF.CRCRLF": b"\r\n.\r\r\n",
    "CRCRLF.CRLF": b"\r\r\n.\r\n",
    "CRLF.NUL CRLF": b"\r\n.\0\r\n",
    "LFCR.LFCR": b"\n\r.\n\r",
}


@pytest.mark.parametrize("variant", SMUGGLING, ids=SMUGGLING.get)
@pytest.mark.parametrize("pieces", [lambda octets: [octets], bytewise])
def test_smuggled_end_of_data_is_no_end(variant: str, pieces: object) -> None:
    """Nothing after the variant is a command, and the message is refused with a 5xx."""
    inner = b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nSubject: smuggled\r\n\r\nx\r\n"
    sent = b"DATA\r\nSubject: x\r\n\r\nhello" + SMUGGLING[variant] + inner + b".\r\nNOOP\r\n"
    found = events(pieces(sent))  # type: ignore[operator]
    if variant == "CRCRLF.CRLF":  # a true end, in a message that is refused for its bare CR
        assert isinstance(found[1], MessageEnd)
        assert found[1].defect == data.BARE_CR
        return
    assert found[0] == Line("DATA")
    assert isinstance(found[1], MessageEnd)
    assert found[1].defect is not None
    assert found[1].defect.code >= 500
    assert found[2:] == [Line("NOOP")]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"NOOP\n", 521),
        (b"NO\rOP\r\n", 500),
        (b"NO\0OP\r\n", 500),
        (b"NOOP \xff\r\n", 500),
        (b"NOOP " + b"x" * 10_000_000 + b"\r\n", 500),
    ],
)
def test_bad_lines(line: bytes, code: int) -> None:
    found = events([line + b"QUIT\r\n"])
    assert isinstance(found[0], BadLine)
    assert found[0].reply.code == code
    assert found[1:] == [Line("QUIT")]


def test_a_long_line_without_end_is_answered_at_once_and_not_kept() -> None:
    codec = ServerCodec()
    codec.receive(b"x" * 5000)
    assert isinstance(codec.next_event(), BadLine)
    for _ in range(100):
        codec.receive(b"x" * 100_000)
        assert codec.next_event() is None
        assert codec.held == 0


def test_long_lines_and_big_messages_are_refused() -> None:
    long_line = events([b"DATA\r\nSubject: " + b"x" * 10_000_000, b"\r\n.\r\n"])
    assert long_line[1] == MessageEnd(data.LONG_LINE, 10_000_011)
    big = events([b"DATA\r\n", b"x\r\n" * 1001 + b".\r\n"], DataLimits(size=3000))
    assert big[1] == MessageEnd(data.TOO_BIG, 3003)


def test_what_follows_starttls_is_thrown_away() -> None:
    codec = ServerCodec()
    codec.receive(b"STARTTLS\r\nMAIL FROM:<a@b>\r\nRC")
    assert codec.next_event() == Line("STARTTLS")
    assert codec.discard_input() == 19
    codec.receive(b"EHLO x\r\n")
    assert codec.next_event() == Line("EHLO x")


@given(lengths=st.lists(st.integers(0, 40), max_size=20), cut=st.integers(1, 50))
def test_line_lengths_are_found_across_slices(lengths: list[int], cut: int) -> None:
    message = b"".join(b"x" * length + b"\r\n" for length in lengths)
    scanner = DataScanner(DataLimits(line=21))
    for start in range(0, len(message), cut):
        scanner.feed(message[start : start + cut])
    scanner.feed(b".\r\n")
    assert scanner.finished
    assert (scanner.defect == data.LONG_LINE) == any(length > 20 for length in lengths)
