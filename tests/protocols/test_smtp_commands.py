"""MAIL and RCPT as written; reply texts are those of Postfix 3.7."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maysend.protocols.smtp.commands import CommandError, parse_mail, parse_rcpt, split_verb
from maysend.protocols.smtp.extensions import Extensions, MailParameters, RcptParameters

ALL = Extensions(10_240_000, True, True, True, True, True)


@pytest.mark.parametrize(
    ("argument", "path", "parameters"),
    [
        ("FROM:<a@b.c>", "<a@b.c>", MailParameters()),
        ("from: <a@b.c>", "<a@b.c>", MailParameters()),
        ("FROM:a@b.c", "a@b.c", MailParameters()),
        ("FROM:<>", "<>", MailParameters()),
        ('FROM:<"a > b"@c> SIZE=1', '<"a > b"@c>', MailParameters(size=1)),
        ('FROM:<"a\\"> b"@c>', '<"a\\"> b"@c>', MailParameters()),
        (
            "FROM:<a> size=0 body=8bitmime SMTPUTF8 RET=full ENVID=a+20b AUTH=<>",
            "<a>",
            MailParameters(0, "8BITMIME", True, "FULL", "a+20b"),
        ),
    ],
)
def test_mail(argument: str, path: str, parameters: MailParameters) -> None:
    assert parse_mail(argument, ALL) == (path, parameters)


@pytest.mark.parametrize(
    ("argument", "reply"),
    [
        ("", "501 5.5.4 Syntax: MAIL FROM:<address>"),
        ("FROM", "501 5.5.4 Syntax: MAIL FROM:<address>"),
        ("FROM:", "501 5.5.4 Syntax: MAIL FROM:<address>"),
        ("FROM : <a>", "501 5.5.4 Syntax: MAIL FROM:<address>"),
        ("FROM:<a@b.c", "501 5.1.7 Bad sender address syntax"),
        ("FROM:<a@b.c>extra", "501 5.1.7 Bad sender address syntax"),
        ("FROM:<a\x01@b.c>", "501 5.1.7 Bad sender address syntax"),
        ("FROM:<a> SIZE=x", "501 5.5.4 Bad message size syntax"),
        ("FROM:<a> SIZE=", "501 5.5.4 Bad message size syntax"),
        ("FROM:<a> BODY=FOO", "555 5.5.4 Unsupported option: BODY=FOO"),
        ("FROM:<a> BODY=BINARYMIME", "555 5.5.4 Unsupported option: BODY=BINARYMIME"),
        ("FROM:<a> FOO", "555 5.5.4 Unsupported option: FOO"),
        ("FROM:<a> SMTPUTF8=1", "555 5.5.4 Unsupported option: SMTPUTF8=1"),
        ("FROM:<a> RET=X", "501 5.5.4 Bad RET parameter syntax"),
        ("FROM:<a> RET=FULL RET=HDRS", "501 5.5.4 Bad RET parameter syntax"),
        ("FROM:<a> ENVID=", "501 5.5.4 Bad ENVID parameter syntax"),
        ("FROM:<a> ENVID=+", "501 5.5.4 Bad ENVID parameter syntax"),
    ],
)
def test_bad_mail(argument: str, reply: str) -> None:
    with pytest.raises(CommandError) as caught:
        parse_mail(argument, ALL)
    assert str(caught.value.reply) == reply


@pytest.mark.parametrize(
    ("argument", "reply"),
    [
        ("", "501 5.5.4 Syntax: RCPT TO:<address>"),
        ("TO:<x@y> FOO=1", "555 5.5.4 Unsupported option: FOO=1"),
        ("TO:a b", "555 5.5.4 Unsupported option: b"),
        ("TO:<a>b>", "501 5.1.3 Bad recipient address syntax"),
        ("TO:<x@y> NOTIFY=NEVER,FAIL", "501 5.5.4 Error: Bad NOTIFY parameter syntax"),
        ("TO:<x@y> NOTIFY=NEVER NOTIFY=DELAY", "501 5.5.4 Error: Bad NOTIFY parameter syntax"),
        ("TO:<x@y> ORCPT=rfc822", "501 5.5.4 Error: Bad ORCPT parameter syntax"),
        ("TO:<x@y> ORCPT=rfc822;a=b", "501 5.5.4 Error: Bad ORCPT parameter syntax"),
    ],
)
def test_bad_rcpt(argument: str, reply: str) -> None:
    with pytest.raises(CommandError) as caught:
        parse_rcpt(argument, ALL)
    assert str(caught.value.reply) == reply


def test_rcpt_parameters() -> None:
    _, parameters = parse_rcpt("TO:<x@y> NOTIFY=success,DELAY ORCPT=utf-8;é", ALL)
    assert parameters == RcptParameters("SUCCESS,DELAY", "utf-8;é")


@pytest.mark.parametrize("word", ["SIZE=1", "BODY=8BITMIME", "SMTPUTF8", "RET=FULL", "ENVID=a"])
def test_what_is_not_offered_is_not_taken(word: str) -> None:
    with pytest.raises(CommandError) as caught:
        parse_mail(f"FROM:<a> {word}", Extensions())
    assert str(caught.value.reply) == f"555 5.5.4 Unsupported option: {word}"


@given(line=st.text(max_size=200))
def test_any_line_is_read_or_refused(line: str) -> None:
    verb, argument = split_verb(line)
    for parse in (parse_mail, parse_rcpt):
        with contextlib.suppress(CommandError):
            parse(argument, ALL)
    assert "\t" not in verb
