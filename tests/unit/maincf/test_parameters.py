"""Parameters: defaults, conversions, copies."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maysend.maincf import Host, Interface, MainCfError, Parameters
from maysend.maincf.interfaces import own_addresses, proxy_addresses

HOST = Host(
    name="mail.example.com",
    interfaces=(
        Interface("127.0.0.1", 8),
        Interface("192.0.2.7", 25),
        Interface("::1", 128),
        Interface("2001:db8:1::7", 64),
    ),
    mail_version="3.7.11",
    resolve=lambda name: {"mx.example.com": ["192.0.2.7"]}.get(name, []),
)


def parameters(values: dict[str, str] | None = None) -> Parameters:
    return Parameters.from_mapping(values or {}, host=HOST)


def test_defaults_depend_on_the_host() -> None:
    p = parameters()
    assert p["myhostname"] == "mail.example.com"
    assert p["mydomain"] == "example.com"
    assert p["myorigin"] == "mail.example.com"
    assert p["mydestination"] == "mail.example.com, localhost.example.com, localhost"
    assert p["mail_version"] == "3.7.11"


def test_a_host_name_without_a_dot_gets_the_domain() -> None:
    host = Host(name="mail", interfaces=())
    assert Parameters.from_mapping({}, host=host)["myhostname"] == "mail.localdomain"
    named = Parameters.from_mapping({"mydomain": "example.org"}, host=host)
    assert named["myhostname"] == "mail.example.org"


@pytest.mark.parametrize(
    ("values", "networks"),
    [
        ({}, "127.0.0.0/8 192.0.2.0/25 [::1]/128 [2001:db8:1::]/64"),
        (
            {"compatibility_level": "3.6"},
            "127.0.0.1/32 192.0.2.7/32 [::1]/128 [2001:db8:1::7]/128",
        ),
        ({"mynetworks_style": "class", "inet_protocols": "ipv4"}, "127.0.0.0/8 192.0.2.0/24"),
        ({"inet_interfaces": "loopback-only"}, "127.0.0.0/8 [::1]/128"),
        ({"inet_interfaces": "mx.example.com, [::1]"}, "192.0.2.0/25 [::1]/128"),
    ],
)
def test_mynetworks_by_its_style(values: dict[str, str], networks: str) -> None:
    assert parameters(values)["mynetworks"] == networks


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"mynetworks_style": "all"}, "mynetworks_style: expected one of class, subnet, host"),
        ({"inet_interfaces": "192.0.2.9"}, "no local interface found for 192.0.2.9"),
        ({"inet_interfaces": "nowhere.invalid"}, "host not found: nowhere.invalid"),
        ({"inet_protocols": "ipx"}, "inet_protocols: expected one of"),
    ],
)
def test_what_postfix_would_stop_at(values: dict[str, str], wrong: str) -> None:
    with pytest.raises(MainCfError, match=wrong):
        parameters(values)["mynetworks"]


def test_own_and_proxy_addresses() -> None:
    p = parameters({"proxy_interfaces": "203.0.113.1 [2001:DB8::0:1]"})
    assert own_addresses(p) == {"127.0.0.1", "192.0.2.7", "::1", "2001:db8:1::7"}
    assert proxy_addresses(p) == {"203.0.113.1", "2001:db8::1"}


@pytest.mark.parametrize("text", ["yes", "YES", "Yes"])
def test_yes(text: str) -> None:
    assert parameters({"smtpd_delay_reject": text}).boolean("smtpd_delay_reject") is True


@pytest.mark.parametrize("text", ["y", "true", "1", "", "on"])
def test_what_is_neither_yes_nor_no(text: str) -> None:
    with pytest.raises(MainCfError, match='smtpd_delay_reject: expected "yes" or "no"'):
        parameters({"smtpd_delay_reject": text}).boolean("smtpd_delay_reject")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5", 5 * 86400), ("5s", 5), ("2m", 120), ("3h", 10800), ("1d", 86400), ("1w", 604800)],
)
def test_a_time_takes_its_unit_from_the_default(text: str, seconds: int) -> None:
    p = parameters({"maximal_queue_lifetime": text})
    assert p.seconds("maximal_queue_lifetime") == seconds


@pytest.mark.parametrize("text", ["", "x", "-1", "5S", "5 s", "99999999999", "35000w"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(MainCfError, match="expected a time"):
        parameters({"ipc_timeout": text}).seconds("ipc_timeout")


@pytest.mark.parametrize("text", ["", "5s", "1.5", "2147483648", "99999999999999999999"])
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(MainCfError, match="expected a whole number"):
        parameters({"reject_code": text}).integer("reject_code")


def test_a_replaced_parameter_is_a_copy() -> None:
    p = parameters({"myorigin": "$mydomain"})
    q = p.replaced({"mydomain": "example.net"})
    assert (p["myorigin"], q["myorigin"]) == ("example.com", "example.net")


def test_unknown_names() -> None:
    p = parameters()
    assert p.get("no_such_parameter") is None
    assert p.get("smtpd_delay_reject") == "yes"
    with pytest.raises(KeyError, match="no_such_parameter"):
        p["no_such_parameter"]
    assert "smtpd_delay_reject" in p
    assert len(p) == len(set(p)) > 800


def test_what_postfix_never_expands_stays_as_it_is() -> None:
    assert "$rbl_code" in parameters()["default_rbl_reply"]


@given(st.text(max_size=12))
def test_any_text_converts_or_is_refused(text: str) -> None:
    p = Parameters.from_mapping({"ipc_timeout": text.replace("$", "")}, host=HOST)
    for convert in (p.boolean, p.integer, p.seconds):
        with contextlib.suppress(MainCfError):
            convert("ipc_timeout")
