"""Dovecot's auth protocol (S4.2): whole, in pieces and byte by byte; what is not the protocol."""

import contextlib
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maysend.protocols.dovecot_auth import (
    AuthClient,
    Command,
    Continued,
    Failed,
    LineReader,
    Offer,
    ProtocolError,
    Succeeded,
    escape,
    unescape,
)

HANDSHAKE = (
    b"VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nMECH\tCRAM-MD5\tdictionary\tactive\n"
    b"SPID\t17\nCUID\t1\nCOOKIE\t0123\nDONE\n"
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
FIELDS = st.lists(TEXT, max_size=5).map(tuple)
WORD = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=10)


def ready() -> AuthClient:
    client = AuthClient(7)
    assert client.receive(HANDSHAKE) == []
    assert client.ready
    return client


def test_a_dialogue() -> None:
    client = AuthClient(7)
    assert client.greeting() == b"VERSION\t1\t2\nCPID\t7\n"
    client.receive(HANDSHAKE)
    assert client.offers == [
        Offer("PLAIN", frozenset({"plaintext"})),
        Offer("CRAM-MD5", frozenset({"dictionary", "active"})),
    ]
    sent = client.request(1, "PLAIN", ["service=smtp", "rip=::1", "secured"], "AGJvYgB4")
    assert sent == b"AUTH\t1\tPLAIN\tservice=smtp\trip=::1\tsecured\tresp=AGJvYgB4\n"
    assert client.receive(b"CONT\t1\tabc=\n") == [Continued(1, "abc=")]
    assert client.response(1, "eA==") == b"CONT\t1\teA==\n"
    assert client.cancel(1) == b"CANCEL\t1\n"
    assert client.receive(b"OK\t1\tuser=bob@example.com\tresp=dj0=\n") == [
        Succeeded(1, "bob@example.com", "dj0=")
    ]
    assert client.receive(b"FAIL\t2\tuser=bob\treason=too \x01t late\n") == [
        Failed(2, "too \t late", temporary=False, login="bob")
    ]
    for temporary in (b"temp", b"code=temp_fail"):
        assert client.receive(b"FAIL\t3\t" + temporary + b"\n") == [Failed(3, "", temporary=True)]


@pytest.mark.parametrize(
    "octets",
    [
        b"VERSION\t2\t0\n",
        b"VERSION\n",
        b"VERSION\tone\n",
        b"DONE\n",
        b"VERSION\t1\t2\nMECH\n",
        HANDSHAKE + b"OK\t1\n",
        HANDSHAKE + b"OK\tx\tuser=bob\n",
        HANDSHAKE + b"OK\t4294967296\tuser=bob\n",
        HANDSHAKE + b"OK\t1\tuser=\n",
        HANDSHAKE + b"CONT\t1\n",
        HANDSHAKE + b"FAIL\n",
        b"x" * 20000,
        b"x" * 20000 + b"\n",
    ],
)
def test_what_is_not_the_protocol(octets: bytes) -> None:
    """Fails closed: an answer that can't be read is none."""
    with pytest.raises(ProtocolError):
        AuthClient(7).receive(octets)


def test_unknown_commands_and_fields_are_passed_over() -> None:
    assert ready().receive(b"NEWS\t1\nOK\t1\tuser=bob\tnologin\tx=y\n") == [Succeeded(1, "bob", "")]


@given(name=WORD, fields=FIELDS)
def test_a_line_is_read_as_it_was_written(name: str, fields: tuple[str, ...]) -> None:
    command = Command(name, fields)
    line = command.encode()
    assert line.count(b"\n") == 1
    assert LineReader(1 << 20).receive(line) == [command]


@given(text=st.text())
def test_escapes(text: str) -> None:
    assert unescape(escape(text)) == text
    assert not set("\0\t\r\n") & set(escape(text))


@given(
    lines=st.lists(st.tuples(WORD, FIELDS), max_size=8),
    cuts=st.lists(st.integers(0, 2000), max_size=6),
)
@settings(deadline=None)
def test_pieces_do_not_matter(lines: list[tuple[str, tuple[str, ...]]], cuts: list[int]) -> None:
    octets = b"".join(Command(*line).encode() for line in lines)
    borders = [0, *sorted(cut % (len(octets) + 1) for cut in cuts), len(octets)]
    whole = LineReader().receive(octets)
    reader = LineReader()
    assert [c for a, b in pairwise(borders) for c in reader.receive(octets[a:b])] == whole
    assert [c for i in range(len(octets)) for c in reader.receive(octets[i : i + 1])] == whole


@given(octets=st.binary(max_size=300))
def test_any_octets_are_read_or_refused(octets: bytes) -> None:
    for client in (AuthClient(7), ready()):
        with contextlib.suppress(ProtocolError):
            client.receive(octets)


def test_no_secret_in_a_repr() -> None:
    assert "c2VjcmV0" not in repr(Command("CONT", ("1", "c2VjcmV0")))
