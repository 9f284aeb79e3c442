"""Lists of names and addresses: mydestination, relay_domains, mynetworks."""

from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maysend.tables import LookupTable, TableContext, TableError, open_table
from maysend.tables.match_list import MatchList, Subdomains


def opened(spec: str) -> LookupTable:
    return open_table(spec, TableContext())


def ask(table: LookupTable, key: str) -> str | None:
    return table.lookup(key)


def names(value: str, subdomains: Subdomains = "none") -> MatchList:
    return MatchList("relay_domains", value, opened, subdomains)


@pytest.mark.parametrize(
    ("value", "subdomains", "name", "matches"),
    [
        ("example.com", "none", "EXAMPLE.com", True),
        ("example.com", "none", "sub.example.com", False),
        ("example.com", "parent", "sub.example.com", True),
        ("example.com", "dot", "sub.example.com", False),
        (".example.com", "dot", "sub.example.com", True),
        (".example.com", "dot", "example.com", False),
        ("!bad.example.com example.com", "parent", "bad.example.com", False),
        ("!bad.example.com example.com", "parent", "good.example.com", True),
        ("inline:{example.com=x}", "none", "example.com", True),
        ("inline:{example.com=x}", "parent", "a.b.example.com", True),
        ("inline:{.example.com=x}", "dot", "a.b.example.com", True),
        ("", "none", "example.com", False),
    ],
)
def test_names(value: str, subdomains: Subdomains, name: str, matches: bool) -> None:
    assert (names(value, subdomains).match_name(name, ask) is not None) is matches


@pytest.mark.parametrize(
    ("value", "address", "matches"),
    [
        ("127.0.0.0/8", "127.1.2.3", True),
        ("127.0.0.0/8, 10.0.0.1", "10.0.0.2", False),
        ("[2001:db8::]/32", "2001:db8::7", True),
        ("[::1]/128", "::2", False),
        ("!10.0.0.1 10.0.0.0/8", "10.0.0.1", False),
        ("!10.0.0.1 10.0.0.0/8", "10.0.0.2", True),
        ("cidr:{{192.0.2.0/24 OK}}", "192.0.2.9", True),
    ],
)
def test_addresses(value: str, address: str, matches: bool) -> None:
    assert (names(value).match_address(address, ask) is not None) is matches


NETWORKS = ("0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/16", "10.0.1.7", "10.0.1.6/31", "255.255.255.255",
    "[::]/0", "[::1]", "[2001:db8::]/32", "[2001:db8:1::]/48")  # fmt: skip
ADDRESSES = ("0.0.0.0", "10.0.0.255", "10.0.1.5", "10.0.1.6", "10.0.1.7", "10.0.1.8", "11.0.0.0",
    "255.255.255.254", "255.255.255.255", "::", "::1", "::2", "2001:db8::", "2001:db8:1::5",
    "2001:db9::", "")  # fmt: skip


@given(written=st.lists(st.tuples(st.sampled_from(("", "", "!")), st.sampled_from(NETWORKS))))
def test_many_networks_are_one_step_and_the_first_decides(written: list[tuple[str, str]]) -> None:
    listed = names(" ".join(turned + network for turned, network in written))
    for address in ADDRESSES:
        first = next(
            (
                pattern
                for pattern in listed.patterns
                if address and pattern.network and ip_address(address) in pattern.network
            ),
            None,
        )
        expected = first.written if first is not None and first.matches else None
        assert listed.match_host("host.example", address, ask) == expected, address


def test_a_file_stands_for_its_lines(tmp_path: Path) -> None:
    (tmp_path / "domains").write_text("# ours\nexample.com\n!example.net\n")
    listed = names(f"{tmp_path}/domains example.org")
    assert listed.match_name("example.com", ask) is not None
    assert listed.match_name("example.org", ask) is not None
    turned = names(f"!{tmp_path}/domains example.com")
    assert turned.match_name("example.com", ask) is None
    assert turned.match_name("example.net", ask) is not None


@pytest.mark.parametrize("value", ["/nonexistent/domains", "fail:x", "10.0.0.1/8"])
def test_what_cannot_be_read_is_an_error_and_never_a_miss(value: str) -> None:
    listed = names(value)
    with pytest.raises(TableError):
        listed.match_host("host.example", "10.9.9.9", ask)


def test_what_stands_behind_a_number_sign_does_not_count() -> None:
    """As in Postfix, which warns of it: `postmap -q` with `domain = a.example # b.example`."""
    warnings: list[str] = []
    listed = MatchList("domain", "a.example # b.example", opened, warn=warnings.append)
    assert listed.match_name("a.example", ask) is not None
    assert listed.match_name("b.example", ask) is None
    assert warnings == ["domain: comment at end of line is not supported: # b.example"]


def test_lines_of_a_file_are_read_one_by_one(tmp_path: Path) -> None:
    """Seen with postmap: an indented line continues nothing, and "#" ends only its own line."""
    path = tmp_path / "domains"
    path.write_text(" a.example\n# b.example\n c.example # d.example\n\n  e.example\n")
    listed = names(str(path))
    found = [name for name in "abcde" if listed.match_name(f"{name}.example", ask) is not None]
    assert found == ["a", "c", "e"]


def test_an_ipv6_address_without_brackets_is_told() -> None:
    with pytest.raises(TableError, match=r"2001:db8::1: IPv6 addresses need \[ \]"):
        names("2001:db8::1").match_address("2001:db8::1", ask)


def test_an_address_is_a_name_too_where_names_are_compared() -> None:
    assert names("[192.0.2.1]").match_name("[192.0.2.1]", ask) is not None
    assert names("10.0.0.1/8 example.com").match_name("example.com", ask) is not None


def test_a_file_that_includes_itself(tmp_path: Path) -> None:
    path = tmp_path / "loop"
    path.write_text(f"{path}\n")
    with pytest.raises(TableError, match="includes itself"):
        names(str(path)).match_name("example.com", ask)
