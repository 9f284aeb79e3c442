"""The tables of the articles the project grew from, word for word but for addresses and ports."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from maysend.policy import Policy, Request
from maysend.tables import TableContext, TableError, open_table
from tests.differential.live_postfix import LivePostfix
from tests.differential.tables.postmap import Postmap
from tests.servers.mariadb import MariaDb

pytestmark = pytest.mark.needs_mariadb

SENDER_LOGINS = """\
hosts = 127.0.0.1:{port}
user = postfix
password = yourDatabasePasswordHere
dbname = mail
query = SELECT email FROM users WHERE email='%s'
"""
SENDER_OVERRIDES = "/.*@example.com/ tracy@example.com\n"
UNION = """\
hosts = 127.0.0.1:{port}
user = postfix
password = yourDatabasePasswordHere
dbname = mail
query = SELECT email
  FROM users
  WHERE email='%s'
  UNION SELECT destination
  FROM aliases
  WHERE source='%s'
  UNION SELECT email
  FROM users
  WHERE wildcard_sending=1
"""
USERS = """
DROP DATABASE IF EXISTS mail; CREATE DATABASE mail CHARACTER SET utf8mb4; USE mail;
CREATE TABLE users (email VARCHAR(200) PRIMARY KEY, wildcard_sending TINYINT DEFAULT 0);
CREATE TABLE aliases (source VARCHAR(200), destination VARCHAR(200));
INSERT INTO users VALUES
  ('alice@example.com', 0), ('bob@example.com', 0), ('tracy@example.com', 1);
INSERT INTO aliases VALUES
  ('sales@example.com', 'alice@example.com'), ('sales@example.com', 'bob@example.com');
"""

ISPCONFIG = """\
user        = ispconfig
password    = secret????
hosts       = 127.0.0.1:{port}
port        = 3306
dbname      = dbispconfig
query       = SELECT mail_user.email FROM mailbox,domain WHERE mail_user.email='%s'
"""
WITH_DOMAIN = """\
user        = vmail
password    = secret????
hosts       = 127.0.0.1:{port}
dbname      = vmail
query = SELECT mailbox.username FROM mailbox,domain WHERE mailbox.username='%s' AND
 mailbox.domain='%d' AND mailbox.domain=domain.domain AND
 mailbox.enablesmtp=1 AND mailbox.active=1 AND domain.active=1
"""
MAILBOX = """\
user        = vmail
password    = secret????
hosts       = 127.0.0.1:{port}
port        = 3306
dbname      = vmail
query       = SELECT mailbox.username FROM mailbox WHERE mailbox.username='%s' AND mailbox.enablesmtp=1 AND mailbox.active=1
"""  # noqa: E501
VMAIL = """
DROP DATABASE IF EXISTS vmail; CREATE DATABASE vmail CHARACTER SET utf8mb4; USE vmail;
CREATE TABLE domain (domain VARCHAR(200) PRIMARY KEY, active TINYINT);
CREATE TABLE mailbox (username VARCHAR(200) PRIMARY KEY, domain VARCHAR(200),
  enablesmtp TINYINT, active TINYINT);
INSERT INTO domain VALUES ('example.com', 1), ('closed.example', 0);
INSERT INTO mailbox VALUES ('alice@example.com', 'example.com', 1, 1),
  ('nosmtp@example.com', 'example.com', 0, 1), ('gone@example.com', 'example.com', 1, 0),
  ('carol@closed.example', 'closed.example', 1, 1);
"""
ISPCONFIG_TABLES = """
DROP DATABASE IF EXISTS dbispconfig; CREATE DATABASE dbispconfig; USE dbispconfig;
CREATE TABLE mail_user (email VARCHAR(200)); CREATE TABLE domain (domain VARCHAR(200));
CREATE TABLE mailbox (username VARCHAR(200));
INSERT INTO mail_user VALUES ('alice@example.com');
"""  # fmt: skip

ALICE, BOB, TRACY = "alice@example.com", "bob@example.com", "tracy@example.com"
SENDER_LISTS = {
    "smtpd_sasl_auth_enable": "yes",
    "smtpd_sender_restrictions": "reject_sender_login_mismatch",
    "smtpd_recipient_restrictions": "permit_sasl_authenticated, reject",
}


@pytest.fixture
def port(mariadb: MariaDb) -> Iterator[int]:
    """The port of a server with all the databases and accounts of the articles."""
    mariadb.start()
    accounts = {"postfix": "yourDatabasePasswordHere", "vmail": "secret????",
                "ispconfig": "secret????"}  # fmt: skip
    for name, password in accounts.items():
        mariadb.execute(
            f"CREATE OR REPLACE USER {name}@'127.0.0.1' IDENTIFIED BY '{password}';"
            f"GRANT ALL ON *.* TO {name}@'127.0.0.1'"
        )
    mariadb.execute(USERS + VMAIL + ISPCONFIG_TABLES)
    yield mariadb.port
    mariadb.execute("SET PASSWORD FOR postfix@'127.0.0.1' = PASSWORD('s3cret-pw')")


class Site:
    """The article's /etc/postfix."""

    def __init__(self, directory: Path, port: int) -> None:
        self.directory = directory
        self._port = port
        self.pcre = self.table("pcre", "sender_overrides.cf", SENDER_OVERRIDES)

    def table(self, type_name: str, name: str, text: str) -> str:
        """Write a table's file; its `type:name`."""
        path = self.directory / name
        path.write_text(text.replace("{port}", str(self._port)))
        return f"{type_name}:{path}"


@pytest.fixture
def site(tmp_path: Path, port: int) -> Site:
    for directory in (tmp_path, *tmp_path.parents[:2]):
        directory.chmod(0o755)  # smtpd runs as postfix
    return Site(tmp_path, port)


def reply(maps: str, login: str, sender: str) -> str | None:
    """What the policy answers to this sender."""
    policy = Policy.from_parameters(SENDER_LISTS | {"smtpd_sender_login_maps": maps})
    request = Request(
        client_address="192.0.2.7", sasl_username=login, sender=sender, recipient="bob@example.net"
    )
    answer = policy.decide(request).reply
    return None if answer is None else str(answer)


def not_owned(sender: str, login: str) -> str:
    return f"553 5.7.1 <{sender}>: Sender address rejected: not owned by user {login}"


def test_s1_2_mysql_before_pcre_keeps_the_admin_out(site: Site) -> None:
    maps = f"{site.table('mysql', 'sender_logins.cf', SENDER_LOGINS)},\n  {site.pcre}"
    assert reply(maps, ALICE, ALICE) is None
    assert reply(maps, TRACY, ALICE) == not_owned(ALICE, TRACY)
    assert reply(maps, TRACY, "anything@example.com") is None
    assert reply(maps, BOB, ALICE) == not_owned(ALICE, BOB)
    assert reply(maps, "", ALICE) == (
        f"553 5.7.1 <{ALICE}>: Sender address rejected: not logged in"
    )


def test_s1_2_pcre_before_mysql_keeps_everybody_else_out(site: Site) -> None:
    maps = f"{site.pcre},\n  {site.table('mysql', 'sender_logins.cf', SENDER_LOGINS)}"
    assert reply(maps, TRACY, ALICE) is None
    assert reply(maps, ALICE, ALICE) == not_owned(ALICE, ALICE)


def test_s1_4_union_in_sql_gives_all_owners(site: Site) -> None:
    maps = site.table("mysql", "sender_logins.cf", UNION)
    table = open_table(maps, TableContext())
    assert table.lookup(ALICE) == f"{ALICE},{TRACY}"
    assert table.lookup("sales@example.com") == f"{ALICE},{BOB},{TRACY}"
    assert table.lookup("stranger@example.org") == TRACY  # it answers for all the world
    for login, sender in ((ALICE, ALICE), (TRACY, ALICE), (BOB, "sales@example.com")):
        assert reply(maps, login, sender) is None
    assert reply(maps, BOB, ALICE) == not_owned(ALICE, BOB)


def test_s1_5_unionmap_of_mysql_and_pcre(site: Site) -> None:
    mysql = site.table("mysql", "sender_logins.cf", SENDER_LOGINS)
    maps = f"unionmap:{{\n    {mysql},\n    {site.pcre} }}"
    assert open_table(maps, TableContext()).lookup(ALICE) == f"{ALICE},{TRACY}"
    assert reply(maps, ALICE, ALICE) is None
    assert reply(maps, TRACY, ALICE) is None
    assert reply(maps, BOB, ALICE) == not_owned(ALICE, BOB)


@pytest.mark.parametrize(
    ("schema", "sender", "owner"),
    [
        (WITH_DOMAIN, ALICE, ALICE),
        (WITH_DOMAIN, "ALICE@Example.COM", ALICE),
        (WITH_DOMAIN, "nosmtp@example.com", None),
        (WITH_DOMAIN, "gone@example.com", None),
        (WITH_DOMAIN, "carol@closed.example", None),
        (WITH_DOMAIN, "alice", None),
        (MAILBOX, ALICE, ALICE),
        (MAILBOX, "nosmtp@example.com", None),
        (MAILBOX, "gone@example.com", None),
        (MAILBOX, "carol@closed.example", "carol@closed.example"),
        (MAILBOX, "@example.com", None),
    ],
)
def test_s4_4_both_schemas(site: Site, schema: str, sender: str, owner: str | None) -> None:
    maps = site.table("proxy:mysql", "sender_login_maps.cf", schema)
    assert open_table(maps, TableContext()).lookup(sender) == owner
    postmap = Postmap(site.directory / "etc", {})
    # postmap asks the table itself: there is no proxymap here.
    answer = postmap.ask(maps.removeprefix("proxy:"), sender)[1].decode().rstrip("\n")
    assert (answer or None) == owner


def test_s4_4_the_policy_with_proxy_mysql(site: Site) -> None:
    maps = site.table("proxy:mysql", "sender_login_maps.cf", WITH_DOMAIN)
    assert reply(maps, ALICE, ALICE) is None
    assert reply(maps, BOB, ALICE) == not_owned(ALICE, BOB)
    assert reply(maps, "", ALICE) == f"553 5.7.1 <{ALICE}>: Sender address rejected: not logged in"


def test_s4_4_the_ispconfig_query_fails_and_lets_nobody_through(site: Site) -> None:
    """Its FROM lacks mail_user: a temporary error for everybody, as in Postfix."""
    maps = site.table("proxy:mysql", "mysql-sender_login_maps.cf", ISPCONFIG)
    with pytest.raises(TableError, match="mail_user") as error:
        open_table(maps, TableContext()).lookup(ALICE)
    assert error.value.kind == "retry"
    assert (reply(maps, ALICE, ALICE) or "").startswith("451 4.3.0")
    asked = Postmap(site.directory / "etc", {}).ask(maps.removeprefix("proxy:"), ALICE)
    assert b"mail_user" in asked[2]


@pytest.mark.needs_postfix
def test_s1_2_the_live_smtpd_says_the_same(site: Site) -> None:
    mysql = site.table("mysql", "sender_logins.cf", SENDER_LOGINS)
    union = site.table("mysql", "union.cf", UNION)
    lists = (f"{mysql}, {site.pcre}", f"{site.pcre}, {mysql}", union,
             f"unionmap:{{ {mysql}, {site.pcre} }}")  # fmt: skip
    with LivePostfix(SENDER_LISTS) as postfix:
        for maps in lists:
            postfix.configure(SENDER_LISTS | {"smtpd_sender_login_maps": maps}, {})
            for login, sender in ((ALICE, ALICE), (TRACY, ALICE), (BOB, ALICE), (TRACY, TRACY)):
                with postfix.session(
                    client_address="192.0.2.7", helo="client.example", login=login
                ) as smtp:
                    smtp.command(f"MAIL FROM:<{sender}>")
                    theirs = smtp.command("RCPT TO:<bob@example.net>")
                ours = reply(maps, login, sender)
                assert (ours or "250 2.1.5 Ok") == theirs, (maps, login, sender, postfix.log())
