"""The PROXY protocol: both versions, octet by octet, cut short, and lying about lengths."""

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maysend.protocols.proxy_protocol import Proxied, ProxyError, ProxyReader

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def read(octets: bytes, step: int = 1 << 16) -> tuple[Proxied | None, bytes]:
    """(what was said, the octets that were not wanted), `step` at a time at most."""
    reader = ProxyReader()
    while reader.wanted and octets:
        size = min(reader.wanted, step)
        reader.receive(octets[:size])
        octets = octets[size:]
    return reader.result, octets


def second(command: int, family: int, body: bytes, length: int | None = None) -> bytes:
    head = SIGNATURE + bytes([0x20 | command, family])
    return head + struct.pack("!H", len(body) if length is None else length) + body


V4 = bytes([192, 0, 2, 7, 127, 0, 0, 1]) + struct.pack("!HH", 1234, 587)
V6 = bytes(15) + b"\1" + bytes(15) + b"\2" + struct.pack("!HH", 1, 2)
SOUND = {
    b"PROXY TCP4 192.0.2.7 127.0.0.1 1234 587\r\n": Proxied("192.0.2.7", 1234, "127.0.0.1", 587),
    b"PROXY TCP6 2001:DB8::7 ::1 65535 0\r\n": Proxied("2001:db8::7", 65535, "::1", 0),
    b"PROXY UNKNOWN\r\n": Proxied(),
    b"PROXY UNKNOWN ffff:f::1 ::1 1 2\r\n": Proxied(),
    second(1, 0x11, V4): Proxied("192.0.2.7", 1234, "127.0.0.1", 587),
    second(1, 0x21, V6): Proxied("::1", 1, "::2", 2),
    second(1, 0x11, V4 + b"\x03\x00\x02ab"): Proxied("192.0.2.7", 1234, "127.0.0.1", 587),
    second(0, 0x00, b""): Proxied(),
    second(0, 0x11, V4): Proxied(),
}


@pytest.mark.parametrize("header", SOUND)
@pytest.mark.parametrize("step", [1, 3, 1 << 16])
def test_nothing_after_the_header_is_wanted(header: bytes, step: int) -> None:
    following = b"\x16\x03\x01EHLO x\r\n" * 100
    assert read(header + following, step) == (SOUND[header], following)


@pytest.mark.parametrize(
    "octets",
    [
        b"EHLO x\r\nEHLO",
        b"PROXY TCP4 192.0.2.7\r\n",
        b"PROXY TCP4 192.0.2.7 127.0.0.1 1234 65536\r\n",
        b"PROXY TCP4 ::1 ::1 1 2\r\n",
        b"PROXY TCP6 192.0.2.7 127.0.0.1 1 2\r\n",
        b"PROXY TCP4 192.0.2.7 127.0.0.1 1 2\n",
        b"PROXY TCP4  192.0.2.7 127.0.0.1 1 2\r\n",
        b"PROXY UDP4 192.0.2.7 127.0.0.1 1 2\r\n",
        b"PROXY " + b"x" * 200,
        SIGNATURE + b"\x11\x11\0\x0c" + V4,
        SIGNATURE[:-1] + b"x" + b"\x21\x11\0\x0c" + V4,
        second(2, 0x11, V4),
        second(1, 0x12, V4),
        second(1, 0x31, V4 * 20),
        second(1, 0x11, V4[:-1]),
        second(1, 0x21, V4),
        second(1, 0x11, V4, 65535),
    ],
)
def test_what_is_no_header(octets: bytes) -> None:
    with pytest.raises(ProxyError):
        read(octets)


@given(header=st.sampled_from(sorted(SOUND)), cut=st.integers(0, 60))
def test_a_header_that_is_cut_short_says_nothing(header: bytes, cut: int) -> None:
    with contextlib.suppress(ProxyError):
        found, rest = read(header[: min(cut, len(header) - 1)])
        assert found is None
        assert rest == b""


@given(
    octets=st.one_of(
        st.binary(max_size=300),
        st.binary(max_size=100).map(lambda tail: SIGNATURE + tail),
        st.binary(max_size=100).map(lambda tail: b"PROXY TCP4 " + tail),
    ),
    step=st.integers(1, 20),
)
def test_any_octets_in_any_pieces(octets: bytes, step: int) -> None:
    outcomes = []
    for size in (1 << 16, step, 1):
        try:
            outcomes.append(read(octets, size))
        except ProxyError as problem:
            outcomes.append((None, str(problem).encode()))
    assert outcomes[0] == outcomes[1] == outcomes[2]


def test_what_was_not_wanted_is_not_taken() -> None:
    with pytest.raises(ValueError, match="more octets"):
        ProxyReader().receive(b"x" * 9)
