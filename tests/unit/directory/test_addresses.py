"""Names as the directory stores them (S2.13: `a@b@c` is no account)."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maysend.directory import DirectoryError
from maysend.directory.addresses import (
    comparable,
    fold,
    parse_address,
    parse_alias_address,
    parse_domain,
    parse_granted,
    parse_login,
)


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("Bob@Example.COM", "bob@example.com"),
        ("bob+Tag@example.com", "bob+tag@example.com"),
        ("jörg@BÜCHER.example", "jörg@xn--bcher-kva.example"),
        ("jo\u0308rg@xn--bcher-kva.example", "jörg@xn--bcher-kva.example"),
        ("STRASSE@example.com", "strasse@example.com"),
        ("straße@example.com", "strasse@example.com"),
        ("o'brien@example.com", "o'brien@example.com"),
        ("root@localhost", "root@localhost"),
    ],
)
def test_one_form_for_every_spelling(text: str, stored: str) -> None:
    assert parse_address(text) == stored == comparable(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "an empty name was given, expected user@domain"),
        ("bob", "'bob': it has no '@', expected user@domain"),
        ("a@b@c", "'a@b@c': it has more than one '@', expected user@domain"),
        ("@example.com", "'@example.com': it has nothing before the '@', expected user@domain"),
        ("bob@", "'bob@': it has no domain, expected user@domain"),
        ('"bob"@example.com', "quoted names can't be registered"),
        ("bob@[192.0.2.1]", "an address literal can't be registered"),
        ("a,b@example.com", "',' can't be in a name"),
        ("<a@example.com>", "'<' can't be in a name"),
        ("*@example.com", "'*' can't be in a name"),
        ("a b@example.com", "it has white space in it"),
        ("a@example.com ", "it has white space in it"),
        ("a\u00a0b@example.com", "it has white space in it"),
        ("a\0@example.com", r"it has the control character '\x00'"),
        ("a\x7f@example.com", "it has the control character"),
        ("a\u200bb@example.com", "it has the control character"),
        ("a\udcff@example.com", "it is not valid UTF-8"),
        (".a@example.com", "a dot needs something on both sides"),
        ("a..b@example.com", "a dot needs something on both sides"),
        ("a@example..com", "its domain has an empty label"),
        ("a@example.com.", "its domain has an empty label"),
        ("a@-example.com", "a label begins or ends with '-'"),
        ("a@exa%mple.com", "'%' can't be in a domain"),
        ("a@exa/mple", "'/' can't be in a domain"),
        ("a@" + "b" * 64, "a label is over 63 octets"),
        ("a" * 65 + "@example.com", "its name is over 64 octets"),
        ("a@" + "b" * 320, "it is over 320 octets"),
        ("a@" + ".".join(["b" * 60] * 5), "its domain is over 255 octets"),
    ],
)
def test_malformed_address_says_what_is_wrong(text: str, reason: str) -> None:
    """S2.13."""
    with pytest.raises(DirectoryError) as error:
        parse_address(text)
    assert reason in str(error.value)
    assert str(error.value).isprintable()


def test_logins_aliases_grants_and_domains_have_their_own_forms() -> None:
    assert parse_login("Admin") == "admin"
    assert parse_alias_address("@Example.com") == "@example.com"
    assert parse_granted("everything") == parse_granted("*") == "*"
    assert parse_domain("@Example.com") == parse_domain("example.com") == "example.com"
    for parse, text in (
        (parse_login, "a b"),
        (parse_alias_address, "sales"),
        (parse_alias_address, "@"),
        (parse_alias_address, "@@example.com"),
        (parse_granted, "everybody"),
        (parse_domain, ""),
        (parse_domain, "a b"),
    ):
        with pytest.raises(DirectoryError, match="expected"):
            parse(text)


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def parsed(parse: Callable[[str], str], text: str) -> str | None:
    try:
        return parse(text)
    except DirectoryError:
        return None


@given(st.text(), st.sampled_from([parse_address, parse_login, parse_alias_address]))
def test_what_is_parsed_compares_equal_to_its_spelling(
    text: str, parse: Callable[[str], str]
) -> None:
    stored = parsed(parse, text)
    if stored is not None:
        assert comparable(text) == stored == comparable(stored) == parse(stored)


@given(st.from_regex(r"\A[a-zà-ÿA-ZÀ-Ý.+]{1,12}@[a-zà-ÿ.\-]{1,20}\Z"))
def test_parsing_is_idempotent(text: str) -> None:
    stored = parsed(parse_address, text)
    assert stored is None or parse_address(stored) == stored
