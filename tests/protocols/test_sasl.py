"""PLAIN and LOGIN (S4.1): their steps, their malformed forms, and no secret in any repr."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maysend.sasl import MECHANISMS
from maysend.sasl.exchange import (
    Cancelled,
    Challenge,
    Circumstances,
    Claim,
    Proved,
    Question,
    SaslError,
    decode_initial,
    decode_response,
)
from maysend.sasl.login import Login
from maysend.sasl.plain import Plain
from maysend.sasl.stored import Secret

HERE = Circumstances("gateway.example", "0123456789", b"salt key")


def test_plain_with_and_without_initial_response() -> None:
    assert Plain().start(b"\0bob\0secret") == Claim("bob", "secret")
    exchange = Plain()
    assert exchange.start(None) == Challenge(b"")
    assert exchange.respond(b"bob\0bob\0secret") == Claim("bob", "secret")


@pytest.mark.parametrize(
    "response",
    [b"", b"bob", b"\0bob", b"\0\0x", b"\0bob\0", b"eve\0bob\0x", b"\0b\0c\0d", b"\0\xff\0x"],
)
def test_malformed_plain(response: bytes) -> None:
    with pytest.raises(SaslError):
        Plain().start(response)


def test_login_step_by_step() -> None:
    exchange = Login()
    assert exchange.start(None) == Challenge(b"Username:")
    assert exchange.respond(b"bob") == Challenge(b"Password:")
    assert exchange.respond(b"secret") == Claim("bob", "secret")
    assert Challenge(b"Username:").encode() == "VXNlcm5hbWU6"


@pytest.mark.parametrize("response", [b"", b"a\0b", b"\xff"])
def test_malformed_login(response: bytes) -> None:
    with pytest.raises(SaslError):
        Login().start(response)


def test_responses_on_the_wire() -> None:
    assert decode_initial("=") == b""
    assert decode_response("") == b""
    with pytest.raises(Cancelled):
        decode_response("*")
    for text in ("!!!", "YQ", "YQ=", "Y Q==", "é", "YQ==YQ=="):
        with pytest.raises(SaslError, match="Invalid base64") as caught:
            decode_response(text)
        assert caught.value.__cause__ is None


def test_no_password_in_a_repr() -> None:
    assert "secret" not in repr(Claim("bob", "secret"))


@given(name=st.sampled_from(sorted(MECHANISMS)), responses=st.lists(st.binary(), max_size=4))
def test_any_response_is_read_or_refused(name: str, responses: list[bytes]) -> None:
    with contextlib.suppress(SaslError):
        exchange = MECHANISMS[name].begin(HERE)
        step = exchange.start(None)
        for response in responses:
            if isinstance(step, Question):
                step = exchange.informed(step.login, Secret("x"))  # type: ignore[attr-defined]
            if isinstance(step, Claim | Proved):
                break
            step = exchange.respond(response)
