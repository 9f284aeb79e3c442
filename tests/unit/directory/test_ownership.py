"""Who owns a sender address (S2.1, S2.2, S2.4, S2.5, S2.8, S2.10)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maysend.directory import ownership
from maysend.directory.ownership import (
    MAX_ADDRESSES,
    MAX_NESTING,
    AliasBoundError,
    AliasTarget,
    Holder,
)
from tests.unit.directory.worlds import World

BOB, ALICE, CAROL, ADMIN = (f"{n}@example.com" for n in ("bob", "alice", "carol", "admin"))


@pytest.fixture
def world() -> World:
    world = World()
    for login in (BOB, ALICE, CAROL, ADMIN):
        world.account(login)
    return world


def owners(world: World, address: str, delimiters: str = "+") -> set[str]:
    return set(ownership.owners(world, address, delimiters).logins)


def test_account_owns_itself_and_nothing_else(world: World) -> None:
    """S2.10: a service account may use only its own address."""
    assert owners(world, BOB) == {BOB}
    assert owners(world, "bobby@example.com") == set()
    assert owners(world, "bob@example.org") == set()
    assert owners(world, "bob@sub.example.com") == set()
    assert owners(world, "ob@example.com") == set()


@pytest.mark.parametrize("null", ["", "<>"])
def test_null_sender_is_nobodys_even_with_everything_granted(world: World, null: str) -> None:
    world.grant(ADMIN, "*")
    assert owners(world, null) == set()


def test_union_of_account_alias_and_grants(world: World) -> None:
    """S2.1: union always."""
    world.alias(BOB, ALICE)
    world.grant(CAROL, BOB)
    world.grant(ADMIN, "*")
    assert owners(world, BOB) == {BOB, ALICE, CAROL, ADMIN}


def test_alias_nested_alias_and_each_target_own(world: World) -> None:
    """S2.4: alias, nested alias, multi-target alias by each target."""
    world.alias("sales@example.com", "team@example.com", ALICE)
    world.alias("team@example.com", BOB, CAROL)
    assert owners(world, "sales@example.com") == {ALICE, BOB, CAROL}
    assert owners(world, "team@example.com") == {BOB, CAROL}


def test_catch_all_owns_what_nothing_else_names(world: World) -> None:
    """S2.4: catch-all, an explicit alias or account wins."""
    world.alias("@example.com", CAROL)
    world.alias("sales@example.com", ALICE)
    assert owners(world, "anything@example.com") == {CAROL}
    assert owners(world, "any+thing@example.com") == {CAROL}
    assert owners(world, "sales@example.com") == {ALICE}
    assert owners(world, BOB) == {BOB}
    assert owners(world, "x@other.example") == set()


@pytest.mark.parametrize(
    ("targets", "send"),
    [((BOB,), False), (("him@outside.example",), True), (("loop@example.com",), True)],
)
def test_alias_without_sender_shields_its_address_from_the_catch_all(
    world: World, targets: tuple[str, ...], send: bool
) -> None:
    """S2.4: receive-only, leading outside, or in a circle: not the catch-all owner's."""
    world.alias("@example.com", CAROL)
    world.alias("loop@example.com", *targets, send=send)
    assert owners(world, "loop@example.com") == set()
    assert owners(world, "loop+x@example.com") == set()


def test_suspended_account_owns_nothing_and_still_shields(world: World) -> None:
    """S2.13: a suspended or disabled login owns nothing, by any way."""
    world.account(BOB, may_act=False)
    world.alias("@example.com", CAROL)
    world.alias("sales@example.com", BOB)
    world.grant(BOB, "*")
    world.grant(BOB, "news@example.com")
    for address in (BOB, "bob+x@example.com", "sales@example.com", "<>"):
        assert owners(world, address) == set()
    assert owners(world, "news@example.com") == {CAROL}


def test_tag_is_its_bases_unless_somebody_else_is_named(world: World) -> None:
    """S2.5: bob+x@ is bob's, an explicit alias beats it, grants of bob@ go no further than bob."""
    world.alias("bob+sales@example.com", ALICE)
    world.grant(CAROL, BOB)
    assert owners(world, "bob+x@example.com") == {BOB, CAROL}
    assert owners(world, "bob+sales@example.com") == {ALICE}
    assert owners(world, "bob+sales+more@example.com") == {BOB, CAROL}


def test_tag_never_crosses_domains_or_helps_where_the_base_is_not_owned(world: World) -> None:
    """S2.5: not abusable."""
    assert owners(world, "bob+x@example.org") == set()
    assert owners(world, "nobody+bob@example.com") == set()
    assert owners(world, "+bob@example.com") == set()
    assert owners(world, "bob+alice@example.com@evil.example") == set()
    assert owners(world, "bob-x@example.com") == set()
    assert owners(world, "bob-x@example.com", "+-") == {BOB}
    assert owners(world, "bob+x@example.com", "") == set()


def test_tag_of_an_alias_is_its_owners(world: World) -> None:
    """S2.5."""
    world.alias("sales@example.com", ALICE)
    assert owners(world, "sales+eu@example.com") == {ALICE}


def test_grants_for_address_tag_domain_and_everything(world: World) -> None:
    """S2.2, S2.8, S2.10: a plain list of extra senders; addresses that are not ours too."""
    world.grant(BOB, "noreply@external.example")
    world.grant(ALICE, "@example.com")
    world.grant(ADMIN, "*")
    assert owners(world, "noreply@external.example") == {BOB, ADMIN}
    assert owners(world, "noreply+x@external.example") == {BOB, ADMIN}
    assert owners(world, "whoever@example.com") == {ALICE, ADMIN}
    assert owners(world, "whoever@sub.example.com") == {ADMIN}
    assert owners(world, "x@gmail.com") == {ADMIN}


def test_a_grant_for_a_tag_is_for_that_tag_only(world: World) -> None:
    world.grant(ALICE, "bob+news@example.com")
    assert owners(world, "bob+news@example.com") == {BOB, ALICE}
    assert owners(world, BOB) == {BOB}
    assert owners(world, "bob+other@example.com") == {BOB}


def test_one_spelling_or_another(world: World) -> None:
    world.account("jörg@xn--bcher-kva.example")
    for spelling in (
        "JÖRG@bücher.example",
        "jo\u0308rg@BÜCHER.example",
        "Jörg+x@XN--BCHER-KVA.example",
        '"jörg"@bücher.example',
    ):
        assert owners(world, spelling) == {"jörg@xn--bcher-kva.example"}
    assert owners(world, '"b\\ob+x y"@EXAMPLE.com') == {BOB}


def test_domain_alias_keeps_the_name(world: World) -> None:
    world.alias("@old.example", "@example.com")
    assert owners(world, "bob@old.example") == {BOB}
    assert owners(world, "bob+x@old.example") == {BOB}
    assert owners(world, "nobody@old.example") == set()


def test_first_grant_to_run_out_bounds_the_answer(world: World) -> None:
    world.grant(ALICE, BOB, expires=200)
    world.grant(CAROL, BOB, expires=100)
    world.grant(ADMIN, "*")
    assert ownership.owners(world, BOB).until == 100


@pytest.mark.parametrize(("length", "resolves"), [(MAX_NESTING, True), (MAX_NESTING + 1, False)])
def test_nesting_is_bounded_with_a_clear_text(world: World, length: int, resolves: bool) -> None:
    for i in range(length - 1):
        world.alias(f"a{i}@example.com", f"a{i + 1}@example.com")
    world.alias(f"a{length - 1}@example.com", BOB)
    if resolves:
        assert owners(world, "a0@example.com") == {BOB}
    else:
        with pytest.raises(AliasBoundError, match="more than 50 nested aliases"):
            owners(world, "a0@example.com")


def test_expansion_is_bounded_with_a_clear_text(world: World) -> None:
    world.alias("all@example.com", *(f"u{i}@example.com" for i in range(MAX_ADDRESSES + 1)))
    with pytest.raises(AliasBoundError, match="more than 1000 addresses"):
        owners(world, "all@example.com")


def test_login_by_alias_counts_as_the_only_account_behind_it(world: World) -> None:
    """S2.4: log in with an alias, and it is the account that counts."""
    world.alias("robert@example.com", "rob@example.com", "copy@outside.example")
    world.alias("rob@example.com", BOB, send=False)
    world.alias("both@example.com", BOB, ALICE)
    world.alias("@example.com", CAROL)
    world.alias("out@example.com", "x@outside.example")
    assert ownership.account_behind(world, "Robert@Example.com") == BOB
    assert ownership.account_behind(world, "BOB@example.com") == BOB
    for nobody in ("both@example.com", "out@example.com", "any@example.com", "bob+x@example.com"):
        assert ownership.account_behind(world, nobody) is None
    for odd in ("", "@example.com", "@", "<>"):
        assert ownership.account_behind(world, odd) is None


def test_delivery_follows_receiving_rights_and_spares_accounts_the_catch_all(world: World) -> None:
    world.alias("@example.com", CAROL)
    world.alias("sales@example.com", BOB, "x@outside.example")
    world.alias("sales@example.com", ALICE, receive=False)
    assert ownership.delivery_targets(world, "sales+x@example.com", "+") == (
        BOB,
        "x@outside.example",
    )
    assert ownership.delivery_targets(world, "who@example.com") == (CAROL,)
    assert ownership.delivery_targets(world, BOB) == ()
    assert ownership.delivery_targets(world, "who@outside.example") == ()


# A brute-force model: plain recursion over every path, written from the sentences of DESIGN.md.

NAMES = ["a", "b", "c", "a+x", "b+x", "a+x+y"]
DOMAINS = ["d.example", "e.example"]
ADDRESSES = [f"{n}@{d}" for n in NAMES for d in DOMAINS]
KEYS = ADDRESSES + [f"@{d}" for d in DOMAINS]
TARGETS = [*KEYS, "out@outside.example"]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    logins = draw(st.dictionaries(st.sampled_from(ADDRESSES), st.booleans(), max_size=5))
    world = World(active=dict(logins))
    row = st.builds(AliasTarget, st.sampled_from(TARGETS), st.booleans(), st.booleans())
    world.rows = draw(
        st.dictionaries(st.sampled_from(KEYS), st.lists(row, min_size=1, max_size=3), max_size=6)
    )
    if logins:
        holder = st.builds(
            Holder, st.sampled_from(sorted(logins)), st.sampled_from([*KEYS, "*"]), st.none()
        )
        world.granted = draw(st.lists(holder, max_size=4))
    return world


def split(address: str) -> tuple[str, str, str]:
    name, domain = address.split("@")
    return name, name.split("+")[0], domain


def model_decided(world: World, address: str) -> str | None:
    _, base, domain = split(address)
    for key in (address, f"{base}@{domain}", f"@{domain}"):
        if key in world.active or key in world.rows:
            return key
    return None


def model_accounts(world: World, address: str, path: tuple[str, ...] = ()) -> set[str]:
    if address in path:
        return set()
    key = model_decided(world, address)
    found = {key} if key is not None and world.active.get(key, False) else set()
    for row in world.rows.get(key or "", []):
        if row.send:
            target = split(address)[0] + row.target if row.target[0] == "@" else row.target
            found |= model_accounts(world, target, (*path, address))
    return found


def model_owners(world: World, address: str) -> set[str]:
    _, base, domain = split(address)
    keys = {address, f"@{domain}", "*"}
    if model_decided(world, address) != address:
        keys.add(f"{base}@{domain}")
    granted = {h.login for h in world.granted if h.address in keys and world.active[h.login]}
    return granted | model_accounts(world, address)


@given(worlds(), st.sampled_from(ADDRESSES))
def test_owners_equal_the_brute_force_model(world: World, address: str) -> None:
    assert owners(world, address) == model_owners(world, address)


@given(worlds(), st.sampled_from(ADDRESSES))
def test_nobody_who_may_not_act_ever_owns(world: World, address: str) -> None:
    assert all(world.active[login] for login in owners(world, address))


@given(st.text(max_size=40))
def test_no_text_breaks_the_question(text: str) -> None:
    world = World(active={BOB: True})
    assert owners(world, text) <= {BOB}
    assert owners(world, f"{text}@example.com") <= {BOB}
