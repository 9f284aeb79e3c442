"""Lists, suspensions, scopes, kinds of domains and the trail as they are kept, on both stores."""

import pytest

from maysend.directory import Directory, DirectoryError
from tests.unit.directory.conftest import START, Clock, open_directory_table
from tests.unit.directory.stores import in_a_file

BOB, ALICE, ADMIN = "bob@example.com", "alice@example.com", "admin@example.com"
ALL = "all@example.com"


@pytest.fixture
def people(directory: Directory) -> Directory:
    for login in (BOB, ALICE, ADMIN):
        directory.accounts.add(login, password_hash="{PLAIN}x")
    return directory


def ask(directory: Directory, name: str, key: str) -> str | None:
    return open_directory_table(directory, name).lookup(key)


def test_list_with_posters(people: Directory) -> None:
    people.aliases.add(ALL, [BOB, ALICE], send=False)
    people.lists.add(ALL, [ADMIN.upper(), "@Example.org", "Members"], note="staff")
    assert ask(people, "posters", "ALL+x@example.com") == f"@example.org,{ADMIN},{ALICE},{BOB}"
    assert ask(people, "owners", ALL) is None
    people.lists.update(ALL, add=["users"], remove=["members", "@example.org", ADMIN])
    assert people.lists.get(ALL).posters == ("users",)
    assert people.lists.remove(ALL).note == "staff"
    assert ask(people, "posters", ALL) is None


def test_list_without_posters_answers_nobody(people: Directory) -> None:
    """An empty answer never means open."""
    people.lists.add(ALL)
    assert ask(people, "posters", ALL) == "<nobody>"


@pytest.mark.parametrize(
    ("posters", "text"),
    [
        (["bobb@example.com"], "did you mean 'bob@example.com'"),
        (["a@b@c"], "more than one '@'"),
        (["everybody"], "did you mean 'everyone'"),
        ([""], "an empty name"),
    ],
)
def test_list_refuses_what_is_no_poster(people: Directory, posters: list[str], text: str) -> None:
    with pytest.raises(DirectoryError, match=text):
        people.lists.add(ALL, [BOB, *posters])
    assert people.lists.list() == []


def test_list_is_one_whatever_its_spelling(people: Directory) -> None:
    people.lists.add(ALL)
    with pytest.raises(DirectoryError, match="is a list already; to let more write"):
        people.lists.add("ALL@EXAMPLE.com", [BOB])
    with pytest.raises(DirectoryError, match=r"'bob@example.com' is no poster of"):
        people.lists.update(ALL, remove=[BOB])


def test_suspension_of_addresses_domains_and_networks(people: Directory) -> None:
    """S5.4: by address, domain or network too."""
    people.suspensions.add("Noreply@Example.com", "address")
    people.suspensions.add("@bad.example", "domain")
    people.suspensions.add("192.0.2.0/24", "network")
    people.suspensions.add("2001:db8::/32", "six")
    people.suspensions.add("::ffff:203.0.113.9", "mapped")
    for name, key, answer in [
        ("suspended_senders", "noreply+x@example.com", "REJECT address"),
        ("suspended_senders", "anybody@BAD.example", "REJECT domain"),
        ("suspended_senders", "x@not.bad.example", None),
        ("suspended_senders", BOB, None),
        ("suspended_senders", "<>", None),
        ("suspended_clients", "192.0.2.77", "REJECT network"),
        ("suspended_clients", "192.0.3.1", None),
        ("suspended_clients", "2001:db8:ffff::1", "REJECT six"),
        ("suspended_clients", "203.0.113.9", "REJECT mapped"),
        ("suspended_clients", "::ffff:192.0.2.1", "REJECT network"),
        ("suspended_clients", "host.bad.example", None),
    ]:
        assert ask(people, name, key) == answer, (name, key)
    people.suspensions.remove("192.0.2.0/24")
    assert ask(people, "suspended_clients", "192.0.2.77") is None


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("192.0.2.1/24", "did you mean '192.0.2.0/24'"),
        ("bob", "a login: maysend account suspend LOGIN"),
        ("a@b@c", "more than one '@'"),
        ("", "can't be suspended here"),
        ("1.2.3", "can't be suspended here"),
    ],
)
def test_what_cannot_be_suspended(people: Directory, subject: str, text: str) -> None:
    with pytest.raises(DirectoryError, match=text):
        people.suspensions.add(subject, "x")
    assert people.suspensions.list() == []


@in_a_file
def test_suspension_ends_by_itself_and_kept_answers_with_it(
    people: Directory, clock: Clock
) -> None:
    """S5.4."""
    until = int(START) + 60
    people.accounts.suspend(BOB, "an hour off", until)
    people.suspensions.add(ALICE, "a minute", until)
    owners = open_directory_table(people, "owners")
    assert owners.lookup(BOB) is None
    assert ask(people, "suspended", BOB) == "REJECT an hour off"
    assert ask(people, "suspended_senders", ALICE) == "REJECT a minute"
    clock.pass_seconds(60)
    assert owners.lookup(BOB) == BOB
    assert ask(people, "suspended", BOB) is None
    assert ask(people, "suspended_senders", ALICE) is None
    with pytest.raises(DirectoryError, match="would be over already"):
        people.accounts.suspend(BOB, "late", until)


def test_scope(people: Directory) -> None:
    """S3.3: users who may not mail off-site, and the opposite."""
    people.accounts.update(BOB, scope="local, Example.NET .partner.example")
    people.aliases.add("robert@example.com", [BOB])
    assert people.accounts.get(BOB).scope == "local example.net .partner.example"
    answer = "directory:domains example.net .partner.example"
    assert ask(people, "scopes", BOB) == ask(people, "scopes", "Robert@example.com") == answer
    assert ask(people, "scopes", ALICE) is None
    people.accounts.update(BOB, scope="anywhere")
    assert ask(people, "scopes", BOB) is None
    for wrong in ("", "anywhere,local", "a..b", "x@y"):
        with pytest.raises(DirectoryError):
            people.accounts.update(BOB, scope=wrong or " ")


def test_domain_kinds(people: Directory) -> None:
    """S2.8, S2.9."""
    assert [(d.domain, d.kind, d.accounts, d.created) for d in people.domains.list()] == [
        ("example.com", "managed", 3, None)
    ]
    people.domains.add("Example.com", "local")
    assert ask(people, "domains", "x@EXAMPLE.com") == "local"
    people.domains.update("example.com", "excluded")
    assert ask(people, "owners", BOB) is None
    with pytest.raises(DirectoryError, match="is no kind of domain, expected managed, local"):
        people.domains.add("x.example", "foreign")
    with pytest.raises(DirectoryError, match=r"did you mean 'example.com'"):
        people.domains.update("exampl.com", "local")
    people.domains.remove("example.com")
    with pytest.raises(DirectoryError, match="managed because accounts are in it"):
        people.domains.remove("example.com")


def test_patterns_as_aliases(people: Directory) -> None:
    """S2.6."""
    people.aliases.add(r"/^info-.*@example\.com$/", [BOB, ALICE])
    people.aliases.add(r"/^(.*)-bounces@example\.com$/", ["$1@example.com"])
    assert ask(people, "owners", "INFO-7@example.com") == f"{ALICE},{BOB}"
    assert ask(people, "owners", "bob-bounces@example.com") == BOB
    assert ask(people, "aliases", "bob-bounces@example.com") == BOB
    assert ask(people, "owners", '"x,alice"-bounces@example.com') is None
    assert people.aliases.get(r"/^info-.*@example\.com$/")[0].pattern
    people.accounts.remove(ALICE)
    assert ask(people, "owners", "info-7@example.com") == BOB
    for wrong in ("/[/", "/(/i", "/x/"):
        with pytest.raises(DirectoryError):
            people.aliases.add(wrong, ["a@b@c"] if wrong == "/x/" else [BOB])
    assert len(people.aliases.list()) == 2


def test_local_aliases(people: Directory) -> None:
    """S2.11."""
    with pytest.raises(DirectoryError, match="'root': it has no '@'"):
        people.aliases.add("root", [ADMIN])
    people.aliases.add("postmaster", [ADMIN], local=True)
    people.aliases.add("root", ["postmaster"], local=True)
    people.domains.add("host.example", "local")
    assert ask(people, "owners", "root@host.example") == ADMIN
    assert ask(people, "owners", "postmaster@example.com") == ADMIN
    with pytest.raises(DirectoryError, match="'bopb' has no domain"):
        people.aliases.add("daemon", ["bopb"], local=True)
    people.aliases.remove("root")


def test_removed_account_leaves_nothing_behind(people: Directory) -> None:
    """S2.13: its extensions as targets too, and what is somebody else's stays."""
    people.accounts.add("bob+boss@example.com")
    people.aliases.add("sales@example.com", [ALICE, "bob+inbox@example.com"])
    people.aliases.add("only@example.com", ["bob+x@example.com"])
    people.aliases.add("boss@example.com", ["bob+boss@example.com"])
    people.aliases.add("bobby@example.com", ["bobby+x@example.com", "b_b+x@example.com"])
    people.lists.add(ALL, [BOB])
    people.grants.add(BOB, "@example.org")
    people.grants.add(ALICE, BOB)
    held = people.accounts.remove(BOB)
    assert held.aliases == ("only@example.com", "sales@example.com")
    assert held.emptied == ("only@example.com",)
    assert (held.lists, held.used_by) == ((ALL,), (ALICE,))
    assert {(row.address, row.target) for row in people.aliases.list()} == {
        ("sales@example.com", ALICE),
        ("boss@example.com", "bob+boss@example.com"),
        ("bobby@example.com", "bobby+x@example.com"),
        ("bobby@example.com", "b_b+x@example.com"),
    }
    assert ask(people, "posters", ALL) == "<nobody>"
    people.accounts.add(BOB)
    assert people.owners("x@example.org").logins == ()


def test_grant_is_updated(people: Directory) -> None:
    people.grants.add(BOB, "@example.org", note="why", expires=int(START) + 9)
    updated = people.grants.update(BOB, "@example.org", kind="on-behalf")
    assert (updated.kind, updated.note, updated.expires) == ("on-behalf", "why", int(START) + 9)
    assert people.grants.update(BOB, "@example.org", expires=None).expires is None
    with pytest.raises(DirectoryError, match=r"it has @example.org"):
        people.grants.update(BOB, "@example.net", note="x")


def test_alias_rights_are_updated(people: Directory) -> None:
    people.aliases.add("sales@example.com", [BOB, ALICE])
    people.aliases.update("sales@example.com", [BOB], send=False, receive=True)
    assert ask(people, "owners", "sales@example.com") == ALICE
    with pytest.raises(DirectoryError, match="does not lead to"):
        people.aliases.update("sales@example.com", [ADMIN], send=True, receive=True)


def test_trail_says_who_what_when_and_from_where(people: Directory) -> None:
    people.accounts.suspend(BOB, "spam wave")
    people.lists.add(ALL, [BOB])
    last = people.trail(about=BOB)
    assert [(e.action, e.subject) for e in last] == [
        ("account add", BOB),
        ("account suspend", BOB),
        ("list add", ALL),
    ]
    assert {(e.who, e.source, e.at) for e in last} == {("tester", "here", int(START))}
    assert [e.action for e in people.trail(most=1)] == ["list add"]
    assert people.trail(about="bob") == []
    assert people.trail(who="other") == people.trail(since=int(START) + 1) == []


def test_together_is_all_or_nothing(people: Directory) -> None:
    with pytest.raises(DirectoryError), people.together():  # noqa: PT012
        people.accounts.add("new@example.com")
        people.lists.add("l@example.com")
        people.accounts.add(BOB)
    assert len(people.accounts.list()) == 3
    assert people.lists.list() == []
    with people.together():
        people.accounts.add("new@example.com")
        with pytest.raises(DirectoryError):
            people.aliases.add("a@example.com", [BOB, "nobody"])
        people.lists.add("l@example.com")
    assert people.accounts.find("new@example.com") is not None
    assert people.aliases.list() == []
