"""The configurations of the seeds, as written there but for addresses, and the corrected ones.

Each gets the finding that its text warns of; the corrected one gets no error and no warning of
that kind.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from maysend.lint import Configuration, Finding, lint
from tests.servers.mariadb import MariaDb
from tests.servers.slapd import ADMIN, PASSWORD, Slapd

ALWAYS = """\
compatibility_level = 3.6
myhostname = mail.example.com
mydomain = example.com
myorigin = example.com
mydestination = example.com
mynetworks = 127.0.0.0/8
local_recipient_maps =
smtpd_sasl_auth_enable = yes
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
"""
LOGIN_CHECK = "smtpd_sender_restrictions = reject_sender_login_mismatch\n"


def findings(directory: Path, main_cf: str, **files: str) -> list[Finding]:
    for name, text in files.items():
        path = directory / name.replace("__", ".")
        path.write_text(text)
        path.chmod(0o640)
    (directory / "main.cf").write_text(ALWAYS + main_cf.replace("/etc/postfix", str(directory)))
    return lint(Configuration(directory))


def codes(found: list[Finding]) -> set[str]:
    return {finding.code for finding in found if finding.severity.value != "note"}


@pytest.fixture(scope="module")
def mariadb() -> Iterator[MariaDb]:
    with MariaDb() as server:
        server.execute(
            "CREATE DATABASE mail; USE mail;"
            "CREATE TABLE users (email VARCHAR(99), wildcard_sending INT DEFAULT 0);"
            "CREATE TABLE aliases (source VARCHAR(99), destination VARCHAR(99));"
            "INSERT INTO users VALUES ('alice@example.com', 0), ('admin@example.com', 1);"
            "INSERT INTO aliases VALUES ('sales@example.com', 'alice@example.com');"
        )
        yield server


def sender_logins(server: MariaDb, query: str) -> str:
    return (
        f"hosts = unix:{server.socket}\nuser = postfix\npassword = s3cret-pw\ndbname = mail\n"
        f"query = {query}\n"
    )


ARTICLE = "SELECT email FROM users WHERE email='%s'"
UNION = (
    "SELECT email\n FROM users\n WHERE email='%s'\n UNION SELECT destination\n FROM aliases\n"
    " WHERE source='%s'\n UNION SELECT email\n FROM users\n WHERE wildcard_sending=1"
)
MYSQL, PCRE = "mysql:/etc/postfix/sender_logins.cf", "pcre:/etc/postfix/sender_overrides.cf"


@pytest.mark.needs_mariadb
@pytest.mark.parametrize("order", [f"{MYSQL},\n {PCRE}", f"{PCRE}, {MYSQL}"])
def test_s1_3_mysql_and_pcre_shadow_each_other(
    tmp_path: Path, mariadb: MariaDb, order: str
) -> None:
    found = findings(
        tmp_path,
        f"smtpd_sender_login_maps =\n {order}\n{LOGIN_CHECK}",
        sender_logins__cf=sender_logins(mariadb, ARTICLE),
        sender_overrides__cf="/.*@example.com/ admin@example.com\n",
    )
    assert codes(found) == {"MS101", "MS104"}  # shadowed; and the pattern's dot and end are loose
    shadowed = next(finding for finding in found if finding.code == "MS101")
    assert "unionmap:{" in shadowed.problem.fix


@pytest.mark.needs_mariadb
def test_s1_4_a_union_query_that_owns_the_world(tmp_path: Path, mariadb: MariaDb) -> None:
    main_cf = f"smtpd_sender_login_maps = {MYSQL}\n{LOGIN_CHECK}"
    found = findings(tmp_path, main_cf, sender_logins__cf=sender_logins(mariadb, UNION))
    assert codes(found) == {"MS106"}
    example = found[0].problem.example
    assert example is not None
    assert "not logged in" in example.answer
    assert example.login == ""


@pytest.mark.needs_mariadb
def test_s1_5_the_corrected_union_gets_none(tmp_path: Path, mariadb: MariaDb) -> None:
    found = findings(
        tmp_path,
        f"smtpd_sender_login_maps = unionmap:{{\n {MYSQL},\n {PCRE} }}\n{LOGIN_CHECK}",
        sender_logins__cf=sender_logins(mariadb, ARTICLE),
        sender_overrides__cf="/@example\\.com$/ admin@example.com\n",
    )
    assert codes(found) == set()


DOCKER_MAILSERVER = (
    "recipient_delimiter = +\nsmtpd_sender_login_maps = unionmap:{ texthash:/etc/postfix/virtual,"
    " pcre:/etc/postfix/sender_login_maps.pcre, pcre:/etc/postfix/regexp }\n" + LOGIN_CHECK
)


def test_s2_4_docker_mailservers_identity_pattern(tmp_path: Path) -> None:
    found = findings(
        tmp_path,
        DOCKER_MAILSERVER,
        virtual="sales@example.com alice@example.com\n",
        sender_login_maps__pcre="/^(.*)$/ $1\n",
        regexp="/^test[0-9]+@example\\.com$/ alice@example.com\n",
    )
    # Every address is its own owner: also a stranger's, whose mail is then refused.
    assert codes(found) == {"MS102", "MS106"}


def test_s2_6_a_regexp_alias_that_is_there_twice(tmp_path: Path) -> None:
    found = findings(
        tmp_path,
        f"smtpd_sender_login_maps = pcre:/etc/postfix/regexp\n{LOGIN_CHECK}",
        regexp="/@example\\.com$/ alice@example.com\n/@example\\.com$/ bob@example.com\n",
    )
    assert codes(found) == {"MS103"}


PROTECTED = (
    "smtpd_recipient_restrictions =\n permit_sasl_authenticated\n"
    " check_recipient_access texthash:/etc/postfix/protected_destinations\n"
)


def test_s3_4_a_list_protected_by_sender(tmp_path: Path) -> None:
    found = findings(
        tmp_path,
        PROTECTED + "smtpd_restriction_classes = insiders_only\n"
        "insiders_only = check_sender_access texthash:/etc/postfix/insiders, reject\n",
        protected_destinations="all@example.com   insiders_only\n",
        insiders="example.com       OK  matches my.domain and subdomains\n",
    )
    assert codes(found) == {"MS206"}


def test_s3_4_a_list_protected_by_client_address(tmp_path: Path) -> None:
    found = findings(
        tmp_path,
        PROTECTED.replace("protected_destinations", "access"),
        access="all@example.com   permit_mynetworks,reject\n",
    )
    assert {finding.code for finding in found} == {"MS214"}


def test_s3_4_users_held_to_local_destinations_by_sender(tmp_path: Path) -> None:
    found = findings(
        tmp_path,
        "smtpd_recipient_restrictions =\n"
        " check_sender_access texthash:/etc/postfix/restricted_senders\n"
        "smtpd_restriction_classes = local_only\n"
        "local_only =\n check_recipient_access texthash:/etc/postfix/local_domains, reject\n",
        restricted_senders="foo@example.com      local_only\n",
        local_domains="example.com     OK      matches this.domain and subdomains\n",
    )
    assert codes(found) == {"MS207"}


def test_s3_4_the_form_by_login_gets_none(tmp_path: Path) -> None:
    found = findings(
        tmp_path,
        "smtpd_recipient_restrictions =\n"
        " check_sasl_access texthash:/etc/postfix/restricted_logins\n"
        " check_recipient_access texthash:/etc/postfix/protected_destinations\n"
        "smtpd_restriction_classes = local_only, insiders_only\n"
        "local_only =\n check_recipient_access texthash:/etc/postfix/local_domains, reject\n"
        "insiders_only = check_sasl_access texthash:/etc/postfix/insiders, reject\n",
        restricted_logins="foo@example.com      local_only\n",
        protected_destinations="all@example.com   insiders_only\n",
        insiders="alice@example.com OK\n",
        local_domains="example.com     OK\n",
    )
    assert codes(found) == set()


@pytest.mark.needs_slapd
def test_s5_1_suspended_by_sender_in_ldap(tmp_path: Path) -> None:
    with Slapd("") as server:
        table = (
            f"server_host = {server.url}\nsearch_base = ou=People,dc=example,dc=org\n"
            "query_filter = (&(smtpd-sender-restrictions=true)(mail=%s))\nresult_attribute = uid\n"
            "result_filter = uid\nversion = 3\ntimeout = 5\n"
            "result_format = REJECT This account is not allowed to send emails\n"
        )
        found = findings(
            tmp_path,
            "smtpd_sender_restrictions =\n check_sender_access ldap:/etc/postfix/suspended.cf\n",
            suspended__cf=table + "bind = no\n",
        )
        assert codes(found) == {"MS113", "MS205"}
        assert all(finding.problem.possible for finding in found if finding.code == "MS205")
        corrected = findings(
            tmp_path,
            "smtpd_sender_restrictions =\n check_sasl_access ldap:/etc/postfix/suspended.cf\n",
            suspended__cf=table + f"bind_dn = {ADMIN}\nbind_pw = {PASSWORD}\n",
        )
        assert codes(corrected) == set()


def test_s5_3_a_table_type_that_is_not_there(tmp_path: Path) -> None:
    found = findings(tmp_path, "smtpd_sender_restrictions = check_sender_access nis:suspended\n")
    assert codes(found) == {"MS002"}
    assert "unsupported dictionary type: nis" in found[0].problem.message
