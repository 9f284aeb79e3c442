"""The server's end of Dovecot's auth protocol (S4.2): whole, in pieces, byte by byte, and lies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maysend.protocols import dovecot_auth_server as protocol
from maysend.protocols.dovecot_auth import (
    AuthClient,
    Continued,
    Failed,
    Offer,
    ProtocolError,
    Succeeded,
)
from maysend.protocols.dovecot_auth_server import AuthServer, Begun, GivenUp, Responded

OFFERS = [
    Offer("PLAIN", frozenset({"plaintext"})),
    Offer("CRAM-MD5", frozenset({"dictionary", "active"})),
]
TRANSCRIPT = (
    b"VERSION\t1\t2\nCPID\t7\n"
    b"AUTH\t1\tplain\tservice=smtp\tnologin\trip=::1\tsecured\tresp=AGJvYgB4Cg==\n"
    b"FUTURE\tthing\n"
    b"AUTH\t2\tCRAM-MD5\tservice=smtp\nCONT\t2\teA==\nCANCEL\t2\n"
    b"AUTH\t3\tPLAIN\tresp=\n"
)
ASKED = [
    Begun(
        1,
        "PLAIN",
        {"service": "smtp", "nologin": "", "rip": "::1", "secured": ""},
        "AGJvYgB4Cg==",
    ),
    Begun(2, "CRAM-MD5", {"service": "smtp"}, None),
    Responded(2, "eA=="),
    GivenUp(2),
    Begun(3, "PLAIN", {}, ""),
]


def server() -> AuthServer:
    return AuthServer(OFFERS, 17, 1, "00" * 16)


def test_the_greeting_is_what_a_client_of_ours_understands() -> None:
    client = AuthClient(7)
    assert client.receive(server().greeting()) == []
    assert client.ready
    assert client.offers == OFFERS


@pytest.mark.parametrize("cut", [1, 2, 5, 33, len(TRANSCRIPT)])
def test_a_transcript_in_any_pieces(cut: int) -> None:
    peer = server()
    asked = []
    for start in range(0, len(TRANSCRIPT), cut):
        asked += peer.receive(TRANSCRIPT[start : start + cut])
    assert asked == ASKED


def test_no_repr_has_a_password() -> None:
    assert all("eA" not in repr(asked) and "AGJ" not in repr(asked) for asked in ASKED)


@pytest.mark.parametrize(
    ("octets", "complaint"),
    [
        (b"VERSION\t2\t0\n", "another major version"),
        (b"VERSION\tx\n", "no number"),
        (b"VERSION\n", "too few fields"),
        (b"CPID\t1\n", "no VERSION"),
        (b"AUTH\t1\tPLAIN\n", "no VERSION"),
        (b"VERSION\t1\t2\nAUTH\t1\tPLAIN\n", "before CPID"),
        (b"VERSION\t1\t2\nCPID\tx\n", "no number"),
        (b"VERSION\t1\t2\nCPID\t1\nAUTH\n", "too few fields"),
        (b"VERSION\t1\t2\nCPID\t1\nAUTH\tx\tPLAIN\n", "no number"),
        (b"VERSION\t1\t2\nCPID\t1\nAUTH\t4294967296\tPLAIN\n", "no number"),
        (b"VERSION\t1\t2\nCPID\t1\nAUTH\t1\n", "too few fields"),
        (b"VERSION\t1\t2\nCPID\t1\nAUTH\t1\tPLAIN\tresp=x\tsecured\n", "after the initial"),
        (b"VERSION\t1\t2\nCPID\t1\nCONT\t1\n", "too few fields"),
        (b"x" * 16385, "too long"),
    ],
)
def test_what_is_not_the_protocol(octets: bytes, complaint: str) -> None:
    with pytest.raises(ProtocolError, match=complaint):
        server().receive(octets)


@given(st.binary(max_size=200), st.integers(1, 40))
def test_any_octets_are_read_or_refused_alike_in_any_pieces(octets: bytes, cut: int) -> None:
    def outcome(cut: int) -> tuple[list[object], str]:
        peer = server()
        asked: list[object] = []
        line = b"VERSION\t1\t2\nCPID\t1\n" + octets
        try:
            for start in range(0, len(line), cut):
                asked += peer.receive(line[start : start + cut])
        except ProtocolError as problem:
            return [], str(problem)
        return asked, ""

    assert outcome(cut) == outcome(1)


@given(
    st.integers(1, 2**32 - 1),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    st.booleans(),
)
def test_what_is_answered_is_what_a_client_reads(
    request: int, login: str, reason: str, temporary: bool
) -> None:
    client = AuthClient(7)
    client.receive(server().greeting())
    answers = client.receive(
        protocol.continued(request, "eA==")
        + protocol.succeeded(request, login)
        + protocol.failed(request, login, reason, temporary=temporary)
    )
    assert answers == [
        Continued(request, "eA=="),
        Succeeded(request, login, ""),
        Failed(request, reason, temporary=temporary, login=login),
    ]
