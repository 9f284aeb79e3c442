"""master.cf: services and their -o parameters (S4.6)."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maysend.maincf import MainCfError, Parameters, master, tokens

MASTER_CF = """\
smtp       inet  n - y - - smtpd
smtp       unix  - - y - - smtp
submission inet  n - y - - smtpd
  -o smtpd_tls_security_level=encrypt
#  -o smtpd_tls_security_level=none

  -o { smtpd_recipient_restrictions = permit_sasl_authenticated,   reject }
  -vo smtpd_sender_restrictions=$mua_sender_restrictions -ofoo=1 -o foo=2
465        inet  n - y - - smtpd -o smtpd_tls_wrappermode=yes
127.0.0.1:2025 inet n - y - - smtpd -o smtpd_client_restrictions=
other      inet  n - y - - smtpd -v -- -o foo=3
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "main.cf").write_text("mua_sender_restrictions = reject\nfoo = 0\n")
    (tmp_path / "master.cf").write_text(MASTER_CF)
    return tmp_path


@pytest.mark.parametrize("service", ["submission", "587", "submission/inet", "587/inet"])
def test_s4_6_a_service_has_its_own_parameters(directory: Path, service: str) -> None:
    p = Parameters.load(directory, service)
    assert p["smtpd_tls_security_level"] == "encrypt"
    assert p["smtpd_recipient_restrictions"] == "permit_sasl_authenticated,   reject"
    assert p["smtpd_sender_restrictions"] == "reject"
    assert p["foo"] == "2"
    assert p["service_name"] == "submission"
    assert Parameters.load(directory)["foo"] == "0"


def test_s4_6_an_override_tells_its_service_and_place(directory: Path) -> None:
    p = Parameters.load(directory, "submission")
    setting = p.setting("smtpd_recipient_restrictions")
    assert setting is not None
    assert setting.service == "submission/inet"
    traced = p.traced("smtpd_recipient_restrictions")
    place = traced.place(traced.text.index("reject"))
    assert (place.file, place.line) == (f"{directory}/master.cf", 7)
    assert MASTER_CF.splitlines()[6][place.column - 1 :].startswith("reject }")
    assert p.traced("smtpd_sender_restrictions").place(0).file == f"{directory}/main.cf"


@pytest.mark.parametrize(
    ("service", "name"),
    [
        ("smtps", "465"),
        ("submissions", "465"),
        ("465", "465"),
        ("25", "smtp"),
        ("127.0.0.1:2025", "127.0.0.1:2025"),
    ],
)
def test_a_service_is_found_by_port_or_name(directory: Path, service: str, name: str) -> None:
    assert Parameters.load(directory, service)["service_name"] == name


def test_two_dashes_end_the_options(directory: Path) -> None:
    assert Parameters.load(directory, "other")["foo"] == "0"


def test_an_unknown_service_names_those_there_are(directory: Path) -> None:
    with pytest.raises(MainCfError, match=r'no service "imap"; .*submission/inet'):
        Parameters.load(directory, "imap")
    with pytest.raises(MainCfError, match="no service"):
        Parameters.load(directory, "submission/unix")


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("a inet n - y - -", "expected 8 fields"),
        ("a tcp n - y - - smtpd", 'invalid service type "tcp"'),
        ("a inet n - y - - smtpd -o", "option -o requires an argument"),
        ("a inet n - y - - smtpd -o foo", "missing"),
        ("a inet n - y - - smtpd -o { x = y", "missing '}'"),
        ("a inet n - y - - smtpd -o {x = y}z", "syntax error after '}'"),
        ("a inet n - y - - smtpd -o {}", "missing attribute name"),
    ],
)
def test_a_broken_line_is_an_error_with_its_place(line: str, wrong: str) -> None:
    with pytest.raises(MainCfError) as raised:
        master.parse(f"# one\n{line}\n", "master.cf")
    assert str(raised.value).startswith("master.cf:2: ")
    assert wrong in str(raised.value)


@given(st.text(alphabet="smtpd -o{}=\n\t#,a/", max_size=80))
def test_any_text_parses_or_is_refused(text: str) -> None:
    with contextlib.suppress(MainCfError):
        master.parse("a inet n - y - - smtpd " + text, "master.cf")


@given(st.text(alphabet="a{}, \t\r\nb", max_size=40))
def test_tokens_cover_everything_but_the_separators(text: str) -> None:
    found = tokens.split(text)
    rest = list(text)
    for token in found:
        assert text[token.start : token.end] == token.text
        assert token.text
        rest[token.start : token.end] = " " * len(token.text)
    assert not "".join(rest).strip(tokens.COMMA_SPACE)


def test_a_group_is_one_token_with_its_braces() -> None:
    text = "check_policy_service { inet:a, {b c} } reject,{x"
    assert [token.text for token in tokens.split(text)] == [
        "check_policy_service", "{ inet:a, {b c} }", "reject", "{x",
    ]  # fmt: skip
