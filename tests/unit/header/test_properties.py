"""The From: parser on random input: it reads or refuses, quickly, and agrees where all agree."""

import re
import time
from email import message_from_bytes
from email.headerregistry import Address, Group
from email.message import EmailMessage
from email.policy import SMTPUTF8
from email.utils import getaddresses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maysend.header import (
    Field,
    HeaderDefect,
    Originator,
    originator_fields,
    parse_address_list,
    read_originators,
)
from maysend.header.defects import LONGEST_FIELD

SPECIALS = tuple('a.@<>,;:"()[]\\=?_ü＠\0\t\u202e ')
WORDS = ("b.c", "=?utf-8?q?a?=", "=?utf-8?b?YUBiLmM=?=", "\r\n ", "xn--a", "a@b.c", "<a@b.c>")
PIECES = st.sampled_from(SPECIALS + WORDS)
ATOM = st.text("abcXYZ019!#$%&'*+-/^_`{|}~", min_size=1, max_size=8)
LOCAL = st.lists(ATOM, min_size=1, max_size=3).map(".".join)
LABEL = st.from_regex(r"[a-z0-9]([a-z0-9]{0,5}[a-z0-9])?", fullmatch=True)
DOMAIN = st.lists(LABEL, min_size=2, max_size=4).map(".".join)
ADDRESS = st.builds("{}@{}".format, LOCAL, DOMAIN)
NAME = st.text("abc XYZ.,;:<>()[]äß日", max_size=20).map(str.strip)


def read(*fields: Field) -> tuple[tuple[Originator, ...], str]:
    """What is read, or why it is refused."""
    try:
        return read_originators(fields, utf8=True), ""
    except HeaderDefect as defect:
        return (), str(defect)


@given(st.lists(PIECES, max_size=25).map("".join))
def test_anything_is_read_or_refused_with_a_text(value: str) -> None:
    found, refusal = read(Field("From", value), Field("Sender", "a@b.c"))
    if refusal:
        assert refusal.startswith("Header From rejected: ")
        assert refusal.isprintable()
    else:
        assert found[0].mailboxes
        for mailbox in found[0].mailboxes:
            assert "\0" not in mailbox.address


@given(st.binary(max_size=300))
def test_any_octets_are_read_or_refused(octets: bytes) -> None:
    fields = originator_fields(b"From: " + octets)
    found, refusal = read(*fields)
    assert found or refusal.startswith("Header From rejected: ")


HEADER_PIECES = st.sampled_from(
    [b"From", b"resent-SENDER", b"Sender", b"Fro", b"m", b":", b" ", b"\t", b"\r\n", b"\n", b"\r"]
)
ORIGINATOR = re.compile(
    rb"^((?:Resent-)?(?:From|Sender)[ \t]*):([^\n]*(?:\n[ \t][^\n]*)*)",
    re.IGNORECASE | re.MULTILINE,
)


@given(st.lists(HEADER_PIECES, max_size=25).map(b"".join))
def test_the_fields_that_say_who_it_is_from_are_all_found(octets: bytes) -> None:
    """S2.7: in whichever case, with a blank before the colon, and with all lines folded to them."""
    wanted = [(name, value.removesuffix(b"\r")) for name, value in ORIGINATOR.findall(octets)]
    found = [(field.name, field.value) for field in originator_fields(octets)]
    assert found == [(name.decode(), value.decode()) for name, value in wanted]


@given(st.lists(st.tuples(NAME, ADDRESS), min_size=1, max_size=4), st.sampled_from([None, "us"]))
def test_what_the_standard_library_writes_is_read_as_it_was_meant(
    people: list[tuple[str, str]], group: str | None
) -> None:
    """The peer writes and folds the header; its own parser and this one must find the same."""
    addresses = tuple(Address(name, addr_spec=address) for name, address in people)
    message = EmailMessage(policy=SMTPUTF8)
    message["From"] = Group(group, addresses) if group else addresses
    message["Sender"] = "a@b.c"
    octets = bytes(message)
    found = read_originators(originator_fields(octets), utf8=True)[0]
    wanted = [address for _, address in people]
    assert [mailbox.address for mailbox in found.mailboxes] == wanted
    theirs = message_from_bytes(octets, policy=SMTPUTF8)["From"].addresses
    assert [address.addr_spec for address in theirs] == wanted


@given(st.lists(PIECES, max_size=15).map("".join))
@settings(max_examples=500)
def test_what_is_accepted_the_standard_library_reads_alike(value: str) -> None:
    """Only sound input is accepted, so another parser finds no other mailbox in it."""
    try:
        found = parse_address_list(value.replace("\r\n", ""))
    except HeaderDefect:
        return
    if found.has_group:
        return  # the old parser has no notion of groups' ends
    theirs = [address for _, address in getaddresses([value]) if address]
    assert [mailbox.address for mailbox in found.mailboxes] == theirs


@pytest.mark.parametrize(
    "value",
    [
        "(" * LONGEST_FIELD,
        "()" * (LONGEST_FIELD // 2),
        '"' + "\\a" * (LONGEST_FIELD // 2 - 1),
        "a" * LONGEST_FIELD,
        "a " * (LONGEST_FIELD // 2),
        "=?" * (LONGEST_FIELD // 2),
        '"' + "=?a" * (LONGEST_FIELD // 3 - 5) + '" <a@b.c>',
        '"' + "=?utf-8?q?@" * 1400 + '" <a@b.c>',
        '"' + "@" * (LONGEST_FIELD - 20) + '" <a@b.c>',
        '"' + "a" * (LONGEST_FIELD - 20) + '@" <a@b.c>',
        '"' + "a.@" * (LONGEST_FIELD // 3 - 5) + '" <a@b.c>',
        "a@" + "b." * (LONGEST_FIELD // 2 - 2) + "c",
        "a@xn--" + "b" * (LONGEST_FIELD - 10),
        "a@" + "ü" * (LONGEST_FIELD - 10),
        '"' + "ü@ü.ü" * 3000 + '" <a@b.c>',
    ],
)
def test_hostile_values_take_little_time(value: str) -> None:
    folded = "\r\n ".join(value[start : start + 400] for start in range(0, len(value), 400))
    for written in (value, folded[:LONGEST_FIELD]):
        began = time.process_time()
        read(Field("From", written))
        assert time.process_time() - began < 0.25
