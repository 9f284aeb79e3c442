"""The milter protocol: transcripts whole, in pieces and octet by octet; lies about lengths."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maysend.protocols import milter
from maysend.protocols.milter import PacketReader, packet
from maysend.protocols.milter_commands import (
    Actions,
    Connect,
    Header,
    Helo,
    Macros,
    Mail,
    MilterError,
    Negotiate,
    Rcpt,
    Said,
    Steps,
)
from maysend.reply import Reply

TRANSCRIPT = b"".join(
    [
        packet("O", struct.pack("!III", 6, 0x1FF, 0x1FFFFF)),
        packet("D", b"Cj\0mail.example.com\0{daemon_name}\0x\0"),
        packet("C", b"client.example\x004\x30\x39192.0.2.7\0"),
        packet("H", b"client.example\0"),
        packet("D", b"M{auth_authen}\0bob\0"),
        packet("M", b"<bob@example.com>\0SIZE=5\0SMTPUTF8\0"),
        packet("R", b"<x@example.net>\0"),
        packet("T"),
        packet("L", b"From\0 Bob\n <bob@example.com>\0"),
        packet("L", b"Subject\0\0"),
        packet("N"),
        packet("B", b"\0body\0\xff"),
        packet("E"),
        packet("A"),
        packet("K"),
        packet("C", b"[192.0.2.7]\0U"),
        packet("C", b"x\x006\0\x19IPv6:2001:db8::1\0"),
        packet("D", b"E"),
        packet("U", b"FOO\0"),
        packet("Q"),
    ]
)
COMMANDS = [
    Negotiate(6, Actions(0x1FF), Steps(0x1FFFFF)),
    Macros("C", {"j": "mail.example.com", "daemon_name": "x"}),
    Connect("client.example", "4", 12345, "192.0.2.7"),
    Helo("client.example"),
    Macros("M", {"auth_authen": "bob"}),
    Mail("<bob@example.com>", ("SIZE=5", "SMTPUTF8")),
    Rcpt("<x@example.net>", ()),
    Said("T"),
    Header(b"From", b" Bob\n <bob@example.com>"),
    Header(b"Subject", b""),
    Said("N"),
    Said("B"),
    Said("E"),
    Said("A"),
    Said("K"),
    Connect("[192.0.2.7]", "U", 0, ""),
    Connect("x", "6", 25, "IPv6:2001:db8::1"),
    Macros("E", {}),
    Said("U"),
    Said("Q"),
]


def read(octets: bytes, cut: int) -> list[milter.Command]:
    reader = PacketReader()
    found = []
    for start in range(0, len(octets), cut):
        reader.feed(octets[start : start + cut])
        while (command := reader.next()) is not None:
            found.append(command)
    assert not reader.pending
    return found


@pytest.mark.parametrize("cut", [1, 2, 3, 7, 64, len(TRANSCRIPT)])
def test_a_transcript_in_any_pieces(cut: int) -> None:
    assert read(TRANSCRIPT, cut) == COMMANDS


@pytest.mark.parametrize(
    ("octets", "complaint"),
    [
        (b"\0\0\0\0", "a packet of 0 octets"),
        (b"\xff\xff\xff\xff", "a packet of 4294967295 octets"),
        (struct.pack("!I", milter.LONGEST_PACKET + 1), "a packet of 262145 octets"),
        (packet("Z"), "unknown command 'Z'"),
        (packet("\xff"), "unknown command"),
        (packet("O", b"\0\0\0\6"), "a negotiation that is too short"),
        (packet("L", b"From\0 x"), "a string that does not end"),
        (packet("L", b"From\0"), "1 strings, expected 2"),
        (packet("L", b"From\0a\0b\0"), "3 strings, expected 2"),
        (packet("L"), "a string that does not end"),
        (packet("H", b"a\0b\0"), "2 strings, expected 1"),
        (packet("M"), "a string that does not end"),
        (packet("R", b"<x>"), "a string that does not end"),
        (packet("D"), "macros for no command"),
        (packet("D", b"Mname\0"), "a macro without a value"),
        (packet("D", b"Mname"), "a string that does not end"),
        (packet("D", b"M" + b"a\0b\0" * 101), "more than 100 macros"),
        (packet("C", b"name"), "no known family"),
        (packet("C", b"name\0"), "no known family"),
        (packet("C", b"name\x004\0"), "without an address"),
        (packet("C", b"name\x004\0\x191.2.3.4"), "a string that does not end"),
    ],
)
def test_lies_are_refused(octets: bytes, complaint: str) -> None:
    reader = PacketReader()
    reader.feed(octets)
    with pytest.raises(MilterError, match=complaint):
        reader.next()


@given(st.binary(max_size=200), st.integers(1, 50))
def test_any_octets_are_read_or_refused_alike_in_any_pieces(octets: bytes, cut: int) -> None:
    def outcome(cut: int) -> list[object]:
        reader = PacketReader()
        found: list[object] = []
        try:
            for start in range(0, len(octets), cut):
                reader.feed(octets[start : start + cut])
                while (command := reader.next()) is not None:
                    found.append(command)
        except MilterError as problem:
            found.append(str(problem))
        return found

    assert outcome(cut) == outcome(len(octets) or 1)


NAMES = st.sampled_from(
    [b"From", b"fROM", b" From\t", b"\x0bsender", b"Subject", b"Fro", b"X", b""]
)


@given(
    st.lists(
        st.tuples(NAMES, st.binary(max_size=9).map(lambda v: v.replace(b"\0", b""))), max_size=9
    ),
    st.lists(st.sampled_from("MTEC"), max_size=4),
    st.integers(1, 30),
)
def test_what_is_passed_over_is_what_was_not_wanted_and_nothing_else(
    fields: list[tuple[bytes, bytes]], macros: list[str], cut: int
) -> None:
    octets = b"".join(packet("L", name + b"\0" + value + b"\0") for name, value in fields)
    octets += b"".join(packet("D", letter.encode() + b"i\0x\0") for letter in macros) + packet("E")
    reader = PacketReader(frozenset([b"from", b"sender"]), b"MT")
    found = []
    for start in range(0, len(octets), cut):
        reader.feed(octets[start : start + cut])
        while (command := reader.next()) is not None:
            found.append(command)
    wanted: list[milter.Command] = [
        Header(name, value)
        for name, value in fields
        if name.strip().lower() in (b"from", b"sender")
    ]
    wanted += [Macros(letter, {"i": "x"}) for letter in macros if letter in "MT"]
    assert found == [*wanted, Said("E")]
    assert not reader.pending


@given(st.sampled_from("LDMRCHOTNBEAQKU"), st.binary(max_size=60))
def test_any_packet_is_read_or_refused(letter: str, data: bytes) -> None:
    try:
        command = milter.parse_packet(letter.encode() + data)
    except MilterError as problem:
        text = str(problem)
    else:
        text = repr(command)
    assert text


@given(st.text(max_size=600), st.sampled_from([400, 451, 550, 554]))
def test_a_refusal_is_one_line_of_bounded_length(text: str, code: int) -> None:
    data = milter.refusal(Reply(code, "", text))[4:]
    line = data[1:-1].replace(b"%%", b"%")
    assert data[:1] == b"y"
    assert data[-1:] == b"\0"
    assert len(line) <= milter.LONGEST_REPLY
    assert not any(octet < 32 or octet == 127 for octet in line)
    assert line.startswith(f"{code} {code // 100}.0.0 ".encode())


def test_answers() -> None:
    assert milter.CONTINUE == b"\0\0\0\1c"
    assert milter.negotiated(Actions(1), Steps(2), {"M": "i {auth_authen}"}) == packet(
        "O", struct.pack("!IIII", 6, 1, 2, 2) + b"i {auth_authen}\0"
    )
    assert milter.insert_header(0, "Sender", " <a@b.c>") == packet(
        "i", b"\0\0\0\0Sender\0 <a@b.c>\0"
    )
    assert milter.refusal(Reply(554, "5.7.1", "100% no\r\n250 ok")) == packet(
        "y", b"554 5.7.1 100%% no  250 ok\0"
    )


def test_what_is_not_answered() -> None:
    steps = Steps.UNANSWERED_MAIL | Steps.UNANSWERED_HEADERS
    assert not milter.answers(Mail("<>", ()), steps)
    assert not milter.answers(Header(b"a", b"b"), steps)
    assert not milter.answers(Macros("M", {}), Steps(0))
    assert not milter.answers(Said("Q"), Steps(0))
    assert not milter.answers(Said("A"), Steps(0))
    assert milter.answers(Rcpt("<a>", ()), steps)
    assert milter.answers(Said("N"), steps)
    assert milter.answers(Said("E"), steps)
