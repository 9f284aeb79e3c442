"""BDAT (RFC 3030): whole, in pieces and byte by byte, the same as DATA would bring."""

import contextlib
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maysend.protocols.smtp import data
from maysend.protocols.smtp.chunk import BINARY, parse_bdat
from maysend.protocols.smtp.commands import CommandError
from maysend.protocols.smtp.data import DataLimits, unstuff
from maysend.protocols.smtp.events import ChunkEnd, Event, Line, MessageEnd, MessageSlice
from maysend.protocols.smtp.server import ServerCodec
from maysend.protocols.smtp.xclient import from_xtext, parse_xclient, to_xtext
from maysend.reply import Reply

UNLIMITED = DataLimits()


def take(codec: ServerCodec, octets: bytes, step: int) -> list[Event]:
    """All events when so many octets come at a time; BDAT lines begin chunks."""
    found: list[Event] = []
    for start in range(0, len(octets), step):
        codec.receive(octets[start : start + step])
        while (event := codec.next_event()) is not None:
            found.append(event)
            if isinstance(event, Line) and event.text.startswith("BDAT"):
                size, last = parse_bdat(event.text[5:])
                codec.start_chunk(size, last=last, limits=UNLIMITED)
    return found


def written(chunks: list[bytes]) -> bytes:
    lines = [
        b"BDAT %d%s\r\n" % (len(c), b" LAST" * (n == len(chunks))) for n, c in enumerate(chunks, 1)
    ]
    return b"".join(line + chunk for line, chunk in zip(lines, chunks, strict=True))


def message(events: list[Event]) -> tuple[bytes, Reply | None]:
    """The message's text and its defect."""
    wire = b"".join(event.wire for event in events if isinstance(event, MessageSlice))
    ends = [event for event in events if isinstance(event, MessageEnd)]
    assert len(ends) == 1
    return unstuff(wire), ends[0].defect


PARTS = [b"\r\n", b".", b"..", b"x", b"\r\n.\r\n", b"MAIL FROM:<a@b>\r\n", b"BDAT 5\r\n", b"y" * 70]
LINES = st.lists(st.sampled_from(PARTS), max_size=20).map(lambda parts: b"".join(parts) + b"\r\n")
BROKEN = st.lists(st.sampled_from([*PARTS, b"\n", b"\r", b"\0"]), max_size=12).map(b"".join)


def cut(octets: bytes, places: list[int]) -> list[bytes]:
    borders = [0, *sorted(place % (len(octets) + 1) for place in places), len(octets)]
    return [octets[a:b] for a, b in pairwise(borders)]


@given(text=LINES, places=st.lists(st.integers(0, 1000), max_size=5), step=st.integers(1, 40))
@settings(max_examples=200, deadline=None)
def test_a_message_arrives_as_it_was_sent(text: bytes, places: list[int], step: int) -> None:
    octets = written(cut(text, places)) + b"NOOP\r\n"
    for size in (len(octets), step, 1):
        events = take(ServerCodec(), octets, size)
        assert message(events) == (text, None)
        assert events[-1] == Line("NOOP")
        assert sum(isinstance(event, ChunkEnd) for event in events) == len(places)


@given(text=BROKEN, places=st.lists(st.integers(0, 1000), max_size=5))
@settings(max_examples=200, deadline=None)
def test_a_broken_message_is_refused_wherever_it_is_cut(text: bytes, places: list[int]) -> None:
    octets = written(cut(text, places)) + b"NOOP\r\n"
    found = [take(ServerCodec(), octets, size) for size in (len(octets), 7, 1)]
    bare = text.replace(b"\r\n", b"")
    sound = not set(b"\r\n\0") & set(bare) and (not text or text.endswith(b"\r\n"))
    for events in found:
        text_found, defect = message(events)
        assert (defect is None) == sound
        assert events[-1] == Line("NOOP"), "no octet of a chunk is a command, and none is lost"
        if sound:
            assert text_found == text


@pytest.mark.parametrize(
    ("text", "defect"),
    [
        (b"a\nb\r\n", data.BARE_LF),
        (b"a\rb\r\n", data.BARE_CR),
        (b"a\0\r\n", data.NUL),
        (b"a", BINARY),
        (b"a\r\n\r", data.BARE_CR),
        (b"x" * 70000 + b"\r\n", data.LONG_LINE),
    ],
)
def test_defects(text: bytes, defect: Reply) -> None:
    assert message(take(ServerCodec(), written([text]), 1000))[1] == defect


@pytest.mark.parametrize("argument", ["", "x", "-1", "1 FIRST", "1 LAST x", "9" * 21, "１"])
def test_bad_arguments(argument: str) -> None:
    with pytest.raises(CommandError):
        parse_bdat(argument)


@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_xtext(text: str) -> None:
    encoded = to_xtext(text)
    assert encoded.isascii()
    assert " " not in encoded
    assert from_xtext(encoded) == text


@given(argument=st.text(max_size=60))
def test_any_xclient_is_read_or_refused(argument: str) -> None:
    with contextlib.suppress(CommandError):
        assert parse_xclient(argument).values
