"""Who may write to a protected list, in small worlds without a database (S3.2, S3.4)."""

from hypothesis import given
from hypothesis import strategies as st

from maysend.directory.posting import ANY_LOGIN, EVERYONE, MEMBERS, USERS, may_post, posters
from tests.unit.directory.worlds import World

BOB, ALICE, EVE = "bob@example.com", "alice@example.com", "eve@example.com"
ALL = "all@example.com"


def world(*words: str) -> World:
    made = World()
    for login in (BOB, ALICE, EVE):
        made.account(login)
    made.lists[ALL] = words
    made.alias(ALL, BOB, ALICE, send=False)
    return made


def test_recipient_that_is_no_list_is_open() -> None:
    assert posters(world(BOB), BOB, "+") is None
    assert posters(world(BOB), "x@elsewhere.example", "+") is None
    assert posters(world(BOB), "", "+") is None


def test_list_without_posters_is_closed() -> None:
    """An empty answer never means open."""
    assert posters(world(), ALL, "+") == ()


def test_words_and_logins() -> None:
    assert posters(world(BOB, "@example.org"), ALL) == ("@example.org", BOB)
    assert posters(world(MEMBERS), ALL) == (ALICE, BOB)
    assert posters(world(USERS), ALL) == (ANY_LOGIN,)
    assert posters(world(EVERYONE), ALL) is None


def test_login_that_is_gone_or_disabled_may_not() -> None:
    made = world(BOB, "gone@example.com", MEMBERS)
    made.account(BOB, may_act=False)
    assert posters(made, ALL) == (ALICE,)


def test_list_is_known_by_extension_and_spelling() -> None:
    for spelling in ("all+x@example.com", '"All"@EXAMPLE.com', "ALL+a+b@example.com"):
        assert posters(world(BOB), spelling, "+") == (BOB,)
    assert posters(world(BOB), "all+x@example.com", "") is None


def test_list_is_known_through_every_alias_that_delivers_to_it() -> None:
    made = world(BOB)
    made.alias("everybody@example.com", ALL)
    made.alias("nested@example.com", "everybody+x@example.com")
    made.alias("@side.example", "nested@example.com")
    made.patterns.append(("^staff-", made.rows["everybody@example.com"][0]))
    for way in ("everybody@example.com", "nested+y@example.com", "x@side.example", "staff-1@b.c"):
        assert posters(made, way, "+") == (BOB,)


def test_alias_that_only_sends_is_no_way_to_a_list() -> None:
    made = world(BOB)
    made.alias("sender@example.com", ALL, receive=False)
    assert posters(made, "sender@example.com", "+") is None


def test_mail_to_several_lists_needs_each() -> None:
    made = world("@example.com", "@example.org")
    made.lists["second@example.com"] = (BOB, "carl@example.org")
    made.account("carl@example.org")
    made.alias("both@example.com", ALL, "second@example.com")
    assert posters(made, "both@example.com", "+") == (BOB, "carl@example.org")
    made.lists["third@example.com"] = ()
    made.alias("both@example.com", "third@example.com")
    assert posters(made, "both@example.com", "+") == ()


WORDS = st.sampled_from([BOB, ALICE, EVE, "@example.com", "@example.org", USERS])


@given(st.lists(WORDS), st.lists(WORDS), st.sampled_from([BOB, ALICE, EVE, "x@example.org", "x"]))
def test_who_may_write_to_both_may_write_to_each(
    first: list[str], second: list[str], login: str
) -> None:
    made = World()
    for each in (BOB, ALICE, EVE, "x@example.org", "x"):
        made.account(each)
    made.lists["a@l.example"], made.lists["b@l.example"] = tuple(first), tuple(second)
    made.alias("both@l.example", "a@l.example", "b@l.example")
    both, a, b = (posters(made, f"{n}@l.example") or () for n in ("both", "a", "b"))
    assert may_post(login, both) == (may_post(login, a) and may_post(login, b))
