"""Passwords: made with argon2id, checked as Dovecot checks them.

The vectors were printed by `doveadm pw -s SCHEME` of Dovecot 2.3.19, and by `openssl passwd`.
"""

import base64
import time

import argon2
import bcrypt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maysend.directory import DirectoryError, passwords
from maysend.directory.passwords import check_hash, hash_password, verify_password

PASSWORD = "correct horsé"

DOVECOTS = [
    "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$IDrDh8VkbRznptHyb5H+wA$4LDHEKYkRsrw7K7jB3OHPcile0T2IaWjxGlsX5+7flE",
    "{ARGON2I}$argon2i$v=19$m=32768,t=4,p=1$cTU+3Pbq/LluL9wMwFsMEA$hNRZ5SbSruailYUjojc34w8iKZJzd1iki+x6xNSj9TQ",
    "{BLF-CRYPT}$2y$05$I2FzZKFJ2Y8nh6lFv4k7bOyQDU0EgIQoyz43aMeety/xZ.vpmOeQ6",
    "{SHA512-CRYPT}$6$LIW0ajo4gnuizJ5h$kwuIk2KZ133fSJBbheMiGvuWBOWJwBkMFYqTmV4vbsKymVCvzxL2mIuCVM3NqH0091TXtrmTtr2R/YyPz5Ao10",
    "{SHA256-CRYPT}$5$6BzbR6VNiTgDO1wP$y91RSnHza6QcmYV07J2GcG23fpofAKdKsUDB4H49884",
    "{SSHA}AkZli26mFOG4yod3La9jAttoTPqiJAri",
    "{SSHA256}aCREJ9wEG0y42Z51nmpmnc1qLz3Yg88TYIilXWonLLNPjO6p",
    "{SSHA512}34gzq9VL++1OZBOet75+1V6poF1HcKehyxNPWdRJQIxLK8BhOrkRExOdadcft7GSoYg21SkOp+9kfzl3yAvXY3Cx0kg=",
    "{SHA}PNE3LzBRj4gEdLfYK/mYHuvwa60=",
    "{SHA256}JowcfUEhav79HgnDkhJgCKOCOOiZpvdFA6srzCCrBX4=",
    "{SHA512}NN0xQZvHh3ikPwKawob8vD9BeJDmZFf39th+TJAh/lX7t7fd279PpVD1oPjP51Jeebj0ZSNKvFuNAF+cfm9P0g==",
    "{PLAIN}correct horsé",
    "{CLEARTEXT}correct horsé",
    "{MD5-CRYPT}$1$StKQIjD2$VtbfF7o4oOADmAKxfOt3w1",
    "{PBKDF2}$1$t21gp8AnyihbO8cD$5000$a89188500b9c8bb75b8cd5392c4f9c4e7836bb2e",
    "{CRYPT}$2y$05$HL5/EpqXfRRCGUd3D.mVBuCOsh9pOdXbaYLZgps.LJxsXuyqdQUMe",
    "{SMD5}EURIQwc1fnU8NXydzw09shR6niA=",
    "{LDAP-MD5}im2g/j81yD0/S65AxME2VA==",
    "{PLAIN-MD5}8a6da0fe3f35c83d3f4bae40c4c13654",
    "{SSHA.HEX}1a58186a5ea1564cdbdea0e309d72b6b36a8b68ada577b16",
    "{SHA512.HEX}34dd31419bc78778a43f029ac286fcbc3f417890e66457f7f6d87e4c9021fe55fbb7b7dddbbf4fa550f5a0f8cfe7525e79b8f465234abc5b8d005f9c7e6f4fd2",
    "{PLAIN.B64}Y29ycmVjdCBob3Jzw6k=",
    "{SHA512-CRYPT.B64}JDYkdzh3REJjQ2sucWJhZXN0USR1Rk01b3FNb09GZWJQRHMwVjVBZlI0UUZ3eGVaTlNYdHJiY3JsOXBnZ1RyeXhDSmozNFBYcW13ZG5VZm1pRG14ZDRlcktCcjdUVG9HQi9PaXJQV3VZMA==",
    "{SSHA256.B64}lmPPHJPsQyPbAh+lZTUV+EmI8VkBvJiqDJ4Zt/wlNnNCVRiE",
    "{ssha256.b64}lmPPHJPsQyPbAh+lZTUV+EmI8VkBvJiqDJ4Zt/wlNnNCVRiE",
]

OPENSSLS = [  # openssl passwd -6 -salt saltsalt secret, and -5, -1
    "{CRYPT}$6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0S5knV8wiOQSpT0Y77vwPZN.Pq.H91p5hVO1",
    "{CRYPT}$5$saltsalt$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA",
    "{CRYPT}$1$saltsalt$9xy1btjgzLYfb7hivXtC//",
]


def scheme_of(stored: str) -> str:
    return stored.partition("}")[0]


@pytest.mark.parametrize("stored", DOVECOTS, ids=scheme_of)
def test_what_dovecot_made_is_verified(stored: str) -> None:
    check_hash(stored)
    assert verify_password(PASSWORD, stored)
    for wrong in ("correct hors", PASSWORD + "x", PASSWORD.upper(), "", "x" * 1025, "a\0b"):
        assert not verify_password(wrong, stored)


@pytest.mark.parametrize("stored", OPENSSLS)
def test_what_openssl_made_is_verified(stored: str) -> None:
    check_hash(stored)
    assert verify_password("secret", stored)
    assert not verify_password("Secret", stored)


def test_new_hashes_are_argon2id_and_never_equal() -> None:
    first, second = hash_password(PASSWORD), hash_password(PASSWORD)
    assert first.startswith("{ARGON2ID}$argon2id$")
    assert first != second
    assert verify_password(PASSWORD, first)
    assert not verify_password("wrong", first)


def test_nobodys_hash_costs_what_a_new_one_costs() -> None:
    def parameters(stored: str) -> argon2.Parameters:
        return argon2.extract_parameters(stored.removeprefix("{ARGON2ID}"))

    assert parameters(passwords._NOBODYS) == parameters(hash_password("x"))


def test_bcrypt_takes_note_of_72_octets_as_crypt_does() -> None:
    stored = "{BLF-CRYPT}" + bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4)).decode()
    assert verify_password("x" * 72, stored)
    assert verify_password("x" * 100, stored)
    assert not verify_password("x" * 71, stored)


@pytest.mark.parametrize(
    ("stored", "text"),
    [
        ("secret", "a password hash begins with its {SCHEME}"),
        ("{}x", "a password hash begins with its {SCHEME}"),
        ("$6$saltsalt$x", "for one from crypt(3) write {CRYPT} before it"),
        ("{ROT13}frperg", "the password scheme 'ROT13' is not known, expected one of ARGON2ID"),
        ("{SSHA.B32}xx", "what follows {SSHA.B32} is not a password hash of that scheme"),
        ("{SSHA}!!", "not a password hash of that scheme"),
        ("{SSHA}AAAA", "not a password hash of that scheme"),
        ("{SHA256}AAAA", "not a password hash of that scheme"),
        ("{SHA512-CRYPT}$5$a$b", "not a password hash of that scheme"),
        ("{SHA512-CRYPT}", "not a password hash of that scheme"),
        ("{BLF-CRYPT}$2y$05$short", "not a password hash of that scheme"),
        ("{ARGON2ID}$argon2id$nonsense", "not a password hash of that scheme"),
        ("{PBKDF2}$1$salt$x$00", "not a password hash of that scheme"),
        ("{CRYPT}abcdefghijklm", "not a password hash of that scheme"),
        ("{PLAIN}", "not a password hash of that scheme"),
        ("{PLAIN}a\0b", "not a password hash of that scheme"),
    ],
)
def test_unusable_hash_is_refused_and_never_verified(stored: str, text: str) -> None:
    with pytest.raises(DirectoryError) as error:
        check_hash(stored)
    assert text in str(error.value)
    assert "frperg" not in str(error.value)
    assert error.value.__cause__ is None
    assert not verify_password("secret", stored)


@pytest.mark.parametrize("password", ["", "a\0b", "x" * 1025, "é" * 513])
def test_unusable_password_is_refused_without_being_shown(password: str) -> None:
    with pytest.raises(DirectoryError) as error:
        hash_password(password)
    assert "the password" in str(error.value)
    assert len(str(error.value)) < 60


@given(st.text(max_size=60), st.sampled_from(passwords.SCHEMES), st.text(max_size=80))
def test_no_stored_text_breaks_the_check(password: str, scheme: str, value: str) -> None:
    if "ARGON2" not in scheme:
        verify_password(password, f"{{{scheme}}}{value}")


@given(st.text(max_size=40))
def test_no_argon2_text_breaks_the_check(value: str) -> None:
    assert not verify_password("x", f"{{ARGON2ID}}$argon2id$v=19${value}")


@given(st.binary(min_size=1, max_size=30))
def test_any_octets_may_be_a_password(octets: bytes) -> None:
    password = octets.decode("utf-8", "surrogateescape")
    stored = "{PLAIN.B64}" + base64.b64encode(octets).decode()
    assert verify_password(password, stored) == (b"\0" not in octets)


@pytest.mark.parametrize(
    "stored",
    [
        "{BLF-CRYPT}$2y$31$" + "a" * 53,
        "{CRYPT}$2y$16$" + "a" * 53,
        "{SHA512-CRYPT}$6$rounds=999999999$salt$" + "a" * 86,
        "{ARGON2ID}$argon2id$v=19$m=4194304,t=1000,p=1$" + "c2FsdHNhbHQ$" + "A" * 43,
        "{ARGON2ID}$argon2id$v=19$m=16777216,t=1,p=1$" + "c2FsdHNhbHQ$" + "A" * 43,
        "{SCRAM-SHA-256}99999999999,c2FsdA==,AAAA,AAAA",
        "{PBKDF2}$1$salt$2147483647$" + "a" * 40,
    ],
)
def test_a_hash_that_would_take_minutes_is_refused(stored: str) -> None:
    """It would stop everything else, when it is added and at each login."""
    begun = time.monotonic()
    with pytest.raises(DirectoryError, match="would take too long"):
        passwords.check_hash(stored)
    assert not passwords.verify_password("x", stored)
    assert time.monotonic() - begun < 2
