"""S2.3: users, aliases, groups and senders in LDAP, in one union with the directory.

The four queries are docker-mailserver's LDAP_QUERY_FILTER_USER, _ALIAS, _GROUP and _SENDERS, on the
test schema's attributes. There the first that answers wins; here all owners count.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from maysend.directory import Directory
from maysend.policy import Policy, Request
from maysend.tables import TableContext, open_table
from tests.servers.slapd import Slapd, ldif

pytestmark = pytest.mark.needs_slapd

TEAM, NEWS = "team@example.org", "news@example.org"
QUERIES = {
    "users": "(&(objectClass=inetOrgPerson)(mail=%s))",
    "aliases": "(&(objectClass=inetOrgPerson)(mailacceptinggeneralid=%s))",
    "groups": "(&(objectClass=inetOrgPerson)(routeto=%s))",
    "senders": "(&(objectClass=inetOrgPerson)(maildrop=%s))",
}


def person(name: str, *more: tuple[str, str]) -> str:
    classes = "top person organizationalPerson inetOrgPerson mailPolicy"
    return ldif(
        f"uid={name},ou=People,dc=example,dc=org",
        *(("objectClass", each) for each in classes.split()),
        ("cn", name), ("sn", name), ("uid", name), ("mail", f"{name}@example.org"), *more,
    )  # fmt: skip


@pytest.fixture(scope="module")
def slapd() -> Iterator[Slapd]:
    people = (
        person("bob", ("mailacceptinggeneralid", "robert@example.org"), ("routeto", TEAM))
        + person("alice", ("routeto", TEAM))
        + person("cron", ("maildrop", "noreply@foreign.example"))
    )
    with Slapd(people) as server:
        yield server


@pytest.fixture
def tables(slapd: Slapd, tmp_path: Path) -> str:
    for name, query in QUERIES.items():
        (tmp_path / f"{name}.cf").write_text(
            f"server_host = {slapd.url}\nsearch_base = ou=People,dc=example,dc=org\n"
            f"query_filter = {query}\nresult_attribute = mail\nversion = 3\ntimeout = 5\n"
        )
    return ", ".join(f"ldap:{tmp_path}/{name}.cf" for name in QUERIES)


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Directory]:
    with Directory.open(tmp_path / "d.db") as opened:
        for login in ("bob@example.org", "carol@example.org"):
            opened.accounts.add(login)
        opened.aliases.add(TEAM, ["carol@example.org"])
        opened.grants.add("carol@example.org", NEWS)
        yield opened


@pytest.mark.parametrize(
    ("sender", "owners"),
    [
        ("bob@example.org", {"bob@example.org"}),
        ("alice@example.org", {"alice@example.org"}),
        ("robert@example.org", {"bob@example.org"}),
        (TEAM, {"bob@example.org", "alice@example.org", "carol@example.org"}),
        ("noreply@foreign.example", {"cron@example.org"}),
        (NEWS, {"carol@example.org"}),
        ("nobody@example.org", set()),
        ("*@example.org", set()),
        ("*)(mail=*@example.org", set()),
    ],
)
def test_s2_3_owners_of_all_sources_count(
    directory: Directory, tables: str, sender: str, owners: set[str]
) -> None:
    context = TableContext(extra_types=directory.table_types())
    answer = open_table(f"unionmap:{{directory:owners, {tables}}}", context).lookup(sender)
    assert set((answer or "").split(",")) - {""} == owners


@pytest.mark.parametrize("first", [True, False])
def test_s2_3_policy_on_the_union(directory: Directory, tables: str, first: bool) -> None:
    """An extension is found in LDAP only where LDAP comes first: docs/guides/ldap.md."""
    maps = f"directory:owners, {tables}" if first else f"{tables}, directory:owners"
    policy = Policy.builtin(
        directory.table_types(), {"smtpd_sender_login_maps": f"unionmap:{{{maps}}}"}
    )

    def permits(login: str, sender: str) -> bool:
        request = Request(
            sasl_username=login, sasl_method="PLAIN", sender=sender, recipient="x@example.net"
        )
        return policy.decide(request).is_permitted

    for login in ("bob@example.org", "alice@example.org", "carol@example.org"):
        assert permits(login, TEAM)
    assert permits("cron@example.org", "noreply@foreign.example")
    assert not permits("cron@example.org", "bob@example.org")
    assert permits("carol@example.org", "carol+tag@example.org")
    assert permits("alice@example.org", "alice+tag@example.org") is not first


def test_s2_3_a_dead_ldap_server_defers(directory: Directory, tmp_path: Path) -> None:
    (tmp_path / "dead.cf").write_text(
        "server_host = ldap://127.0.0.1:1\nsearch_base = dc=x\nquery_filter = (mail=%s)\n"
        "result_attribute = mail\nversion = 3\ntimeout = 2\n"
    )
    maps = f"unionmap:{{directory:owners, ldap:{tmp_path}/dead.cf}}"
    policy = Policy.builtin(directory.table_types(), {"smtpd_sender_login_maps": maps})
    request = Request(
        sasl_username="bob@example.org",
        sasl_method="PLAIN",
        sender="bob@example.org",
        recipient="x@example.net",
    )
    reply = policy.decide(request).reply
    assert reply is not None
    assert reply.code == 451
