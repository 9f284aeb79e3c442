"""What `maysend alias add` refuses: circles, targets that are nobody, the same key twice."""

import json

import pytest

from maysend.directory import Directory
from tests.unit.cli_directory.test_commands import BOB, fails, people, run, url

__all__ = ["people", "url"]

ALICE, ALL = "alice@example.com", "all@example.com"


LOOPS = [
    # what is there, what is added, which target leads back
    (["a@ b@"], "b@ a@ bob@", "a@"),
    (["a@ b@", "b@ c@"], "c@ a@", "a@"),
    (["a@ b@"], "b@ a+tag@", "a+tag@"),
    ([], "a@ a@", None),
    ([], "@ nobody@", "nobody@"),
    (["@ bob@"], "@ nobody@", "nobody@"),
    ([], "/^x.*/ xyz@", "xyz@"),
    (["copy@ bob@"], "bob@ bob@ copy@", "copy@"),
]


@pytest.mark.parametrize(("there", "added", "culprit"), LOOPS)
def test_alias_that_leads_back_is_refused(
    people: str, there: list[str], added: str, culprit: str | None
) -> None:
    """Nothing of the command is written, also not the targets that lead back nowhere."""

    def words(line: str) -> list[str]:
        return [f"{word}example.com" if word.endswith("@") else word for word in line.split()]

    for line in there:
        assert run("alias", "add", *words(line), "--missing-ok").exit_code == 0
    with Directory.open(people) as directory:
        before = (directory.aliases.list(), directory.trail())
    said = fails(1, "alias", "add", *words(added), "--missing-ok")
    through = (
        f"back to itself through '{culprit}example.com'" if culprit else "to itself, and is no"
    )
    assert f"would lead {through}" in said
    with Directory.open(people) as directory:
        assert (directory.aliases.list(), directory.trail()) == before


def test_alias_of_an_account_may_keep_its_mail(people: str) -> None:
    """virtual(5): bob@example.com  bob@example.com, copy@…"""
    assert run("alias", "add", BOB, BOB, ALICE).exit_code == 0


def test_loop_that_is_there_all_the_same_is_harmless(people: str) -> None:
    with Directory.open(people) as directory:
        directory.aliases.add("a@example.com", ["b@example.com"])
        directory.aliases.add("b@example.com", ["a@example.com", BOB])
    shown = json.loads(run("rights", "--sender", "a@example.com", "--format", "json").stdout)
    assert [row["login"] for row in shown if row["by"] == "alias"] == ["bob@example.com"]


def test_alias_to_nobody_is_refused_unless_that_is_meant(people: str) -> None:
    """In a domain of ours; what is elsewhere nobody here can know."""
    assert "no account or alias 'bbo@example.com' to lead to; did you mean 'bob@example.com'?" in (
        fails(1, "alias", "add", "x@example.com", "bbo@example.com")
    )
    assert "mean 'bob@example.com'?" in fails(1, "list", "add", ALL, "--member", "bob")
    assert "--missing-ok" in fails(1, "alias", "add", "x@example.com", BOB, "zz@example.com")
    assert "there is no alias" in fails(1, "alias", "show", "x@example.com")
    assert run("alias", "add", "x@example.com", "zz@example.com", "--missing-ok").exit_code == 0
    assert run("alias", "add", "y@example.com", "bob+inbox@example.com").exit_code == 0
    assert run("alias", "add", "z@example.com", "anybody@elsewhere.example").exit_code == 0


def test_key_in_another_case_is_the_same_key(people: str) -> None:
    assert "there is already an account" in fails(
        1, "account", "add", "BOB@Example.COM", "--no-password"
    )
    assert run("list", "add", ALL).exit_code == 0
    assert "is a list already" in fails(1, "list", "add", ALL.upper())
    run("alias", "add", "x@example.com", BOB)
    run("alias", "add", "X@EXAMPLE.com", "BOB@example.com", "--receive-only")
    assert run("alias", "show", "x@example.com").stdout == (
        f"x@example.com -> {BOB}  receive only\n"
    )
