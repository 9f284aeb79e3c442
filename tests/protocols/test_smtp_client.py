"""The client codec: replies in any pieces, capabilities, and what is no SMTP reply."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maysend.protocols.smtp.client import command, extensions, lacking, mail_command, rcpt_command
from maysend.protocols.smtp.extensions import Extensions, MailParameters, RcptParameters
from maysend.protocols.smtp.replies import ProtocolError, ReplyLines, ReplyReader

REPLIES = st.builds(
    ReplyLines,
    code=st.sampled_from([220, 250, 354, 421, 450, 550]),
    lines=st.lists(st.text("ab .5é", max_size=20), min_size=1, max_size=5).map(tuple),
)


@given(replies=st.lists(REPLIES, max_size=5), cut=st.integers(1, 60))
def test_replies_come_back_in_any_pieces(replies: list[ReplyLines], cut: int) -> None:
    octets = b"".join(reply.encode() for reply in replies)
    reader = ReplyReader()
    found = []
    for start in range(0, len(octets), cut):
        found += reader.receive(octets[start : start + cut])
    assert found == replies


@given(octets=st.binary(max_size=3000))
def test_anything_else_is_a_protocol_error(octets: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        ReplyReader().receive(octets)


@pytest.mark.parametrize(
    "octets",
    [b"hello\r\n", b"25\r\n", b"999 x\r\n", b"250-a\r\n251 b\r\n", b"x" * 5000, b"250-a\r\n" * 999],
)
def test_what_is_no_reply(octets: bytes) -> None:
    with pytest.raises(ProtocolError):
        ReplyReader().receive(octets)


def test_extensions_of_an_ehlo_reply() -> None:
    reply = ReplyLines(250, ("mx", "size 1000", "8BITMIME", "SMTPUTF8", "DSN", "X-FOO BAR"))
    assert extensions(reply) == Extensions(1000, eightbitmime=True, smtputf8=True, dsn=True)
    assert extensions(ReplyLines(250, ("mx", "SIZE"))).size == 0
    assert not extensions(ReplyLines(250, ("mx", "SMTPUTF8"))).smtputf8, "RFC 6531 needs 8BITMIME"


def test_parameters_are_passed_on() -> None:
    mail = MailParameters(size=10, body="8BITMIME", smtputf8=True, ret="HDRS", envid="QQ+2B")
    everything = Extensions(0, True, True, True)
    assert mail_command("a@b", mail, everything) == (
        b"MAIL FROM:<a@b> SIZE=10 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=QQ+2B\r\n"
    )
    rcpt = RcptParameters(notify="NEVER", orcpt="rfc822;c@d")
    assert rcpt_command("c@d", rcpt) == b"RCPT TO:<c@d> NOTIFY=NEVER ORCPT=rfc822;c@d\r\n"


def test_what_the_next_hop_lacks() -> None:
    none = Extensions()
    assert lacking(MailParameters(body="8BITMIME"), [], none) == "8BITMIME"
    assert lacking(MailParameters(smtputf8=True), [], none) == "SMTPUTF8"
    assert lacking(MailParameters(), [RcptParameters(notify="NEVER")], none) == "DSN"
    assert lacking(MailParameters(size=3, body="7BIT"), [RcptParameters()], none) == ""


@pytest.mark.parametrize("line", ["RCPT TO:<a\r\nDATA", "a\nb", "a\0b"])
def test_a_command_is_one_line(line: str) -> None:
    with pytest.raises(ValueError, match="one line"):
        command(line)


def test_replies_are_cut_and_have_no_controls() -> None:
    encoded = ReplyLines(250, ("x" * 2000,)).encode()
    assert len(encoded) <= 512
    assert ReplyLines(250, ("a\r\n550 b\0",)).encode() == b"250 a  550 b \r\n"


@given(texts=st.lists(st.text(max_size=800), min_size=1, max_size=3))
def test_reply_lines_have_512_octets_at_most_and_whole_characters(texts: list[str]) -> None:
    """S5.5, RFC 5321 4.5.3.1.5: a reason of any length and script is cut, never within a letter."""
    lines = ReplyLines(554, tuple(texts)).encode().split(b"\r\n")
    assert lines.pop() == b""
    assert len(lines) == len(texts)
    for line, text in zip(lines, texts, strict=True):
        assert len(line) <= 510
        shown = line[4:].decode("utf-8", "surrogateescape")
        assert len(shown) == len(text) or len(line) > 506
        assert all(a == b or a == " " for a, b in zip(shown, text, strict=False))
