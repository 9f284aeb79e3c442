"""S5: the seed's ldap_smtpd_sender_restrictions.cf, word for word but for the address.

Its attribute `smtpd_sender_restrictions` has underscores, which OpenLDAP took when it was written
and now refuses in schemas and filters alike (RFC 4512, section 1.4): Debian's own postmap fails on
it. So it is asked as written, where both have to fail, and with hyphens, where all of it works.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from maysend.maincf import Parameters
from maysend.policy import Policy
from maysend.tables import TableContext, TableError, open_table
from tests.differential.live_postfix import LivePostfix
from tests.differential.tables.postmap import Postmap
from tests.servers.slapd import Slapd, ldif

pytestmark = [pytest.mark.needs_postfix, pytest.mark.needs_slapd]

TABLE = """\
server_host = ldap://localhost
server_port = 389
search_base = ou=People,dc=example,dc=org
query_filter = (&(smtpd_sender_restrictions=true)(mail=%s))
result_attribute = uid
result_filter = uid
result_format = REJECT This account is not allowed to send emails, plz talk to abuse@example.org
version = 3
timeout = 5
"""
ANSWER = "REJECT This account is not allowed to send emails, plz talk to abuse@example.org"
REPLY = (
    "554 5.7.1 <testuser2@example.org>: Sender address rejected: This account is not allowed to "
    "send emails, plz talk to abuse@example.org"
)


def account(number: int, *more: tuple[str, str]) -> str:
    """An entry with the attributes that the seed's has."""
    uid = f"testuser{number}"
    classes = "top person organizationalPerson inetOrgPerson posixAccount mailPolicy"
    return ldif(
        f"uid={uid},ou=People,dc=example,dc=org",
        *(("objectClass", name) for name in classes.split()),
        ("mail", f"{uid}@example.org"), ("cn", "Evaggelos Balaskas"), ("sn", "Balaskas"),
        ("givenName", "Evaggelos"), ("uidNumber", "99"), ("gidNumber", "12"), ("uid", uid),
        ("homeDirectory", "/storage/vhome/%d/%n"), ("userPassword", "XXXXXXXXXX"), *more,
    )  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[Slapd]:
    suspended = ("smtpd-sender-restrictions", "true")
    with Slapd(account(1) + account(2, suspended)) as slapd:
        yield slapd


@pytest.fixture(scope="module")
def as_written(server: Slapd, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("seed") / "ldap_smtpd_sender_restrictions.cf"
    path.write_text(TABLE.replace("ldap://localhost\n", f"{server.url}\n"))
    return path


@pytest.fixture(scope="module")
def table(as_written: Path) -> Path:
    path = as_written.with_name("hyphens.cf")
    text = as_written.read_text()
    path.write_text(text.replace("smtpd_sender_restrictions=", "smtpd-sender-restrictions="))
    return path


def test_s5_1_policy_rejects_the_suspended_account(table: Path) -> None:
    policy = Policy.from_parameters({
        "compatibility_level": "3.6",
        "mydestination": "example.com",
        "local_recipient_maps": "",
        "smtpd_sender_restrictions": f"check_sender_access ldap:{table}",
    })  # fmt: skip
    session = policy.session(client_address="192.0.2.7", client_name="unknown")
    for sender, wanted in (("testuser2@example.org", REPLY), ("testuser1@example.org", None)):
        session.reset()
        session.connect()
        session.helo("client.example")
        session.mail(sender)
        reply = session.rcpt("bob@example.com").reply
        assert (reply and str(reply)) == wanted


def test_s5_1_a_live_smtpd_says_the_same(table: Path, tmp_path: Path) -> None:
    parameters = {
        "smtpd_sender_restrictions": "check_sender_access ldap:$config_directory/suspended",
    }
    files = {"suspended": table.read_text()}
    with LivePostfix(parameters, files) as postfix:
        policy = Policy(Parameters.load(postfix.directory))
        ours = policy.session(client_address="192.0.2.7", client_name="unknown")
        ours.connect()
        ours.helo("client.example")
        with postfix.session(client_address="192.0.2.7", helo="client.example") as smtp:
            for number in (1, 2):
                sender = f"testuser{number}@example.org"
                ours.reset()
                ours.mail(sender)
                smtp.command("RSET")
                assert smtp.command(f"MAIL FROM:<{sender}>").startswith("250 ")
                theirs = smtp.command("RCPT TO:<postmaster@example.com>")
                reply = ours.rcpt("postmaster@example.com").reply
                assert (str(reply) if reply else "250 2.1.5 Ok") == theirs
            assert theirs == REPLY


def test_s5_2_underscores_fail_as_in_postmap(as_written: Path, tmp_path: Path) -> None:
    status, output, complaint = Postmap(tmp_path / "config", {}).ask(
        f"ldap:{as_written}", "testuser2@example.org"
    )
    assert (status, output) == (1, b"")
    assert b"Bad search filter" in complaint
    warnings: list[str] = []
    opened = open_table(f"ldap:{as_written}", TableContext(warn=warnings.append))
    with pytest.raises(TableError, match="Bad search filter") as caught:
        opened.lookup("testuser2@example.org")
    assert caught.value.kind == "retry"
    assert any("smtpd_sender_restrictions: an attribute's name" in text for text in warnings)


def test_s5_2_lookup_equals_postmap(table: Path, tmp_path: Path) -> None:
    postmap = Postmap(tmp_path / "config", {})
    warnings: list[str] = []
    opened = open_table(f"ldap:{table}", TableContext(warn=warnings.append))
    assert opened.lookup("testuser2@example.org") == ANSWER
    assert any("result_filter is ignored" in warning for warning in warnings)
    assert any("server_port is ignored" in warning for warning in warnings)
    for key in (
        "testuser2@example.org",
        "TestUser2@Example.ORG",
        "testuser1@example.org",
        "*",
        "x",
    ):
        status, output, _ = postmap.ask(f"ldap:{table}", key)
        answer = opened.lookup(key)
        assert (status, output) == ((0, f"{answer}\n".encode()) if answer else (1, b""))


def test_s5_2_the_command_answers_as_postmap(table: Path) -> None:
    command = [str(Path(sys.executable).with_name("maysend")), "lookup", f"ldap:{table}"]
    done = subprocess.run([*command, "testuser2@example.org"], capture_output=True, check=False)
    assert (done.returncode, done.stdout.decode()) == (0, f"{ANSWER}\n")


@pytest.mark.parametrize("key", [
    "*", "testuser2@example.org)(mail=*", "*)(uid=*))(|(uid=*", "testuser2@example.or*",
    "testuser2\\40example.org", "x)(|(smtpd-sender-restrictions=true", "\\2a",
])  # fmt: skip
def test_s5_2_no_key_changes_the_filter(table: Path, key: str) -> None:
    assert open_table(f"ldap:{table}", TableContext()).lookup(key) is None


def test_s5_3_a_missing_driver_says_what_to_install(
    table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ldap", None)
    with pytest.raises(TableError) as caught:
        open_table(f"ldap:{table}", TableContext(asked_by="postmap"))
    assert "pip install 'maysend[ldap]'" in str(caught.value)
    assert "libldap-dev libsasl2-dev" in str(caught.value)
