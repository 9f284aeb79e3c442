"""Zones as text: what `maysend explain --dns FILE` and the golden cases are answered from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maysend.dns import Answer, DictionaryResolver, Record, Zone, ZoneError
from maysend.dns.answer import NODATA, NODATA_OF_ALIAS, NXDOMAIN

ZONE = """
; a comment
mx.example          MX    20 b.example
mx.example          MX    10 a.example
null.example        MX    0 .
host.example  300   IN    A  192.0.2.1
host.example  300   A     192.0.2.2
alias.example       CNAME other.example
other.example       CNAME host.example
loop.example        CNAME loop.example
text.example        TXT   "first" "second"
broken.example      SERVFAIL
half.example        MX SERVFAIL
half.example        A     192.0.2.3
deep.below.example  A     192.0.2.4
$ORIGIN zone.example.
@           60      NS    ns
ns                  AAAA  2001:db8::1
"""


@pytest.mark.parametrize(
    ("name", "type", "answers"),
    [
        ("mx.example", "MX", ["20 b.example", "10 a.example"]),
        ("MX.Example", "MX", ["20 b.example", "10 a.example"]),
        ("null.example", "MX", ["0 ."]),
        ("host.example", "A", ["192.0.2.1", "192.0.2.2"]),
        ("alias.example", "A", ["192.0.2.1", "192.0.2.2"]),
        ("text.example", "TXT", ["first"]),
        ("half.example", "A", ["192.0.2.3"]),
        ("zone.example", "NS", ["ns.zone.example"]),
        ("ns.zone.example", "AAAA", ["2001:db8::1"]),
    ],
)
def test_records_in_the_order_they_are_written(name: str, type: str, answers: list[str]) -> None:
    assert list(map(str, Zone(ZONE).query(name, type).records)) == answers


@pytest.mark.parametrize(
    ("name", "type", "status"),
    [
        ("nowhere.example", "A", "nxdomain"),
        ("host.example", "MX", "nodata"),
        ("below.example", "A", "nodata"),
        ("broken.example", "A", "failed"),
        ("half.example", "MX", "failed"),
        ("loop.example", "A", "failed"),
    ],
)
def test_what_is_not_there(name: str, type: str, status: str) -> None:
    assert Zone(ZONE).query(name, type).status == status


def test_an_alias_of_a_name_without_such_records_is_told_apart() -> None:
    """getaddrinfo(3) has another error for it."""
    zone = Zone(ZONE)
    assert zone.query("host.example", "MX") == NODATA
    assert zone.query("alias.example", "MX") == NODATA_OF_ALIAS


def test_a_record_names_the_end_of_the_chain_and_its_ttl() -> None:
    assert Zone(ZONE).query("alias.example", "A").records[0] == Record(
        "host.example", "A", "192.0.2.1", ttl=300
    )


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a.example A 192.0.2.1\nb.example A nonsense\n", "line 2"),
        ("a.example NOSUCHTYPE x\n", "line 1"),
        ("a.example MX mail.example\n", "line 1"),
        ('a.example TXT "open\n', "line 1"),
    ],
)
def test_a_bad_zone_says_in_which_line(text: str, complaint: str) -> None:
    with pytest.raises(ZoneError, match=complaint):
        Zone(text)


@given(st.text(alphabet='ab.@$()";\\ \n\tAMXTSERVFAIL0129\x00é', max_size=80))
def test_any_text_is_a_zone_or_a_zone_error(text: str) -> None:
    try:
        zone = Zone(text)
    except ZoneError:
        return
    assert zone.query("a.b", "A").status in ("found", "nxdomain", "nodata", "failed")


def test_a_dictionary_answers_what_is_in_it() -> None:
    answer = Answer("found", (Record("a.example", "A", "192.0.2.1"),))
    resolver = DictionaryResolver({("a.example", "A"): answer, ("a.example", "MX"): NODATA})
    assert resolver.query("A.example", "A") is answer
    assert resolver.query("a.example", "MX") is NODATA
    assert resolver.query("b.example", "A") is NXDOMAIN
