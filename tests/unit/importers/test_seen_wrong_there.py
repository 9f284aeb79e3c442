"""What is wrong in docker-mailserver, done right: a test for each row of SEMANTICS.md's last part.

The names of the tests are the rows.
"""

from pathlib import Path

import pytest
from click.testing import CliRunner

from maysend.cli.main import main
from maysend.directory import Directory
from maysend.importers.docker_mailserver import read_folder, synchronise
from maysend.policy import Policy, Request
from tests.unit.directory.conftest import open_directory_table

BOB, BOBBY, ALICE, CAROL = (f"{name}@example.com" for name in ("bob", "bobby", "alice", "carol"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """docker-mailserver's files with what its documentation shows."""
    made = tmp_path / "config"
    made.mkdir()
    accounts = "".join(f"{login}|{{PLAIN}}x\n" for login in (BOB, BOBBY, ALICE, CAROL))
    (made / "postfix-accounts.cf").write_text(accounts)
    (made / "mailserver.env").write_text("SPOOF_PROTECTION=1\n")
    return made


def with_aliases(directory: Directory, folder: Path, virtual: str) -> None:
    (folder / "postfix-virtual.cf").write_text(virtual)
    synchronise(directory, read_folder(folder))


def owners(directory: Directory, address: str) -> str | None:
    return open_directory_table(directory, "owners").lookup(address)


def test_nested_aliases_can_send(directory: Directory, folder: Path) -> None:
    """S2.4."""
    with_aliases(directory, folder, f"a@example.com b@example.com\nb@example.com {BOB},{ALICE}\n")
    assert owners(directory, "a@example.com") == f"{ALICE},{BOB}"


def test_catch_all_owners_can_send(directory: Directory, folder: Path) -> None:
    """S2.4: and explicit aliases and accounts come first."""
    with_aliases(directory, folder, f"@example.com {BOB}\nsales@example.com {ALICE}\n")
    assert owners(directory, "anything@example.com") == BOB
    assert owners(directory, "sales@example.com") == ALICE
    assert owners(directory, CAROL) == CAROL


def test_tags_can_send(directory: Directory, folder: Path) -> None:
    """S2.5: one's own, that of one's alias, and nobody else's."""
    with_aliases(directory, folder, f"sales@example.com {BOB}\nbob+vip@example.com {ALICE}\n")
    assert owners(directory, "bob+x@example.com") == BOB
    assert owners(directory, "sales+x@example.com") == BOB
    assert owners(directory, "bob+vip@example.com") == ALICE
    assert owners(directory, "bob+x@elsewhere.example") is None


def test_bare_aliases_can_send(directory: Directory, folder: Path) -> None:
    """S2.11: names without a domain, of postfix-virtual.cf and of postfix-aliases.cf."""
    (folder / "postfix-aliases.cf").write_text(f"abuse: {CAROL}\n")
    with_aliases(directory, folder, f"hostmaster {BOB}\n")
    assert owners(directory, "hostmaster") == BOB
    assert owners(directory, "hostmaster@localhost") == BOB
    assert owners(directory, "abuse@localhost") == CAROL


@pytest.mark.parametrize("near", ["bob@example.co", "ob@example.com", "bobXexample.com@x.example"])
def test_overlap_is_of_whole_addresses(directory: Directory, folder: Path, near: str) -> None:
    """S2.13: there a new name that another begins with, or that matches as a pattern, is
    refused."""
    with_aliases(directory, folder, "")
    directory.aliases.add(near, [ALICE])
    directory.accounts.add(near.replace("@", "-account@"))
    assert owners(directory, near) == ALICE
    assert owners(directory, BOB) == BOB


def test_deleted_account_owns_nothing(directory: Directory, folder: Path) -> None:
    """S2.13: not by the aliases of several targets that still name it in the files, either."""
    with_aliases(directory, folder, f"team@example.com {BOB},{ALICE}\n")
    assert owners(directory, "team@example.com") == f"{ALICE},{BOB}"
    accounts = folder / "postfix-accounts.cf"
    accounts.write_text(accounts.read_text().replace(f"{BOB}|{{PLAIN}}x\n", ""))
    synchronise(directory, read_folder(folder))
    assert "bob@example.com" in (folder / "postfix-virtual.cf").read_text()
    assert owners(directory, "team@example.com") == ALICE
    assert owners(directory, BOB) is None
    with pytest.raises(Exception, match="no account"):
        directory.accounts.suspend(BOB, "x")


def test_restricting_matches_the_whole_address(directory: Directory, folder: Path) -> None:
    """S2.13: there `restrict add` finds "bob" inside "bobby" and thinks it is restricted."""
    access = folder / "postfix-send-access.cf"
    access.write_text(f"{BOBBY} REJECT\n")
    with_aliases(directory, folder, "")
    suspended = open_directory_table(directory, "suspended")
    assert suspended.lookup(BOB) is None
    access.write_text(f"{BOBBY} REJECT\n{BOB} REJECT\n")
    synchronise(directory, read_folder(folder))
    refusal = "REJECT You may not send mail"
    asked = open_directory_table(directory, "suspended")
    assert [asked.lookup(login) for login in (BOB, BOBBY, ALICE)] == [refusal, refusal, None]


def test_ending_a_restriction_ends_exactly_one(tmp_path: Path) -> None:
    """S2.13: there `restrict del b` ends those of all that begin with b."""
    url = str(tmp_path / "d.db")

    def run(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(main, [*arguments, "--directory", url])
        return done.exit_code, done.output

    for login in (BOB, BOBBY):
        assert run("account", "add", login, "--no-password")[0] == 0
        assert run("account", "suspend", login, "--reason", "Call 123")[0] == 0
    code, said = run("account", "resume", "b@example.com")
    assert code == 1
    assert "there is no account 'b@example.com'; did you mean 'bob@example.com'?" in said
    assert run("account", "resume", BOB)[0] == 0
    with Directory.open(url) as directory:
        assert not directory.accounts.get(BOB).is_suspended(directory.now())
        assert directory.accounts.get(BOBBY).is_suspended(directory.now())


@pytest.mark.parametrize("sender", [BOB, "sales@example.com", "", "bob+tag@example.com", ALICE])
def test_restriction_holds_for_every_sender_of_the_login(
    directory: Directory, folder: Path, sender: str
) -> None:
    """S2.13, S5.4: there an alias or <> goes around it, and ports 587 and 465 altogether."""
    (folder / "postfix-send-access.cf").write_text(f"{BOB} REJECT\n")
    with_aliases(directory, folder, f"sales@example.com {BOB}\n")
    policy = Policy.builtin(directory.table_types())
    reply = policy.decide(
        Request(
            client_address="192.0.2.1",
            sasl_username="Bob@Example.com",
            sasl_method="PLAIN",
            sender=sender,
            recipient="x@example.net",
        )
    ).reply
    assert reply is not None
    assert reply.code == 554
    assert reply.text.endswith("You may not send mail")


@pytest.mark.parametrize("address", ["a@b@c", "@", "a@", "@b.example", "", "a b@c.example", "ä@@x"])
def test_what_is_no_address_becomes_no_account(
    directory: Directory, folder: Path, address: str
) -> None:
    """S2.13: and costs no other line."""
    accounts = folder / "postfix-accounts.cf"
    accounts.write_text(f"{address}|{{PLAIN}}x\n{accounts.read_text()}")
    wanted = read_folder(folder)
    synchronise(directory, wanted)
    assert [each.login for each in directory.accounts.list()] == sorted([BOB, BOBBY, ALICE, CAROL])
    assert [(r.line, r.kind) for r in wanted.remarks if r.file == accounts.name] == [(1, "skipped")]


def test_external_domains_never_become_ours(directory: Directory, folder: Path) -> None:
    """S2.9: by no alias to or from an address there, so that mail for it goes out."""
    (folder / "postfix-regexp.cf").write_text(f"/@pattern\\.example$/ {BOB}\n")
    with_aliases(
        directory,
        folder,
        f"{ALICE} alice@gmail.example\nnoreply@far.example {BOB}\n@all.example {BOB}\n",
    )
    domains = open_directory_table(directory, "domains")
    for domain in ("gmail.example", "far.example", "all.example", "pattern.example"):
        assert domains.lookup(domain) is None
        assert domains.lookup(f"somebody@{domain}") is None
    assert domains.lookup("example.com") == "managed"
    assert owners(directory, "noreply@far.example") == BOB  # S2.8: only to send as


def test_ldap_is_told_to_be_a_union(folder: Path) -> None:
    """S2.3: there it is a list of tables in which the first that answers wins."""
    (folder / "mailserver.env").write_text(
        "SPOOF_PROTECTION=1\nACCOUNT_PROVISIONER=LDAP\nLDAP_BIND_PW=s3cret\n"
        "LDAP_QUERY_FILTER_USER=(mail=%s)\nLDAP_QUERY_FILTER_SENDERS=(sender=%s)\n"
    )
    told = "\n".join(map(str, read_folder(folder).remarks))
    assert "unionmap:{directory:owners, ldap:/etc/postfix/ldap-users.cf, ldap:/etc/" in told
    assert "here all owners count" in told
    assert "s3cret" not in told
