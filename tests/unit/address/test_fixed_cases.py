"""Addresses that were once read otherwise than Postfix reads them, with its answer."""

import pytest

from maysend.address import (
    AddressSyntaxError,
    Resolved,
    Rewriting,
    fold,
    parse_path,
    quote_local,
    resolve,
    rewrite,
    split_extension,
    unquote,
)
from maysend.address.hostname import is_valid_address_literal, is_valid_hostname, is_valid_ipv6
from maysend.address.idn import domain_to_ascii, is_valid_utf8_hostname
from maysend.address.tokens import external_form, scan

SITE = Rewriting(myhostname="mail.example.com", myorigin="example.com", mydomain="example.com")
COMPLETING = Rewriting(
    myhostname="mail.example.com",
    myorigin="example.com",
    mydomain="example.com",
    append_dot_mydomain=True,
)


def is_local(domain: str) -> bool:
    return fold(domain) in {"example.com", "mail.example.com", "[127.0.0.1]"}


@pytest.mark.parametrize(
    ("internal", "external"),
    [
        ("bob@example.com", "bob@example.com"),
        ("a b@c", '"a b"@c'),
        ("a..b@c", '"a..b"@c'),
        (".a@c", '".a"@c'),
        ("a.@c", '"a."@c'),
        ("a@b@c", '"a@b"@c'),
        ('a"\\@c', '"a\\"\\\\"@c'),
        ("a%b!c|d@e", "a%b!c|d@e"),
        ("é@c", "é@c"),
        ("@c", '""@c'),
        ("", '""'),
        ("@a,@b:x y@c", '@a,@b:"x y"@c'),
    ],
)
def test_quoted_and_back(internal: str, external: str) -> None:
    assert quote_local(internal) == external
    assert unquote(external) == internal


def test_a_backslash_that_hides_nothing_is_dropped() -> None:
    assert unquote('"a\\') == "a"


def test_quotes_are_set_anew_around_the_whole_local_part() -> None:
    assert external_form(scan('"a b".c@d')) == '"a b.c"@d'


@pytest.mark.parametrize(
    ("localpart", "delimiters", "split"),
    [
        ("bob+x", "+", ("bob", "x")),
        ("bob+", "+", ("bob", "")),
        ("bob-x+y", "+-", ("bob", "x+y")),
        ("bob", "+", ("bob", None)),
        ("bob+x", "", ("bob+x", None)),
        ("+x", "+", ("+x", None)),
        ("+x-y", "+-", ("+x-y", None)),
        ("Mailer-Daemon", "-", ("Mailer-Daemon", None)),
        ("double-bounce", "-", ("double-bounce", None)),
        ("owner-list", "-", ("owner-list", None)),
        ("owner-list", "+", ("owner-list", None)),
        ("list-Request", "-", ("list-Request", None)),
        ("-request", "-", ("-request", None)),
        ("postmaster+x", "+", ("postmaster", "x")),
    ],
)
def test_s2_5_extensions(localpart: str, delimiters: str, split: tuple[str, str | None]) -> None:
    assert split_extension(localpart, delimiters) == split


def test_folding_is_unicode_only_with_smtputf8_enable() -> None:
    assert fold("Straße\udcff") == "strasse\udcff"
    assert fold("STRAßE É", utf8=False) == "straße É"


@pytest.mark.parametrize(
    ("path", "address"),
    [
        ("<a@b>", "a@b"),
        ("a@b", "a@b"),
        ("<>", ""),
        ("<@route,@r2:a@b>", "a@b"),
        ("@x:a@b", "a@b"),
        ("<@:a@b>", "a@b"),
        ('<"a b"@c>', "a b@c"),
        ("junk<a@b>", "a@b"),
        ("(c)<a@b>", "a@b"),
        ("<a@b(c)>", "a@b"),
        ("<<a@b>>", "a@b"),
        ("<a@b>>", "a@b"),
        ("<x:a@b;>", "a@b"),
        ("< a@b >", "a@b"),
        ("<:>", ":"),
        ("<;>", ""),
        ("[x]", "[x]"),
        ("<a@[1.2.3>", "a@[1.2.3]"),
        ("<a\\ b@c>", "a b@c"),
        ("<a@straße>", "a@straße"),
    ],
)
def test_paths(path: str, address: str) -> None:
    assert parse_path(path) == address


@pytest.mark.parametrize(
    "path",
    [
        "<a@b",
        "<a<b>",
        '<"a>',
        "<\\>",
        "<a@b>junk",
        "<a b@c>",
        "<a,b@c>",
        "<a@é.de>",
        "<a\0b@c>",
        "<" + "a" * 3000 + ">",
    ],
)
def test_paths_that_smtpd_refuses(path: str) -> None:
    with pytest.raises(AddressSyntaxError):
        parse_path(path)


@pytest.mark.parametrize("path", ["a@b", "junk<a@b>", "<a@b(c)>", "<@b>", "<x:a@b;>", "<()>"])
def test_paths_refused_under_strict_rfc821_envelopes(path: str) -> None:
    parse_path(path)
    with pytest.raises(AddressSyntaxError):
        parse_path(path, strict=True)


@pytest.mark.parametrize(
    ("address", "rewritten"),
    [
        ("", ""),
        ("@", "@"),
        ("bob", "bob@example.com"),
        ("bob@example.org.", "bob@example.org"),
        ("bob@example.org..", "bob@example.org.."),
        ("bob@", "bob@"),
        ("site!user", "user@site"),
        ("a!", "@a"),
        ("a!a", "a@a"),
        ("!b", "b@"),
        ("a!b!c", "b!c@a"),
        ("user%site", "user@site"),
        ("a%b%c", "a%b@c"),
        ("user%site@example.com", "user%site@example.com"),
        ("@a,@b:user@c", "user@c"),
        ("@a:", "@example.com"),
        ("a b@c,d", "a b@c, d"),
    ],
)
def test_s3_4_rewriting(address: str, rewritten: str) -> None:
    assert rewrite(address, SITE) == rewritten


@pytest.mark.parametrize(
    ("address", "rewritten"),
    [
        ("bob@host", "bob@host.example.com"),
        ("bob@host.", "bob@host"),
        ("bob@[1.2.3.4]", "bob@[1.2.3.4]"),
        ("a!", "@a.example.com"),
        ("bob@", "bob@"),
    ],
)
def test_domains_without_a_dot_are_completed(address: str, rewritten: str) -> None:
    assert rewrite(address, COMPLETING) == rewritten


@pytest.mark.parametrize(
    ("address", "resolved"),
    [
        ("bob@example.com", Resolved("bob@example.com", "example.com", local=True)),
        ("bob@example.org", Resolved("bob@example.org", "example.org")),
        ("bob", Resolved("bob@mail.example.com", "mail.example.com", local=True)),
        ("", Resolved("MAILER-DAEMON@mail.example.com", "mail.example.com", local=True)),
        ("@example.com", Resolved("MAILER-DAEMON@example.com", "example.com", local=True)),
        ("a%b@example.com", Resolved("a@b", "b")),
        ("b!a@example.com", Resolved("a@b", "b")),
        ("a@b@example.com", Resolved("a@b", "b")),
        ("a@example.com@mail.example.com", Resolved("a@example.com", "example.com", local=True)),
        ("a%b@example.org", Resolved("a%b@example.org", "example.org", routed=True)),
        ("a@b@c.org", Resolved("a@b@c.org", "c.org", routed=True)),
        ("bob@EXAMPLE.com.", Resolved("bob@EXAMPLE.com", "EXAMPLE.com", local=True)),
        ("bob@[127.0.0.1]", Resolved("bob@[127.0.0.1]", "[127.0.0.1]", local=True)),
        ("bob@[1.2.3", Resolved("bob@[1.2.3]", "[1.2.3]", error=True)),
        ("bob@1.2.3.4", Resolved("bob@1.2.3.4", "1.2.3.4", error=True)),
        ("bob@", Resolved("bob@", "", error=True)),
        ("-f@b", Resolved("-f@b", "b", error=True)),
        ("-f", Resolved("-f@mail.example.com", "mail.example.com", local=True, error=True)),
        ("a@b\udcff", Resolved("a@b\udcff", "b\udcff", error=True)),
        ("\udcff@b", Resolved("\udcff@b", "b", error=True)),
    ],
)
def test_s3_4_resolving(address: str, resolved: Resolved) -> None:
    assert resolve(address, SITE, is_local) == resolved


def test_the_empty_address_may_lead_elsewhere() -> None:
    site = Rewriting(
        myhostname="mail.example.com",
        myorigin="example.com",
        mydomain="example.com",
        empty_address_recipient="x@remote.example",
    )
    assert resolve("", site, is_local) == Resolved("x@remote.example", "remote.example")


def test_an_empty_address_that_stays_empty_has_no_end() -> None:
    site = Rewriting(
        myhostname="mail.example.com",
        myorigin="example.com",
        mydomain="example.com",
        empty_address_recipient='""',
    )
    assert resolve("", site, is_local).failed


def test_numeric_domains_get_brackets_where_they_are_allowed() -> None:
    site = Rewriting(
        myhostname="mail.example.com",
        myorigin="example.com",
        mydomain="example.com",
        resolve_numeric_domain=True,
    )
    assert resolve("a@127.0.0.1", site, is_local) == Resolved(
        "a@[127.0.0.1]", "[127.0.0.1]", local=True
    )
    assert resolve("a\udcff@127.0.0.1", site, is_local).error


def test_an_overlong_address_is_an_error_without_being_looked_at() -> None:
    assert resolve("@" * 10_000_000, SITE, is_local).error


@pytest.mark.parametrize(
    ("name", "valid"),
    [
        ("example.com", True),
        ("a_b-c.d", True),
        ("example.com.", False),
        ("-a.b", False),
        ("a-.b", False),
        ("a..b", False),
        ("1.2", False),
        ("", False),
        ("a" * 63, True),
        ("a" * 64, False),
        ("ü.de", False),
        (".".join(["a" * 50] * 5), True),
        (".".join(["a" * 50] * 6), False),
    ],
)
def test_host_names(name: str, valid: bool) -> None:
    assert is_valid_hostname(name) is valid


def test_address_literals() -> None:
    for literal in ("[1.2.3.4]", "[IPv6:::1]", "[ipv6:1:2:3:4:5:6:7:8]", "[0.0.0.0]"):
        assert is_valid_address_literal(literal)
    for literal in ("[::1]", "[1.2.3.4", "[0.1.2.3]", "[1.2.3.256]", "[IPv6:12345::]", "[x]", "[]"):
        assert not is_valid_address_literal(literal)
    assert is_valid_ipv6("::ffff:1.2.3.4")
    assert not is_valid_ipv6(":::")


def test_internationalised_domains() -> None:
    assert domain_to_ascii("Ü.example") == "xn--tda.example"
    assert is_valid_utf8_hostname("☺.example")
    assert domain_to_ascii("a b.é") is None
    assert domain_to_ascii("-é.de") is None
    assert domain_to_ascii("\udcff.de") is None
