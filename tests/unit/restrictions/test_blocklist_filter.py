"""The `=d.d.d.d` of a list in DNS."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maysend.restrictions.blocklist_filter import BlocklistFilter, FilterError


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("", 'a number from 0 to 255 or "[" at ">"'),
        ("127.0.0", 'expected "." at "127.0.0>"'),
        ("127.0.0.256", "a number from 0 to 255"),
        ("127.0.0.2.3", "nothing more"),
        ("127.0.0.[9..1]", "low to high"),
        ("127.0.0.[]", "a number from 0 to 255"),
        ("127.0.0.[2", '";" or "]"'),
        ("127.0.0.[1,2]", '";" or "]"'),
        ("127.0.0.*", "a number from 0 to 255"),
    ],
)
def test_what_smtpd_dies_of_is_named(written: str, expected: str) -> None:
    with pytest.raises(FilterError) as failure:
        BlocklistFilter(written)
    assert expected in str(failure.value)


OCTET = st.integers(0, 255)


@given(st.tuples(OCTET, OCTET, OCTET, OCTET), st.tuples(OCTET, OCTET))
def test_a_filter_matches_its_own_numbers_and_ranges(
    octets: tuple[int, int, int, int], bounds: tuple[int, int]
) -> None:
    address = ".".join(map(str, octets))
    low, high = sorted(bounds)
    first = ".".join(map(str, octets[:3]))
    assert BlocklistFilter(address).matches([address])
    ranged = BlocklistFilter(f"{first}.[{low}..{high}]")
    assert ranged.matches([address]) == (low <= octets[3] <= high)


@given(st.text(alphabet="0123456789.[];", max_size=30))
def test_any_text_is_a_filter_or_an_error(written: str) -> None:
    with suppress(FilterError):
        BlocklistFilter(written).matches(["127.0.0.2"])
