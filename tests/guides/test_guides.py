"""Every command in docs/guides/ is run, and prints what the guide shows (S2.2, S2.8, S2.10, S2.12,
S3.2, S5.4, S5.5)."""

from pathlib import Path

import pytest

from tests.differential.ldap.test_union_with_directory import TEAM, person
from tests.guides.console import examples, is_shown, run
from tests.servers.slapd import Slapd

GUIDES = Path(__file__).parents[2] / "docs" / "guides"
NEEDS_LDAP = GUIDES / "ldap.md"
GUIDES_SERVER = "ldap://ldap.example.org"


@pytest.mark.parametrize(
    "guide", sorted(set(GUIDES.glob("*.md")) - {NEEDS_LDAP}), ids=lambda path: str(path.stem)
)
def test_guide_shows_what_its_commands_print(guide: Path, tmp_path: Path) -> None:
    found = examples(guide.read_text())
    assert found
    for example in found:
        real = run(example.command, tmp_path)
        assert is_shown(example.shown, real), f"{guide.name}:{example.line}:\n{real}"


def test_every_guide_is_in_the_index() -> None:
    index = (GUIDES.parent / "README.md").read_text()
    for guide in GUIDES.glob("*.md"):
        assert f"(guides/{guide.name})" in index


@pytest.mark.parametrize(
    ("shown", "real", "same"),
    [
        ("a\nb\n", "a\nb\n", True),
        ("a\n", "a\nb\n", False),
        ("a\n…\n", "a\nb\nc\n", True),
        ("…\nc\n", "a\nb\nc\n", True),
        ("a\n…\nc\n", "a\nc\n", True),
        ("a\n…\nd\n", "a\nb\nc\n", False),
        ("", "a\n", False),
    ],
)
def test_only_an_ellipsis_stands_for_other_lines(shown: str, real: str, same: bool) -> None:
    assert is_shown(shown, real) is same


@pytest.mark.needs_slapd
def test_ldap_guide_shows_what_its_commands_print(tmp_path: Path) -> None:
    """S2.3: against a real slapd, in place of the guide's ldap.example.org."""
    people = (
        person("bob", ("mailacceptinggeneralid", "robert@example.org"), ("routeto", TEAM))
        + person("alice", ("routeto", TEAM))
        + person("cron", ("maildrop", "noreply@foreign.example"))
    )
    with Slapd(people) as server:
        for example in examples(NEEDS_LDAP.read_text()):
            command = example.command.replace(GUIDES_SERVER, server.url)
            real = run(command, tmp_path).replace(server.url, GUIDES_SERVER)
            assert is_shown(example.shown, real), f"ldap.md:{example.line}:\n{real}"
