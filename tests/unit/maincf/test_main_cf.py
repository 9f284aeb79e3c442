"""main.cf: logical lines, and the place that each value was written at."""

from pathlib import Path

import pytest

from maysend.maincf import MainCfError, Parameters, Place

MAIN_CF = """\
# a comment
myorigin = example.com

smtpd_sender_restrictions = check_sender_access
# between the lines
    inline:{a=b},

\treject_unknown_sender_domain, $mine
mine = permit_mynetworks,
   reject
myorigin = example.net
"""


@pytest.fixture
def parameters(tmp_path: Path) -> Parameters:
    (tmp_path / "main.cf").write_text(MAIN_CF)
    return Parameters.load(tmp_path)


def test_a_logical_line_goes_on_after_comments_and_blank_lines(parameters: Parameters) -> None:
    assert parameters["smtpd_sender_restrictions"] == (
        "check_sender_access    inline:{a=b},\treject_unknown_sender_domain,"
        " permit_mynetworks,   reject"
    )


def test_the_last_of_two_settings_wins_and_the_other_is_warned_of(parameters: Parameters) -> None:
    assert parameters["myorigin"] == "example.net"
    assert parameters.warnings == (
        f"{parameters.directory}/main.cf:11: myorigin overrides {parameters.directory}/main.cf:2",
    )


@pytest.mark.parametrize(
    ("word", "line", "column"),
    [
        ("check_sender_access", 4, 29),
        ("inline:", 6, 5),
        ("reject_unknown", 8, 2),
        ("permit_mynetworks", 9, 8),
        ("reject", 10, 4),
    ],
)
def test_every_word_has_the_place_where_it_is_written(
    parameters: Parameters, word: str, line: int, column: int
) -> None:
    traced = parameters.traced("smtpd_sender_restrictions")
    offset = traced.text.rindex(word) if word == "reject" else traced.text.index(word)
    assert traced.place(offset) == Place(f"{parameters.directory}/main.cf", line, column)


def test_a_setting_tells_its_raw_value_and_a_default_has_none(parameters: Parameters) -> None:
    setting = parameters.setting("myorigin")
    assert setting is not None
    assert (setting.raw, setting.place.line, setting.service) == ("example.net", 11, None)
    assert parameters.setting("smtpd_delay_reject") is None
    place = parameters.traced("smtpd_delay_reject").place(0)
    assert (place.file, place.line, str(place)) == ("<default>", 0, "<default>")
    assert place.is_default


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = b\nfoo\n", ':2: missing "=" after attribute name: "foo"'),
        ("\n\n= x", ":3: missing attribute name"),
        ("two words = x", ':1: missing "="'),
    ],
)
def test_a_line_that_is_no_setting_is_an_error_with_its_place(
    tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "main.cf").write_text(text)
    with pytest.raises(MainCfError) as raised:
        Parameters.load(tmp_path)
    assert f"{tmp_path}/main.cf{message}" in str(raised.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MainCfError, match=r"main\.cf: cannot be read: No such file"):
        Parameters.load(tmp_path)


def test_a_first_line_with_whitespace_is_skipped_with_a_warning(tmp_path: Path) -> None:
    (tmp_path / "main.cf").write_text("  myorigin = a\nmydomain = b\n")
    parameters = Parameters.load(tmp_path)
    assert list(parameters.names()) == ["mydomain"]
    assert "must not start with whitespace" in parameters.warnings[0]


def test_bytes_that_are_no_utf8_pass_through(tmp_path: Path) -> None:
    (tmp_path / "main.cf").write_bytes(b"myorigin = \xff\xc3\xa9\r\n")
    assert Parameters.load(tmp_path)["myorigin"] == "\udcffé"
