"""What holds for every address, and how long it may take."""

import string
import time
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from maysend.address import (
    AddressSyntaxError,
    Rewriting,
    fold,
    parse_path,
    quote_local,
    resolve,
    rewrite,
    split_extension,
    unquote,
)
from maysend.address.resolving import _Resolution
from maysend.address.rewriting import _PLAIN, Tree, is_plain, rewrite_tree
from maysend.address.tokens import external_form, scan

SITE = Rewriting(
    myhostname="mail.example.com",
    myorigin="example.com",
    mydomain="example.com",
    append_dot_mydomain=True,
)

octets = st.binary(max_size=60).map(lambda raw: raw.decode("utf-8", "surrogateescape"))
spiced = st.text(alphabet='ab.@:"\\ %!()<>[],;+-|\t\ré', max_size=30)
anything = st.one_of(octets, spiced, st.text(max_size=30))

words = st.text(alphabet=string.ascii_letters + string.digits + "#$&'*+/=?^_`{}~-", min_size=1)
labels = st.text(alphabet=string.ascii_letters + string.digits + "-", min_size=1, max_size=70)
plain = st.builds(
    lambda local, domain: ".".join(local) + "@" + ".".join(domain),
    st.lists(words, min_size=1, max_size=3),
    st.lists(labels, min_size=1, max_size=8),
)


def is_local(domain: str) -> bool:
    return fold(domain) in {"example.com", "mail.example.com", "localhost"}


@given(anything)
@example("")
@example("@a:b")
def test_unquoting_undoes_quoting(address: str) -> None:
    assert unquote(quote_local(address)) == address


@given(anything)
def test_quoting_what_was_quoted_changes_nothing_more(address: str) -> None:
    quoted = quote_local(address)
    assert quote_local(unquote(quoted)) == quoted


@given(anything, st.booleans(), st.booleans())
def test_nothing_but_syntax_errors_is_raised(text: str, strict: bool, utf8: bool) -> None:
    try:
        address = parse_path(text, strict=strict, utf8=utf8)
    except AddressSyntaxError:
        address = text
    rewritten = rewrite(address, SITE)
    resolved = resolve(rewritten, SITE, is_local)
    assert resolved.error or resolved.failed or resolved.recipient.endswith("@" + resolved.domain)
    split_extension(text, "+-")
    fold(text)


@given(spiced)
def test_a_local_domain_is_never_left_with_a_route_before_it(address: str) -> None:
    """S3.4: `victim%elsewhere@here` has to be seen as mail for elsewhere."""
    resolved = resolve(rewrite(address, SITE), SITE, is_local)
    assert not (resolved.local and not resolved.error and "%" in resolved.recipient)


@given(st.one_of(plain, anything))
@example("bob@example.com")
@example("-f@example.org")
@example("bob@" + "a." * 150 + "com")
@example("bob@a-.com")
@example("bob@1.2")
@example("bob.@example.com")
@example(".bob@example.com")
def test_the_short_way_of_plain_addresses_is_the_long_way(address: str) -> None:
    tree = Tree(scan(quote_local(address)))
    rewrite_tree(tree, SITE)
    assert rewrite(address, SITE) == unquote(external_form(tree.tokens, spaced=tree.spaced))
    long_way = _Resolution(address, SITE, is_local).resolved()
    assert resolve(address, SITE, is_local) == long_way
    if is_plain(address):
        assert not long_way.error
        assert not long_way.routed
        assert long_way.recipient == address
        assert quote_local(address) == address  # address_lookup.whole_keys goes by that


pieces = st.sampled_from(["a", "B", "9", "-", ".", "..", "_", "+", "@", "é", "com", "x" * 61])


@given(st.lists(pieces, max_size=10).map("".join), st.lists(pieces, max_size=8).map("".join))
@example("a", "b.c")
@example("a", "b.9c")
@example("a.", "b.c")
@example("a", "b.c.")
def test_plain_in_short_is_what_the_pattern_says(local: str, domain: str) -> None:
    address = f"{local}@{domain}"
    said = _PLAIN.fullmatch(address) is not None and len(domain) < 199
    assert is_plain(address) == said


SLOWEST = 40.0
"""Seconds for 10 MB on a busy machine, where 4 are usual; quadratic time would be hours."""


@pytest.mark.parametrize("unit", ['"\\', "@", "a.", "\\", '<"', "é+"])
def test_ten_megabytes_are_read_in_bounded_time(unit: str) -> None:
    text = (unit * 10_000_000)[:10_000_000]
    asked: list[Callable[[], object]] = [
        lambda: quote_local(text),
        lambda: unquote(text),
        lambda: fold(text),
        lambda: split_extension(text, "+-"),
        lambda: resolve(text, SITE, is_local),
    ]
    started = time.monotonic()
    for ask in asked:
        ask()
    with pytest.raises(AddressSyntaxError):
        parse_path(text)
    assert time.monotonic() - started < SLOWEST


@pytest.mark.parametrize("unit", ["@", "%", "!", '"!', '\\"@', "a@example.com!", "a@example.com%"])
def test_the_longest_addresses_resolve_quickly(unit: str) -> None:
    address = (unit * 2048)[: 2048 - len("@example.com")] + "@example.com"
    started = time.monotonic()
    resolve(rewrite(address, SITE), SITE, is_local)
    assert time.monotonic() - started < SLOWEST / 10
