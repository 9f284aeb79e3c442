"""Which name decides: local names, patterns, kinds of domains (S2.6, S2.8, S2.9, S2.11)."""

import pytest

from maysend.directory.names import AliasTarget
from maysend.directory.ownership import delivery_targets, mailbox, owners
from tests.unit.directory.worlds import World

BOB, ADMIN = "bob@example.com", "admin@example.com"


@pytest.fixture
def world() -> World:
    made = World()
    made.account(BOB)
    made.account(ADMIN)
    return made


def logins(world: World, address: str) -> tuple[str, ...]:
    return owners(world, address, "+").logins


def test_local_aliases_count_in_local_domains_only(world: World) -> None:
    """S2.11: root, in the host's own domain."""
    world.alias("root", BOB)
    world.kinds["mail.example.com"] = "local"
    assert logins(world, "root") == (BOB,)
    assert logins(world, "root+x@mail.example.com") == (BOB,)
    assert logins(world, "root@example.com") == ()
    assert delivery_targets(world, "root@mail.example.com", "+") == (BOB,)


def test_postmaster_counts_in_every_managed_domain(world: World) -> None:
    """S2.11: RFC 5321 4.5.1 wants one everywhere."""
    world.alias("postmaster", ADMIN)
    world.alias("@example.com", BOB)
    assert logins(world, "postmaster@example.com") == (ADMIN,)
    assert logins(world, "Postmaster@elsewhere.example") == ()
    world.alias("postmaster@example.com", BOB)
    assert logins(world, "postmaster@example.com") == (BOB,)


def test_login_without_a_domain_owns_its_name_in_local_domains(world: World) -> None:
    world.account("bob")
    world.kinds["host.example"] = "local"
    assert logins(world, "bob+x@host.example") == ("bob",)
    assert mailbox(world, "bob@host.example", "+") == "bob"
    assert logins(world, "bob@other.example") == ()


def test_first_pattern_decides_behind_explicit_names_before_the_catch_all(world: World) -> None:
    """S2.6."""
    world.patterns = [
        (r"^info-.*@example\.com$", AliasTarget(BOB, True, True)),
        (r"^info-", AliasTarget(ADMIN, True, True)),
    ]
    world.alias("@example.com", ADMIN)
    world.alias("info-x@example.com", ADMIN)
    assert logins(world, "info-1@example.com") == (BOB,)
    assert logins(world, "info-x@example.com") == (ADMIN,)
    assert logins(world, "info-1@example.org") == (ADMIN,)
    assert logins(world, "other@example.com") == (ADMIN,)


def test_several_owners_on_one_line_of_a_pattern(world: World) -> None:
    """S2.6."""
    world.patterns = [
        (r"^x", AliasTarget(BOB, True, True)),
        (r"^x", AliasTarget(ADMIN, True, True)),
    ]
    assert logins(world, "x@example.org") == (ADMIN, BOB)


def test_pattern_never_takes_an_accounts_own_address(world: World) -> None:
    """S2.5: bob+x@ is bob's."""
    world.patterns = [(r".*", AliasTarget(ADMIN, True, True))]
    assert logins(world, BOB) == (BOB,)
    assert logins(world, "bob+x@example.com") == (BOB,)


def test_grant_covers_extensions_though_a_pattern_matches(world: World) -> None:
    world.patterns = [(r"news", AliasTarget(BOB, True, True))]
    world.grant(ADMIN, "news@example.com")
    assert logins(world, "news+x@example.com") == (ADMIN, BOB)


def test_in_an_excluded_domain_only_a_grant_counts(world: World) -> None:
    """S2.9."""
    world.account("bob@gmail.example")
    world.alias("sales@gmail.example", BOB)
    world.alias("@gmail.example", BOB)
    world.kinds["gmail.example"] = "excluded"
    for address in ("bob@gmail.example", "sales@gmail.example", "x@gmail.example"):
        assert logins(world, address) == ()
        assert delivery_targets(world, address) == ()
    world.grant(BOB, "bob@gmail.example")
    assert logins(world, "bob+x@gmail.example") == (BOB,)


def test_send_only_domain_keeps_its_owners(world: World) -> None:
    """S2.8."""
    world.kinds["example.com"] = "send-only"
    assert logins(world, BOB) == (BOB,)
