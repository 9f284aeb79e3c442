"""Case files: what can be written, what is wrong with them, and where."""

import json
import tomllib
from pathlib import Path

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maysend.cases import Case, CaseFileError, Turn, read_cases
from maysend.cases.case import Place, reply_matches
from maysend.cases.reading import parse_cases
from maysend.cases.rendering import render
from maysend.cases.written import json_schema

ROOT = Path(__file__).resolve().parents[3]
GOLDEN = sorted((ROOT / "tests" / "cases").glob("**/*.toml"))
SCHEMA = json.loads((ROOT / "docs" / "schema" / "case-file.schema.json").read_text())
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=20)
NAMES = st.from_regex(r"[a-z_]{1,12}", fullmatch=True)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_every_golden_file_is_what_the_published_schema_says(path: Path) -> None:
    jsonschema.validate(tomllib.loads(path.read_text()), SCHEMA)


def test_the_published_schema_is_a_schema_and_has_not_drifted() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert json_schema() == SCHEMA


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_golden_cases_survive_being_written_and_read(path: Path, tmp_path: Path) -> None:
    for case in read_cases(path):
        assert _without_place(_reread(case)) == _without_place(case)


@given(
    st.builds(
        Case,
        name=TEXT.filter(bool),
        main_cf=st.dictionaries(NAMES, TEXT),
        files=st.dictionaries(NAMES, TEXT),
        tables=st.dictionaries(NAMES.map("mysql:/{}".format), TEXT),
        login=TEXT,
        client_name=TEXT,
        tls=st.booleans(),
        turns=st.lists(
            st.builds(
                Turn,
                st.sampled_from(["CONNECT", "EHLO x", "MAIL FROM:<>", "RCPT TO:<a@b>", "END"]),
                st.sampled_from(["ok", "not asked", "553", "450 4.1.1 später", "rejected"]),
                TEXT,
            ),
            min_size=1,
        ).map(tuple),
        actions=st.none() | st.lists(TEXT).map(tuple),
        postfix=st.booleans(),
    )
)
def test_any_case_survives_being_written_and_read(case: Case) -> None:
    assert _without_place(_reread(case)) == _without_place(case)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_bytes_that_are_no_case_file_get_a_clear_error(octets: bytes) -> None:
    with pytest.raises(CaseFileError) as failure:
        parse_cases(octets, Path("x.toml"))
    assert all(str(problem).startswith("x.toml") for problem in failure.value.problems)


@pytest.mark.parametrize(
    ("text", "complaints"),
    [
        ("", ["x.toml: expected at least one case, which begins with [[case]]"]),
        ("case = 3\n", ["x.toml: expected at least one case"]),
        ("[[case]\n", ["x.toml:1: no TOML: Expected ']]'"]),
        ("[[case]]\nname='x'\n", ["x.toml:1: 'x': expected a reply, a dialogue or fatal"]),
        (
            "[[case]]\nname='x'\nreply='ok'\nsendr='a'\n",
            ["x.toml:1: unknown key 'sendr'; did you mean 'sender'?"],
        ),
        ("[[case]]\nnaem='x'\n", ["x.toml:1: unknown key 'naem'; did you mean 'name'?"]),
        (
            "abuot='x'\n[[case]]\nname='x'\nreply='ok'\n",
            ["unknown key 'abuot'; did you mean 'about'"],
        ),
        (
            "[[case]]\nname='x'\nreply='ok'\nat='RCTP'\n",
            ["x.toml:4: at = 'RCTP': expected one of CONNECT, HELO", "did you mean 'RCPT'?"],
        ),
        ("[[case]]\nname='x'\nreply='OK'\n", ["x.toml:3: reply = 'OK': expected", "mean 'ok'?"]),
        (
            "[[case]]\nname='x'\nreply=553\n",
            ["x.toml:3: reply: expected a text in quotes, got a nu"],
        ),
        (
            "[[case]]\nname='x'\ndialogue=[['DATA']]\n",
            ["x.toml:3: dialogue, row 1: expected [comm"],
        ),
        (
            "[[case]]\nname='x'\ndialogue=[['DATA', 'ok'], ['RCTP TO:<x>', 'ok']]\n",
            ["x.toml:3: dialogue, row 2: command 'RCTP TO:<x>'", "did you mean 'RCPT'?"],
        ),
        (
            "[[case]]\nname='x'\ndialogue=[['DATA', 'no']]\n",
            ["dialogue, row 1: reply 'no': expected"],
        ),
        (
            "[[case]]\nname='x'\nreply='ok'\n[[case]]\nname='x'\nreply='ok'\n",
            ["x.toml:4: two cases are named 'x', here and in line 1"],
        ),
        (
            "[[case]]\nname='x'\nreply='ok'\nclient_address='1.2.3'\n",
            ["x.toml:4: client_address = '1.2.3': expected an IP address"],
        ),
        ("[[case]]\nname='x'\nreply='ok'\ndns='''\nx A y'''\n", ["x.toml:4: dns: line 1"]),
        (
            "[[case]]\nname='x'\nreply='ok'\nconfig='nowhere'\n",
            ["x.toml:4: config: there is no nowh"],
        ),
        (
            "[[case]]\nname='x'\nreply='ok'\nservice='smtp'\n",
            ["x.toml:4: service: expected config too"],
        ),
        (
            "[[case]]\nname='x'\nreply='ok'\nfiles.'../a'='b'\n",
            ["x.toml:4: files: '../a': expected"],
        ),
        ("[[case]]\nname='x'\nreply='ok'\ntables.owners='b'\n", ["x.toml:4: tables: 'owners'"]),
        (
            "main_cf.smtpd_sender_restriction='reject'\n[[case]]\nname='x'\nreply='ok'\n",
            [
                "x.toml:1: main_cf: there is no parameter",
                "did you mean 'smtpd_sender_restrictions'?",
            ],
        ),
        (
            'files.x = """\n[[case]]\nname = 1 # \\" """\n[[case]]\nname="a"\nreply="ok"\n'
            '[case.main_cf]\nmynetworks = ""\nsoft_bounced = "yes"\n',
            ["x.toml:9: main_cf: there is no parameter 'soft_bounced'"],
        ),
        ("\xff".encode("latin-1").decode("latin-1"), ["x.toml"]),
    ],
)
def test_what_is_wrong_is_said_with_file_and_line(text: str, complaints: list[str]) -> None:
    with pytest.raises(CaseFileError) as failure:
        parse_cases(text.encode(), Path("x.toml"))
    for complaint in complaints:
        assert complaint in str(failure.value)


def test_everything_wrong_is_said_at_once() -> None:
    text = "[[case]]\nname='a'\nreply='no'\n[[case]]\nname='b'\n[[case]]\nname='c'\nlogin=1\n"
    with pytest.raises(CaseFileError) as failure:
        parse_cases(text.encode(), Path("x.toml"))
    assert [problem.place.line for problem in failure.value.problems] == [3, 8]


def test_a_parameter_of_ones_own_is_no_slip() -> None:
    text = (
        "main_cf.mua_sender_restrictions='reject'\n"
        "main_cf.smtpd_sender_restriction='reject'\n"
        "main_cf.smtpd_sender_restrictions='$mua_sender_restrictions, $smtpd_sender_restriction'\n"
        "[[case]]\nname='x'\nreply='rejected'\n"
    )
    assert len(parse_cases(text.encode(), Path("x.toml"))) == 1


@pytest.mark.parametrize(
    ("wanted", "got", "matches"),
    [
        ("ok", "ok", True),
        ("rejected", "553 5.7.1 no", True),
        ("rejected", "450 4.7.1 later", False),
        ("deferred", "450 4.7.1 later", True),
        ("deferred", "ok", False),
        ("553", "553 5.7.1 no", True),
        ("553", "554 5.7.1 no", False),
        ("553 5.7.1", "553 5.7.1 no", True),
        ("553 5.7.1", "553 5.7.10 no", False),
        ("553 5.7.1 n", "553 5.7.1 no", False),
        ("not asked", "not asked", True),
    ],
)
def test_a_reply_may_be_wanted_in_part(wanted: str, got: str, matches: bool) -> None:
    assert reply_matches(wanted, got) is matches


def _reread(case: Case) -> Case:
    (again,) = parse_cases(render(case).encode(), Path("again.toml"))
    return again


def _without_place(case: Case) -> Case:
    return msgspec.structs.replace(case, place=Place("", 0))
