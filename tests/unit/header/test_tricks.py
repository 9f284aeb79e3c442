"""S2.7: tricks with the From: header known to the literature, and sound headers beside them.

Sources of the tricks: J. Chen, V. Paxson, J. Jiang, "Composition Kills" (USENIX Security 2020);
K. Shen et al., "Weak Links in Authentication Chains" (USENIX Security 2021); RFC 7103.
Each is refused, or gives every address that some program is known to show.
"""

import pytest

from maysend.header import Field, HeaderDefect, originator_fields, read_originators

CEO, BOB = "ceo@bank.example", "bob@evil.example"


def claims(*values: str, utf8: bool = True) -> list[str]:
    """Every address that From: fields with these values claim, a Sender: beside them."""
    fields = [Field("From", value) for value in values] + [Field("Sender", f" <{BOB}>")]
    first = read_originators(fields, utf8=utf8)[0]
    return [*(mailbox.address for mailbox in first.mailboxes), *first.shown]


def refusal(*fields: Field, utf8: bool = True) -> str:
    with pytest.raises(HeaderDefect) as refused:
        read_originators(fields, utf8=utf8)
    return str(refused.value)


@pytest.mark.parametrize(
    ("value", "addresses"),
    [
        (f" {BOB}", [BOB]),
        (f" <{BOB}>", [BOB]),
        (f" Bob Smith <{BOB}>", [BOB]),
        (f' "Smith, Bob" <{BOB}>', [BOB]),
        (f" Bob J. Smith, Jr <{BOB}>".replace(", Jr", ""), [BOB]),
        (f" Dr.Bob <{BOB}>", [BOB]),
        (f"\r\n Bob\r\n\t<{BOB}>", [BOB]),
        (f"\n Bob\n\t<{BOB}>", [BOB]),
        (f" =?utf-8?Q?J=C3=BCrgen?= <{BOB}>", [BOB]),
        (f" =?utf-8*de?Q?J=C3=BCrgen?= <{BOB}>", [BOB]),
        (f" =?iso-2022-jp?B?GyRCRnxLXBsoQg==?= <{BOB}>", [BOB]),
        (f' "=?utf-8?Q?J=C3=BCrgen?=" <{BOB}>', [BOB]),
        (f" =?utf-8?Q?J=C3?= =?utf-8?Q?=BCrgen?= <{BOB}>", [BOB]),
        (f' "{BOB}" <{BOB}>', [BOB, BOB]),
        (f" {BOB} (Bob (at home))", [BOB]),
        (f" Jürgen <{BOB}>", [BOB]),
        (" bob@[192.0.2.1]", ["bob@[192.0.2.1]"]),
        (" bob@[IPv6:2001:db8::1]", ["bob@[IPv6:2001:db8::1]"]),
        (' "bob smith"@evil.example', ["bob smith@evil.example"]),
        (" \U0001f600 Bob <bob@evil.example>", [BOB]),
        # every mailbox and everything that reads as one
        (f" {BOB}, {CEO}", [BOB, CEO]),
        (f" <{CEO}>, <{BOB}>", [CEO, BOB]),
        (f" us: {BOB}, {CEO};", [BOB, CEO]),
        (f' "us": {BOB};, {CEO}', [BOB, CEO]),
        (f" {BOB} ({CEO})", [BOB, CEO]),
        (f" ({CEO}) {BOB}", [BOB, CEO]),
        (f" (x (y {CEO})) {BOB}", [BOB, CEO]),
        (f' "{CEO}" <{BOB}>', [BOB, CEO]),
        (f' "CEO <{CEO}>" <{BOB}>', [BOB, CEO]),
        (rf' "CEO \"{CEO}\"" <{BOB}>', [BOB, CEO]),
        (rf' "ce\o\@bank.example" <{BOB}>', [BOB, CEO]),
        (f' "{CEO}": {BOB};', [BOB, CEO]),
        (f" =?utf-8?B?Y2VvQGJhbmsuZXhhbXBsZQ==?= <{BOB}>", [BOB, CEO]),
        (f" =?utf-8?Q?ceo=40bank?= =?utf-8?Q?=2Eexample?= <{BOB}>", [BOB, CEO]),
        (f' "=?utf-8?Q?ceo=40bank=2Eexample?=" <{BOB}>', [BOB, CEO]),
        (f" {BOB} (=?utf-8?Q?ceo=40bank=2Eexample?=)", [BOB, CEO]),
        (f' "ceo\uff20bank\uff0eexample" <{BOB}>', [BOB, CEO]),
        (f' "ceo@bank\u3002example" <{BOB}>', [BOB, CEO]),
        (f' "ceo\u200b@bank.example" <{BOB}>', [BOB, CEO]),
        (f" \"'{CEO}'\" <{BOB}>", [BOB, CEO]),
        # a local part that reads as an address is one name in the domain after the last "@"
        (f' "{CEO}"@evil.example', [f"{CEO}@evil.example"]),
        (" bob@exämple.com", ["bob@exämple.com"]),
        (" bob@EXA\u0308MPLE.com", ["bob@exämple.com"]),
        (" bob@xn--exmple-cua.com", ["bob@xn--exmple-cua.com"]),
    ],
)
def test_every_address_is_found(value: str, addresses: list[str]) -> None:
    assert claims(value) == addresses


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        " bob",
        " <>",
        " <bob>",
        f" , {BOB}",
        f" {BOB},",
        f" {BOB},,{CEO}",
        f" <>, {BOB}",
        f" <{CEO}> <{BOB}>",
        f" <{CEO}>{BOB}",
        f" <{BOB}>{CEO}<>",
        f" {CEO} <{BOB}>",
        f" {BOB}; {CEO}",
        f" us: {BOB}",
        f" us: {BOB};;",
        " us:;",
        f" us: them: {BOB};;",
        f" : {BOB};",
        f" <@{CEO}>",
        f" <@a.example:{BOB}>",
        f" <@a.example,@b.example:{BOB}>",
        f" <<{BOB}>>",
        f" <{BOB}",
        f" {BOB}>",
        f" bob.<{BOB}",
        rf" <{CEO}>\, <{BOB}>",
        f' "<{BOB}>',
        f" ({BOB}",
        f" {BOB})",
        f" {BOB} (((((((((((deep)))))))))))",
        " bob @evil.example",
        " bob@ evil.example",
        " bob(c)@evil.example",
        " bob@(c)evil.example",
        " <bob@evil.example(c)>",
        " <(c)bob@evil.example>",
        " < bob@evil.example>",
        " <bob@evil.example >",
        " <bob@\r\n evil.example>",
        ' "bob".smith@evil.example',
        ' bob."smith"@evil.example',
        ' ""@evil.example',
        " .bob@evil.example",
        " bob.@evil.example",
        " bob..smith@evil.example",
        " bob@evil..example",
        " bob@.example",
        " bob@evil.example.",
        " bob@-evil.example",
        " bob@evil!.example",
        " bob@[evil.example]",
        " bob@[192.0.2.256]",
        " bob@[192.0.2.1",
        f" {BOB}@bank.example",
        " =?utf-8?Q?ceo?=@evil.example",
        " =?utf-8?Q?=3Cceo=40bank=2Eexample=3E?=",
        f" =?utf-8?B?!!!!?= <{BOB}>",
        f" =?utf-8?Q?=ZZ?= <{BOB}>",
        f" =?utf-8?Q?=C3?= <{BOB}>",
        f" =?utf-7?Q?ceo+AEA-bank.example?= <{BOB}>",
        f" =?rot13?Q?prb?= <{BOB}>",
        f" =?utf-8?Q?ceo=00?= <{BOB}>",
        f" =?utf-8?Q?ceo=0D=0AFrom=3A?= <{BOB}>",
        f" =?utf-8?B?4oCu?= <{BOB}>",
        f" ceo\0@bank.example <{BOB}>",
        f" {CEO}\0, {BOB}",
        f' "ceo\0" <{BOB}>',
        f" ceo\x08 <{BOB}>",
        f" ceo\x7f <{BOB}>",
        f" ceo\x85 <{BOB}>",
        f" \u202emoc.knab@oec\u202c <{BOB}>",
        f" \u2067x\u2069 <{BOB}>",
        " bob\u200b@evil.example",
        " bob\u00a0@evil.example",
        " bob@evil\u200b.example",
        " bob@\uff45vil.example",
        " bob@evil\u3002example",
        " bob@xn--a.example",
        " bob@xn--ls8h.example",
        f" Bob\r\n \r\n <{BOB}>",
        f" Bob\r\n<{BOB}>",
        f" Bob\r <{BOB}>",
        f" {BOB}\r\nTo: x",
        " \udcff <bob@evil.example>",
        " " + "x" * 1000 + f" <{BOB}>",
        (" x\r\n" * 6000) + f" <{BOB}>",
        f" {'b' * 65}@evil.example",
        f" bob@{'.'.join(['e' * 60] * 5)}",
        f" bob@{'e' * 64}.example",
        ",\r\n ".join([f" {BOB}"] * 51),
        ' "' + "@a.bb x".join(f"\r\n y{n}" for n in range(60)) + f'" <{BOB}>',
    ],
)
def test_a_defect_refuses(value: str) -> None:
    text = refusal(Field("From", value), Field("Sender", f" {BOB}"))
    assert text.startswith("Header From rejected: ")
    assert text.isprintable()
    assert len(text) < 160


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"Subject: x\r\n", "Header From rejected: there is none"),
        (b"", "Header From rejected: there is none"),
        (b"X-From: a@b.example\r\n", "Header From rejected: there is none"),
        (b"From: a@b.example\r\nFROM: a@b.example\r\n", "it stands 2 times"),
        (b"From: a@b.example\r\nSender: a@b.c\r\nSender: a@b.c\r\n", "Header Sender rejected"),
        (b"From : a@b.example\r\n", "blank before its colon"),
        (b"From: a@b.example\r\nFrom\t: c@d.example\r\n", "it stands 2 times"),
        (b"From: a@b.example, c@d.example\r\n", "several mailboxes need a Sender: field"),
        (b"From: a@b.example\r\nSender: a@b.example, c@d.example\r\n", "Header Sender rejected"),
        (b"From: a@b.example\r\nSender: us: a@b.example;\r\n", "Header Sender rejected"),
        (b"From: a@b.example\r\nSender:\r\n", "Header Sender rejected"),
        (b"From: a@b.example\r\nResent-From: x\r\n", "Header Resent-From rejected"),
        (b"From: a@b.example\r\nResent-From: a@b.c, d@e.f\r\n", "need a Resent-Sender: field"),
        (b"From: a@b.example\r\n" + b"Resent-From: a@b.c\r\n" * 51, "more than 50 times"),
        (b"From: \xff <a@b.example>\r\n", "octets that are no UTF-8"),
    ],
)
def test_fields_that_are_missing_repeated_or_broken(octets: bytes, text: str) -> None:
    assert text in refusal(*originator_fields(octets))


def test_what_is_not_ascii_needs_smtputf8() -> None:
    assert "needs SMTPUTF8" in refusal(Field("From", " ü <a@b.example>"), utf8=False)


def test_fields_are_found_whatever_their_case_and_folding() -> None:
    octets = (
        b"Received: x\r\n\tFrom: y\r\nfROM:\r\n a@b.example\r\nrESENT-sender: c@d.e\r\nTo: x\r\n"
    )
    fields = originator_fields(octets)
    assert [(f.canonical_name, f.value) for f in fields] == [
        ("From", "\r\n a@b.example"),
        ("Resent-Sender", " c@d.e"),
    ]
