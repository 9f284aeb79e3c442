"""S5.1: ldap: when its server is down, hangs, restarts or refuses, and over TLS and SASL."""

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maysend.tables import LookupTable, TableContext, TableError, open_table
from maysend.tables.client_file import ClientParameters
from maysend.tables.ldap_parameters import server_of
from maysend.tables.ldap_quoting import quote_for_filter, quote_for_name
from tests.servers.slapd import ADMIN, PASSWORD, Slapd, ldif
from tests.servers.stopping import stop

pytestmark = [pytest.mark.needs_postfix, pytest.mark.needs_slapd]

USER = ldif(
    "uid=bob,ou=People,dc=example,dc=org",
    ("objectClass", "inetOrgPerson"), ("uid", "bob"), ("cn", "Bob"), ("sn", "Bob"),
    ("mail", "bob@example.org"),
)  # fmt: skip
SECRET = "h1dden"


@pytest.fixture(scope="module")
def server() -> Iterator[Slapd]:
    with Slapd(USER) as slapd:
        yield slapd


def opened(tmp_path: Path, *lines: str) -> LookupTable:
    path = tmp_path / "table.cf"
    common = (
        "search_base = ou=People,dc=example,dc=org", "query_filter = (mail=%s)",
        "result_attribute = uid", "timeout = 1",
    )  # fmt: skip
    path.write_text("\n".join((*common, *lines)) + "\n")
    return open_table(f"ldap:{path}", TableContext())


def failure(table: LookupTable) -> TableError:
    with pytest.raises(TableError) as caught:
        table.lookup("bob@example.org")
    return caught.value


def test_a_restart_is_not_noticed_and_a_dead_server_is_an_error(
    tmp_path: Path, server: Slapd
) -> None:
    table = opened(tmp_path, f"server_host = {server.url}")
    assert table.lookup("bob@example.org") == "bob"
    server.stop()
    try:
        start = time.monotonic()
        assert failure(table).kind == "retry"
        assert time.monotonic() - start < 2
    finally:
        server.start()
    assert table.lookup("bob@example.org") == "bob"
    server.stop()
    server.start()
    assert table.lookup("bob@example.org") == "bob"


@pytest.mark.parametrize("connected", [True, False])
def test_a_hanging_server_is_an_error_within_the_timeout(
    tmp_path: Path, server: Slapd, connected: bool
) -> None:
    table = opened(tmp_path, f"server_host = {server.url}")
    if connected:
        assert table.lookup("bob@example.org") == "bob"
    stop(server.pid)
    try:
        start = time.monotonic()
        assert failure(table).kind == "retry"
        assert time.monotonic() - start < 1.8
    finally:
        os.kill(server.pid, signal.SIGCONT)
    assert table.lookup("bob@example.org") == "bob"


@pytest.mark.parametrize("bind", ["yes", "no"])
@pytest.mark.parametrize("scheme", ["ldap", "ldaps", "start_tls"])
def test_a_server_that_says_nothing_is_an_error_within_the_timeout(
    tmp_path: Path, scheme: str, bind: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"{scheme.replace('start_tls', 'ldap')}://127.0.0.1:{silent.getsockname()[1]}"
        start_tls = ["start_tls = yes"] if scheme == "start_tls" else []
        table = opened(tmp_path, f"server_host = {url}", f"bind = {bind}", *start_tls)
        start = time.monotonic()
        assert failure(table).kind == "retry"
        assert time.monotonic() - start < 2.5


def test_the_next_server_is_asked_where_one_is_down(tmp_path: Path, server: Slapd) -> None:
    table = opened(tmp_path, f"server_host = ldap://127.0.0.1:1 {server.url}")
    assert table.lookup("bob@example.org") == "bob"


def test_tls_is_verified_where_it_is_wanted(tmp_path: Path, server: Slapd) -> None:
    trusted = (f"tls_ca_cert_file = {server.ca}", "tls_require_cert = yes")
    for lines in ((f"server_host = {server.tls_url}",),
                  (f"server_host = {server.url}", "start_tls = yes")):  # fmt: skip
        assert opened(tmp_path, *lines).lookup("bob@example.org") == "bob"
        assert opened(tmp_path, *lines, *trusted).lookup("bob@example.org") == "bob"
        assert failure(opened(tmp_path, *lines, "tls_require_cert = yes")).kind == "retry"
        missing = opened(tmp_path, *lines, "tls_ca_cert_file = /nowhere")
        assert "tls_*" in str(failure(missing))


def test_binds(tmp_path: Path, server: Slapd) -> None:
    for lines in (
        ("bind = no",), ("bind = yes",), (f"bind_dn = {ADMIN}", f"bind_pw = {PASSWORD}"),
    ):  # fmt: skip
        table = opened(tmp_path, f"server_host = {server.url}", *lines)
        assert table.lookup("bob@example.org") == "bob"
    external = ("bind = sasl", "sasl_mechs = EXTERNAL")
    table = opened(tmp_path, f"server_host = {server.socket_url}", *external)
    assert table.lookup("bob@example.org") == "bob"


def test_no_password_in_an_error_or_a_repr(tmp_path: Path, server: Slapd) -> None:
    wrong = (f"server_host = {server.url}", f"bind_dn = {ADMIN}", f"bind_pw = {SECRET}")
    error = failure(opened(tmp_path, *wrong))
    assert "Invalid credentials" in str(error)
    assert error.kind == "retry"
    assert SECRET not in str(error) + repr(error) + repr(error.__cause__)

    parameters = ClientParameters.load(f"ldap:{tmp_path / 'table.cf'}", TableContext())
    assert SECRET not in repr(server_of(parameters, print)) + repr(parameters)


def test_a_group_in_itself_ends_in_an_error(tmp_path: Path) -> None:
    group = ldif(
        "cn=g,ou=People,dc=example,dc=org", ("objectClass", "inetOrgPerson"),
        ("objectClass", "mailPolicy"), ("cn", "g"), ("sn", "g"), ("mail", "bob@example.org"),
        ("memberdn", "cn=g,ou=People,dc=example,dc=org"),
    )  # fmt: skip
    with Slapd(group) as slapd:
        table = opened(
            tmp_path, f"server_host = {slapd.url}", "special_result_attribute = memberdn"
        )
        assert "recursion limit exceeded" in str(failure(table))


def test_threads_share_the_table(tmp_path: Path, server: Slapd) -> None:
    table = opened(tmp_path, f"server_host = {server.url}", "timeout = 10")
    answers: list[str | None] = []

    def ask() -> None:
        answers.extend(table.lookup("bob@example.org") for _ in range(50))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["bob"] * 400


@given(st.text())
def test_nothing_in_a_key_is_special_once_it_is_quoted(key: str) -> None:
    for quoted, special in (
        (quote_for_filter(key), "*()\0"),
        (quote_for_name(key), ' "#+,;<>\t\0'),
    ):
        assert not set(quoted) & set(special)
        pieces = quoted.split("\\")
        assert all(int(piece[:2], 16) >= 0 and len(piece) >= 2 for piece in pieces[1:])
        plain = pieces[0] + "".join(chr(int(piece[:2], 16)) + piece[2:] for piece in pieces[1:])
        assert plain == key


def test_s5_2_the_filter_as_sent_and_no_password(tmp_path: Path, server: Slapd) -> None:
    path = tmp_path / "table.cf"
    path.write_text(
        f"server_host = {server.url}\nsearch_base = ou=People,dc=example,dc=org\n"
        "query_filter = (mail=%s)\nresult_attribute = uid\nresult_format = <%s>\n"
        f"bind_dn = {ADMIN}\nbind_pw = {PASSWORD}\n"
    )
    steps: list[tuple[str, str]] = []
    context = TableContext(trace=lambda step: steps.append((step.what, step.text)))
    table = open_table(f"ldap:{path}", context)
    assert table.lookup("Bob@example.org") == "<bob>"
    assert steps[3:] == [
        ("server", server.url),
        ("search", 'base "ou=People,dc=example,dc=org", scope sub, attributes uid'),
        ("filter", "(mail=bob@example.org)"),
        ("entry", "uid: bob"),
        ("value", '"bob"'),
        ("formatted", '"<bob>"'),
        ("answer", '"<bob>"'),
    ]
    assert table.lookup("*)(uid=bob") is None
    assert ("filter", "(mail=\\2a\\29\\28uid=bob)") in [(w, t.lower()) for w, t in steps]
    assert PASSWORD not in str(steps)
