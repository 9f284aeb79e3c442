"""Accounts, aliases and grants as they are kept (S2.2, S2.4, S2.10, S2.13)."""

from pathlib import Path

import pytest

from maysend.directory import Directory, DirectoryError
from tests.unit.directory.conftest import START, Clock
from tests.unit.directory.stores import in_a_file

BOB, ALICE, CAROL = "bob@example.com", "alice@example.com", "carol@example.com"
HASH = "{PLAIN}not-to-be-shown"

HOSTILE = [
    "x' OR '1'='1@example.com",
    "x'; DROP TABLE accounts; --@example.com",
    "x%@example.com",
    "_ob@example.com",
    "b*@example.com",
    'bob"@example.com',
    "bob\\@example.com",
    ":names@example.com",
    "?@example.com",
]


@pytest.fixture
def people(directory: Directory) -> Directory:
    for login in (BOB, ALICE, CAROL):
        directory.accounts.add(login, password_hash=HASH)
    return directory


def logins(directory: Directory) -> list[str]:
    return [account.login for account in directory.accounts.list()]


def owners(directory: Directory, address: str) -> set[str]:
    return set(directory.owners(address, "+").logins)


def test_account_is_one_whatever_its_spelling(directory: Directory) -> None:
    directory.accounts.add("Bob@Example.COM", password_hash=HASH, name="Bob B")
    with pytest.raises(DirectoryError, match=r"there is already an account 'bob@example.com'"):
        directory.accounts.add("bOB@example.com", password_hash=HASH)
    found = directory.accounts.get("BOB@example.com")
    assert (found.login, found.name, found.enabled, found.created) == (BOB, "Bob B", True, START)
    assert directory.accounts.find("bobby@example.com") is None


@pytest.mark.parametrize("address", ["a@b@c", "", '"x y"@example.com', "a" * 400, "a\nb@c", "a b"])
def test_malformed_argument_is_refused_everywhere(people: Directory, address: str) -> None:
    """S2.13: every store says what was expected, and keeps nothing."""
    before = (logins(people), people.aliases.list(), people.grants.list(), people.trail())
    for refused in (
        lambda: people.accounts.add(address),
        lambda: people.accounts.remove(address),
        lambda: people.accounts.suspend(address, "x"),
        lambda: people.aliases.add(address, [BOB]),
        lambda: people.aliases.add("sales@example.com", [address]),
        lambda: people.aliases.add("sales@example.com", [BOB, address]),
        lambda: people.aliases.remove(address),
        lambda: people.grants.add(address, BOB),
        lambda: people.grants.add(BOB, address),
        lambda: people.grants.remove(BOB, address),
        lambda: people.domains.add(address),
    ):
        with pytest.raises(DirectoryError, match="expected"):
            refused()
    assert before == (logins(people), people.aliases.list(), people.grants.list(), people.trail())


def test_exact_names_only(people: Directory) -> None:
    """S2.13: no substring or prefix matching; a near name is suggested, never used."""
    people.accounts.add("b@example.com")
    people.aliases.add("sales@example.com", [BOB])
    people.accounts.remove("b@example.com")
    assert logins(people) == [ALICE, BOB, CAROL]
    with pytest.raises(DirectoryError, match=r"no account 'bo@example.com'; did you mean 'bob@"):
        people.accounts.remove("bo@example.com")
    with pytest.raises(DirectoryError, match=r"no alias 'sale@example.com'; did you mean 'sales@"):
        people.aliases.remove("sale@example.com")
    with pytest.raises(DirectoryError, match="no account 'zzz': see `maysend account list`"):
        people.grants.add("zzz", BOB)


def test_adding_an_alias_again_adds_targets(people: Directory) -> None:
    people.aliases.add("Sales@example.com", [BOB])
    people.aliases.add("sales@example.com", [ALICE, BOB, "out@side.example"])
    assert [row.target for row in people.aliases.get("sales@example.com")] == [
        BOB,
        ALICE,
        "out@side.example",
    ]
    assert len([e for e in people.trail() if e.action == "alias add"]) == 3


def test_rights_to_send_and_to_receive_are_separate(people: Directory) -> None:
    """S2.4, S2.8."""
    people.aliases.add("sales@example.com", [BOB], send=False)
    people.aliases.add("sales@example.com", [ALICE], receive=False)
    assert owners(people, "sales@example.com") == {ALICE}
    people.aliases.add("sales@example.com", [BOB])
    assert owners(people, "sales@example.com") == {ALICE, BOB}
    with pytest.raises(DirectoryError, match="would do nothing"):
        people.aliases.add("sales@example.com", [BOB], send=False, receive=False)


def test_removing_targets_of_an_alias(people: Directory) -> None:
    people.aliases.add("sales@example.com", [BOB, ALICE])
    with pytest.raises(DirectoryError, match=r"does not lead to 'carol@example.com', but to alice"):
        people.aliases.remove("sales@example.com", [BOB, CAROL])
    assert owners(people, "sales@example.com") == {ALICE, BOB}
    assert [gone.target for gone in people.aliases.remove("sales@example.com", [BOB])] == [BOB]
    assert owners(people, "sales@example.com") == {ALICE}
    people.aliases.remove("sales@example.com")
    assert people.aliases.list() == []


def test_alias_needs_targets_and_order_is_said(people: Directory) -> None:
    with pytest.raises(DirectoryError, match="expected ALIAS, then its TARGETs"):
        people.aliases.add("sales@example.com", [])
    with pytest.raises(DirectoryError, match="expected ALIAS, then its TARGETs"):
        people.aliases.add("sales@example.com", BOB)
    with pytest.raises(DirectoryError, match="no domain and is no account's login"):
        people.aliases.add("sales@example.com", ["bobb"])
    people.accounts.add("daemon")
    people.aliases.add("root@example.com", ["daemon"])
    assert owners(people, "root@example.com") == {"daemon"}


def test_removed_account_leaves_no_ownership_behind(people: Directory) -> None:
    """S2.13: not in multi-target aliases, not by grants, not for a later account of that name."""
    people.aliases.add("sales@example.com", [BOB, ALICE])
    people.aliases.add("team@example.com", ["sales@example.com"])
    people.aliases.add("only@example.com", [BOB])
    people.grants.add(BOB, "everything")
    people.grants.add(ALICE, BOB)
    held = people.accounts.holdings(BOB)
    assert held == people.accounts.remove("BOB@example.com")
    assert held.aliases == ("only@example.com", "sales@example.com")
    assert held.emptied == ("only@example.com",)
    assert held.grants == ("*",)
    people.accounts.add(BOB)
    assert owners(people, "sales@example.com") == owners(people, "team@example.com") == {ALICE}
    assert owners(people, "only@example.com") == owners(people, "x@world.example") == set()
    assert owners(people, BOB) == {BOB, ALICE}


def test_suspension_holds_for_every_address_and_ends(people: Directory, clock: Clock) -> None:
    """S2.13, S2.10."""
    people.aliases.add("sales@example.com", [BOB])
    people.grants.add(BOB, "@list.example")
    people.accounts.suspend(BOB, " sends spam ")
    found = people.accounts.get(BOB)
    assert (found.suspended_reason, found.suspended_by) == ("sends spam", "tester")
    assert found.suspended_at == clock.seconds
    for address in (BOB, "bob+x@example.com", "sales@example.com", "x@list.example"):
        assert owners(people, address) == set()
    assert people.authenticate(BOB, "not-to-be-shown") == BOB
    people.accounts.resume(BOB)
    assert owners(people, "sales@example.com") == {BOB}
    with pytest.raises(DirectoryError, match=r"'bob@example.com' is not suspended"):
        people.accounts.resume(BOB)


@pytest.mark.parametrize("reason", ["", "  ", "two\nlines", "a\0", "a\r\n250 ok", "x" * 201])
def test_reason_is_one_line_that_fits_a_reply(people: Directory, reason: str) -> None:
    with pytest.raises(DirectoryError, match="reason"):
        people.accounts.suspend(BOB, reason)
    assert people.accounts.get(BOB).suspended_reason is None


def test_disabled_account_owns_nothing_and_cannot_log_in(people: Directory) -> None:
    people.accounts.disable(BOB)
    assert owners(people, BOB) == set()
    assert people.authenticate(BOB, "not-to-be-shown") is None
    people.accounts.enable(BOB)
    assert people.authenticate(BOB, "not-to-be-shown") == BOB


def test_grants_are_kept_replaced_and_taken(people: Directory, clock: Clock) -> None:
    """S2.2, S2.10: extra senders of an account, a plain list."""
    people.grants.add(BOB, "Noreply@External.example", note="newsletter")
    people.grants.add(ALICE, "@example.com")
    people.grants.add(CAROL, "everything", expires=int(clock()) + 60)
    assert owners(people, "noreply@external.example") == {BOB, CAROL}
    clock.pass_seconds(60)
    assert owners(people, "noreply@external.example") == {BOB}
    people.grants.add(BOB, "noreply@external.example", kind="on-behalf")
    assert owners(people, "noreply@external.example") == set()
    assert [g.address for g in people.grants.list()] == [
        "@example.com",
        "noreply@external.example",
        "*",
    ]
    with pytest.raises(DirectoryError, match=r"no grant for '@example.com'; it has noreply@"):
        people.grants.remove(BOB, "@example.com")
    people.grants.remove(ALICE, "@example.com")
    assert owners(people, "x@example.com") == set()


def test_grant_that_is_over_or_of_no_kind_is_refused(people: Directory, clock: Clock) -> None:
    with pytest.raises(DirectoryError, match="expired already"):
        people.grants.add(BOB, ALICE, expires=int(clock()))
    with pytest.raises(DirectoryError, match="'as' or 'on-behalf', not 'like'"):
        people.grants.add(BOB, ALICE, kind="like")  # type: ignore[arg-type]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_reaches_the_database_as_a_statement(people: Directory, text: str) -> None:
    people.aliases.add("sales@example.com", [BOB])
    assert owners(people, text) == set()
    assert people.authenticate(text, text) is None
    try:
        people.accounts.add(text, password_hash="{PLAIN}" + text, name=text)
    except DirectoryError:
        pass
    else:
        assert owners(people, text) == {text}
        assert owners(people, "yob@example.com") == set()
        people.grants.add(text, "granted@example.com", note=text)
        people.accounts.remove(text)
    people.accounts.suspend(BOB, text)
    assert people.accounts.get(BOB).suspended_reason == text
    assert logins(people) == [ALICE, BOB, CAROL]


def test_every_change_is_in_the_trail_without_secrets(people: Directory) -> None:
    people.accounts.set_password(BOB, "new secret")
    people.aliases.add("sales@example.com", [BOB])
    people.grants.add(BOB, "@example.com")
    people.grants.remove(BOB, "@example.com")
    people.domains.add("Example.com")
    people.domains.remove("example.com")
    people.accounts.remove(BOB)
    trail = people.trail()
    assert [(e.action, e.subject, e.detail) for e in trail[3:]] == [
        ("account password", BOB, ""),
        ("alias add", "sales@example.com", f"{BOB} (send receive)"),
        ("grant add", BOB, "as @example.com"),
        ("grant remove", BOB, "@example.com"),
        ("domain add", "example.com", "managed"),
        ("domain remove", "example.com", ""),
        ("account remove", BOB, "alias sales@example.com"),
    ]
    assert {(e.who, e.at) for e in trail} == {("tester", START)}
    assert "secret" not in repr(trail)


@in_a_file
def test_passwords_are_hashed_and_never_shown(directory: Directory, tmp_path: Path) -> None:
    added = directory.accounts.add(BOB, "hunter2hunter2")
    directory.close()
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"hunter2" not in kept
    assert b"{ARGON2ID}$argon2id$" in kept
    assert "ARGON2" not in repr(added) + repr(directory.accounts.list())
    with pytest.raises(DirectoryError, match="not both") as error:
        directory.accounts.add(ALICE, "hunter2", password_hash=HASH)
    assert "hunter2" not in str(error.value)


def test_authenticate_normalises_the_login_once(people: Directory) -> None:
    """S2.4: log in with an alias, and it is the account that counts."""
    people.aliases.add("robert@example.com", [BOB])
    people.aliases.add("both@example.com", [BOB, ALICE])
    password = "not-to-be-shown"
    for login in (BOB, "BOB@Example.com", "Robert@example.com"):
        assert people.authenticate(login, password) == BOB
    assert people.authenticate("bob", password, realm="example.com") == BOB
    assert people.authenticate("bob", password) is None
    for login in (
        "both@example.com",
        "bob+x@example.com",
        "nobody@example.com",
        "",
        "\0",
        "\udcff",
    ):
        assert people.authenticate(login, password) is None
    for wrong in ("", "wrong", password + "\0", "x" * 2000):
        assert people.authenticate(BOB, wrong) is None


def test_account_without_a_password_cannot_log_in(directory: Directory) -> None:
    directory.accounts.add(BOB)
    for password in ("", "None", "x"):
        assert directory.authenticate(BOB, password) is None


def test_unknown_login_costs_a_password_check(
    directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    from maysend.directory import passwords

    checked: list[str] = []
    verify = passwords.verify_password

    def count(password: str, stored: str) -> bool:
        checked.append(stored.partition("}")[0])
        return verify(password, stored)

    monkeypatch.setattr(passwords, "verify_password", count)
    directory.accounts.add(ALICE)
    assert directory.authenticate("nobody@example.com", "x") is None
    assert directory.authenticate(ALICE, "x") is None
    assert checked == ["{ARGON2ID", "{ARGON2ID"]


def test_unknown_login_costs_what_its_neighbour_does(
    directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where passwords were brought along in other schemes, argon2's cost would tell them apart."""
    from maysend.directory import passwords

    checked: list[str] = []
    monkeypatch.setattr(passwords, "verify_password", lambda _, stored: checked.append(stored))
    directory.accounts.add(ALICE)
    directory.accounts.add(BOB, password_hash="{PLAIN}bob")
    directory.accounts.add(CAROL, password_hash="{SHA}" + "A" * 27 + "=")
    for login in ("aaron@example.com", "bobby@example.com", "zoe@example.com", ALICE, "a\0", ""):
        assert directory.authenticate(login, "x") is None
    schemes = [stored.partition("}")[0] for stored in checked]
    assert schemes == ["{PLAIN", "{SHA", "{PLAIN", "{PLAIN", "{ARGON2ID", "{PLAIN"]
