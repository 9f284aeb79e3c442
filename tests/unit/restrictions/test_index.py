"""Every restriction of Postfix 3.7 is there, and each is compared with a live smtpd somewhere."""

import re
import subprocess
from pathlib import Path

import pytest

from maysend.cases.case import BASE_PARAMETERS
from maysend.policy import Policy
from maysend.restrictions.index import RESTRICTIONS
from tests.differential.dns_sessions import configurations as dns_sessions
from tests.differential.sessions import configurations as sessions

TESTS = Path(__file__).parents[2]
SMTPD = Path("/usr/lib/postfix/sbin/smtpd")
MANUAL = "postconf"

NOT_IN_RANDOM_SESSIONS = {
    "permit_inet_interfaces": "looks at the real socket: unit/restrictions/test_own_addresses.py",
    "permit_tls_all_clientcerts": "needs TLS: differential/test_client_certificates.py",
    "permit_tls_clientcerts": "needs TLS: differential/test_client_certificates.py",
    "reject_unauth_pipelining": "needs a client that is rude: differential/test_pipelining.py",
    "check_ccert_access": "needs a TLS certificate: differential/test_client_certificates.py",
    "check_etrn_access": "needs ETRN: cases/etrn.toml",
    "check_policy_service": "needs a server: differential/delegation",
    "reject_unverified_recipient": "needs verify(8): differential/test_verification.py",
    "reject_unverified_sender": "needs verify(8): differential/test_verification.py",
    "check_recipient_maps": "an old name of reject_unlisted_recipient: cases/old_names.toml",
    "reject_rbl": "an old name of reject_rbl_client: cases/old_names.toml",
    "reject_header_from_login_mismatch": "maysend's own word: cases/header_from.toml",
    "reject_recipient_login_mismatch": "maysend's own word: cases/protected.toml",
    "reject_recipient_scope_mismatch": "maysend's own word: cases/protected.toml",
}
"""Restrictions that no random session holds against a live smtpd: why, and what shows them."""

INSTEAD = re.compile(r"((?:cases|differential|unit)/\S+)$")


ONE_SIDED = {
    "permit_inet_interfaces",
    "permit_tls_all_clientcerts",
    "permit_tls_clientcerts",
    "reject_unauth_pipelining",
}
"""Random sessions come to these, but always with the same outcome."""


def driven_live() -> set[str]:
    """The restrictions that random sessions hold against a live smtpd."""
    written = {*sessions.PLAIN, *sessions.CHECKS, *dns_sessions.EVERY}
    return {name.split()[0] for name in (*written, *sessions.UNUSUAL)} - ONE_SIDED


def test_every_restriction_is_driven_live_or_in_the_list_with_its_reason() -> None:
    assert set(RESTRICTIONS) - driven_live() == set(NOT_IN_RANDOM_SESSIONS)


@pytest.mark.parametrize("name", NOT_IN_RANDOM_SESSIONS)
def test_what_shows_a_restriction_of_the_list_names_it(name: str) -> None:
    instead = INSTEAD.search(NOT_IN_RANDOM_SESSIONS[name])
    assert instead is not None, "no test is named"
    path = TESTS / instead[1]
    files = path.glob("*.py") if path.is_dir() else [path]
    texts = [file.read_text().replace("{kind}", name.rpartition("_")[2]) for file in files]
    assert any(name in text for text in texts)


@pytest.mark.needs_postfix
def test_postconf_names_no_restriction_that_is_missing() -> None:
    page = subprocess.run(["man", "5", MANUAL], capture_output=True, check=True, timeout=60)
    text = re.sub(r".\x08", "", page.stdout.decode("utf-8", "replace")).replace("‐", "-")
    begin = re.compile(r"^smtpd_(\w+)_restrictions \(default", re.MULTILINE)
    named = set()
    for section in begin.finditer(text):
        body = re.split(r"^\w+ \(default", text[section.end() :], maxsplit=1, flags=re.MULTILINE)[0]
        # An entry is indented by seven; continued text by more.
        named.update(
            re.findall(r"^ {7}((?:permit|reject|check|defer|sleep|warn)\w*)\b", body, re.M)
        )
    assert {"check_client_access", "reject_unverified_sender", "sleep", "defer"} <= named
    assert named - set(RESTRICTIONS) - {"warn_if_reject", "reject_"} == set()


@pytest.mark.needs_postfix
def test_smtpd_knows_no_restriction_that_is_missing() -> None:
    """Also the names that no manual page has any more: they are in the program."""
    words = set(
        re.findall(rb"(?<![\w])((?:permit|reject|check|defer)_[a-z_]+)\0", SMTPD.read_bytes())
    )
    missing = {word.decode() for word in words} - set(RESTRICTIONS)
    assert missing <= FUNCTIONS


FUNCTIONS = {
    "check_access",
    "check_addr_access",
    "check_address_map",
    "check_domain_access",
    "check_mail_access",
    "check_namadr_access",
    "check_server_access",
    "check_table_result",
    "permit_dnswl_addr",
    "permit_dnswl_domain",
    "permit_mx_backup_networks",
    "permit_mx_primary",
    "reject_invalid_hostaddr",
    "reject_non_fqdn_address",
    "reject_rbl_addr",
    "reject_rbl_domain",
    "reject_tempfail_action",
    "reject_unknown_mailhost",
    "reject_unknown_reverse_name",
    "reject_unverified_address",
    "reject_warning",
}
"""Names in smtpd that are no restrictions: parameters, and functions that it names in its log."""


def test_obsolete_restrictions_are_warned_of_with_their_place(tmp_path: Path) -> None:
    lists = {"smtpd_recipient_restrictions": "permit_naked_ip_address, check_relay_domains"}
    main_cf = {**BASE_PARAMETERS, **lists}
    text = "".join(f"{name} = {value}\n" for name, value in main_cf.items())
    (tmp_path / "main.cf").write_text(text)
    line = len(main_cf)
    assert Policy.load(tmp_path).site.warnings == [
        f"{tmp_path}/main.cf:{line}: restriction {name} is deprecated: use {instead} instead"
        for name, instead in (
            ("permit_naked_ip_address", "permit_mynetworks or permit_sasl_authenticated"),
            ("check_relay_domains", "reject_unauth_destination"),
        )
    ]


@pytest.mark.parametrize(
    ("written", "finding"),
    [
        ("no_such_restriction", 'unknown smtpd restriction: "no_such_restriction"'),
        ("check_sender_access", 'check_sender_access: bad argument "": need maptype:mapname'),
        ("check_policy_service", "check_policy_service needs an argument"),
        ("sleep x", "sleep x: expected a number of seconds"),
        ("reject_rbl_client", "reject_rbl_client needs a domain name: ignored"),
        (
            "check_ccert_access { x }",
            'check_ccert_access: bad argument "{ x }": need maptype:mapname',
        ),
    ],
)
def test_what_smtpd_finds_at_run_time_is_found_at_load_with_its_line(
    written: str, finding: str, tmp_path: Path
) -> None:
    main_cf = {**BASE_PARAMETERS, "smtpd_sender_restrictions": written}
    text = "".join(f"{name} = {value}\n" for name, value in main_cf.items())
    (tmp_path / "main.cf").write_text(text)
    found = Policy.load(tmp_path).findings
    assert [(node.finding, node.place.line) for node in found] == [(finding, len(main_cf))]
