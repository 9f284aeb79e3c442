"""S2.7: headers by which bob, who has logged in, tries to look like eve, as octets on the wire.

`tests/unit/header/test_tricks.py` has many more for the parser alone; this table is what each door
is shown as a whole. Postfix mends some headers before its milter sees them: `mended` is what the
milter answers then, MENDED_AWAY where nothing of eve is left.
"""

import base64
from typing import NamedTuple

BOB, EVE = b"bob@example.com", b"eve@example.com"
MENDED_AWAY = "250 "
NOT_BOBS = "554 5.7.1 <eve@example.com>: Header From address rejected: not owned by user bob"
SHOWN = "554 5.7.1 <eve@example.com>: Header From display name rejected: not owned by user bob"
NONE = "554 5.6.0 Header From rejected: there is none"
TWICE = "554 5.6.0 Header From rejected: it stands 2 times, and may stand once"
DEFECT = "554 5.6.0 Header From rejected: "
NO_FIELD = "554 5.6.0 Error: message header line "
BARE = "550 5.5.2 "


class Trick(NamedTuple):
    """`header` with its last CRLF; `reply` begins what is answered; `mended`: see above."""

    name: str
    header: bytes
    reply: str
    mended: str = ""
    smtputf8: bool = False


def _from(name: str, value: bytes, reply: str, mended: str = "", *, utf8: bool = False) -> Trick:
    return Trick(name, b"From: " + value + b"\r\n", reply, mended, utf8)


def _utf8(name: str, value: str, reply: str) -> Trick:
    return _from(name, value.encode(), reply, utf8=True)


ENCODED_EVE = b"=?utf-8?B?" + base64.b64encode(b"<" + EVE + b">") + b"?="
SENDER = b"\r\nSender: " + BOB

SEVERAL = [
    Trick("two From lines", b"From: " + BOB + b"\r\nFrom: " + EVE + b"\r\n", TWICE),
    Trick("two From lines, eve first", b"From: " + EVE + b"\r\nFrom: " + BOB + b"\r\n", TWICE),
    Trick("two From lines, apart", b"From: " + BOB + b"\r\nTo: x\r\nfROM: " + EVE + b"\r\n", TWICE),
    Trick("two From lines, both bob's", b"From: " + BOB + b"\r\nFrom: " + BOB + b"\r\n", TWICE),
    _from("two mailboxes", BOB + b", " + EVE + SENDER, NOT_BOBS),
    _from("two mailboxes, in brackets", b"<" + EVE + b">, Bob <" + BOB + b">" + SENDER, NOT_BOBS),
    _from("two mailboxes without Sender", BOB + b", " + BOB, DEFECT + "several mailboxes need a"),
    _from("two mailboxes without comma", b"<" + BOB + b"> <" + EVE + b">", DEFECT),
    _from("an empty one before", b", " + EVE, DEFECT),
    _from("a name and a bare address", EVE + b" <" + BOB + b">", DEFECT),
    _from("51 mailboxes", b",\r\n ".join([BOB] * 51) + SENDER, DEFECT + "it has more than 50"),
]
GROUPS = [
    _from("in a group", b"us: " + BOB + b", " + EVE + b";" + SENDER, NOT_BOBS),
    _from("beside a group", b"us: " + BOB + b";, " + EVE + SENDER, NOT_BOBS),
    _from("a group's name", b'"' + EVE + b'": ' + BOB + b";", SHOWN),
    _from("a group of nobody", b"undisclosed:;", DEFECT + "it has no mailbox"),
    _from("a group in a group", b"us: them: " + BOB + b";;", DEFECT),
    _from("a group without end", b"us: " + BOB, DEFECT),
]
COMMENTS_AND_QUOTES = [
    _from("in a comment", BOB + b" (" + EVE + b")", SHOWN),
    _from("in a comment in a comment", b"(x (<" + EVE + b">)) " + BOB, SHOWN),
    _from("bob in eve's comment", EVE + b" (" + BOB + b")", NOT_BOBS),
    _from("a comment without end", BOB + b" (" + EVE, DEFECT),
    _from("a comment in the address", b"eve(bob@example.com)@example.com", DEFECT),
    _from("a quoted display name", b'"' + EVE + b'" <' + BOB + b">", SHOWN),
    _from("brackets in quotes", b'"Eve <' + EVE + b'>" <' + BOB + b">", SHOWN),
    _from("backslashes in quotes", rb'"e\ve\@example.com" <' + BOB + b">", SHOWN),
    _from("bob in eve's name", b'"' + BOB + b'" <' + EVE + b">", NOT_BOBS),
    _from("quotes without end", b'"' + EVE + b" <" + BOB + b">", DEFECT),
    _from("brackets in brackets", b"<" + EVE + b"<" + BOB + b">>", DEFECT),
    _from("a source route", b"<@example.com:" + EVE + b">", DEFECT),
    _from("an obsolete address with blanks", b"eve @ example.com", DEFECT),
]
ENCODED = [
    _from("an encoded display name", ENCODED_EVE + b" <" + BOB + b">", SHOWN),
    _from("in quotes, encoded", b'"' + ENCODED_EVE + b'" <' + BOB + b">", SHOWN),
    _from("in a comment, encoded", BOB + b" (" + ENCODED_EVE + b")", SHOWN),
    _from(
        "in two words", b"=?us-ascii?Q?eve=40ex?= =?us-ascii?Q?ample.com?= <" + BOB + b">", SHOWN
    ),
    _from("nothing but an encoded address", ENCODED_EVE, DEFECT),
    _from("an encoded local part", b"=?utf-8?Q?eve?=@example.com", DEFECT),
    _from("an encoded NUL", b"=?utf-8?Q?eve=00?= <" + BOB + b">", DEFECT),
    _from("an encoded line", b"=?utf-8?Q?x=0D=0AFrom:_eve?= <" + BOB + b">", DEFECT),
    _from("UTF-7", b"=?utf-7?Q?eve+AEA-example.com?= <" + BOB + b">", DEFECT),
    _from("broken base64", b"=?utf-8?B?!!!?= <" + BOB + b">", DEFECT),
]
CONTROLS = [
    # Postfix cuts a field at its first NUL, for the milter and for the message alike.
    _from("a NUL behind bob", BOB + b"\0, " + EVE, BARE, MENDED_AWAY),
    _from("a NUL behind eve", EVE + b"\0, " + BOB, BARE, NOT_BOBS),
    _from("a backspace", b"Eve\b <" + BOB + b">", DEFECT),
    _from("a DEL", b"Eve\x7f <" + BOB + b">", DEFECT),
    _from("an escape", b'"\x1b[2KEve" <' + BOB + b">", DEFECT),
    _from("a bare CR", BOB + b"\rFrom: " + EVE, BARE, DEFECT),
    _from("CRs at the end", BOB + b"\r\r", BARE, MENDED_AWAY),
    _from("a bare LF", BOB + b"\nFrom: " + EVE, BARE, TWICE),
    _from("octets that are no UTF-8", b"Eve\xff <" + BOB + b">", DEFECT),
]
LINES = [
    Trick("no From", b"Subject: x\r\n", NONE),
    Trick("nothing at all", b"", NONE),
    Trick("an empty From", b"From:\r\n", DEFECT),
    Trick("a From of blanks", b"From: \t \r\nTo: x\r\n", DEFECT),
    Trick("X-From alone", b"X-From: " + BOB + b"\r\n", NONE),
    # The first dot of a line is no part of it (RFC 5321 4.5.2).
    Trick("a dot before the name", b"From: " + BOB + b"\r\n.From: " + EVE + b"\r\n", TWICE),
    Trick("a dot before the only name", b".From: " + EVE + b"\r\n", NOT_BOBS),
    Trick("folded", b"From:\r\n " + EVE + b"\r\n", NOT_BOBS),
    Trick("folded between", b"From: " + BOB + b",\r\n\t" + EVE + SENDER + b"\r\n", NOT_BOBS),
    Trick("folded junk", b"From: " + BOB + b"\r\n\t" + EVE + b"\r\n", DEFECT),
    Trick(
        "a continuation of blanks only",
        b"From: " + BOB + b",\r\n \r\n " + EVE + b"\r\n",
        NO_FIELD + "2 ",
        DEFECT,
    ),
    Trick("a continuation before all", b" x\r\nFrom: " + BOB + b"\r\n", NO_FIELD + "1 ", NONE),
    Trick(
        "a line that is no field",
        b"From: " + BOB + b"\r\nx\r\nFrom: " + EVE + b"\r\n",
        NO_FIELD + "2 ",
        MENDED_AWAY,
    ),
    Trick(
        "an mbox line",
        b"From eve@example.com x\r\nFrom: " + BOB + b"\r\n",
        NO_FIELD + "1 ",
        MENDED_AWAY,
    ),
    Trick(
        "a blank before the colon",
        b"Subject: x\r\nFrom : " + EVE + b"\r\n",
        NO_FIELD + "2 ",
        NOT_BOBS,
    ),
    Trick(
        "two, one with a blank",
        b"From: " + BOB + b"\r\nFrom\t: " + EVE + b"\r\n",
        NO_FIELD + "2 ",
        TWICE,
    ),
    Trick("a folded name", b"To: x\r\nFrom\r\n : " + EVE + b"\r\n", NO_FIELD + "2 ", NONE),
    Trick(
        "a name that is not ASCII",
        "\ufeffFrom: eve@example.com\r\n".encode(),
        NO_FIELD + "1 ",
        NONE,
    ),
]
OTHERS = [
    Trick("Sender", b"From: " + BOB + b"\r\nSender: " + EVE + b"\r\n",
          "554 5.7.1 <eve@example.com>: Header Sender address rejected: not owned by user bob"),
    Trick("two Senders", b"From: " + BOB + SENDER + SENDER + b"\r\n",
          "554 5.6.0 Header Sender rejected: it stands 2 times"),
    Trick("Resent-From", b"From: " + BOB + b"\r\nResent-From: " + EVE + b"\r\n",
          "554 5.7.1 <eve@example.com>: Header Resent-From address rejected: not owned by"),
    Trick("the second Resent-From", b"Resent-From: " + BOB + b"\r\nResent-From: " + EVE
          + b"\r\nFrom: " + BOB + b"\r\n",
          "554 5.7.1 <eve@example.com>: Header Resent-From address rejected: not owned by"),
    Trick("Resent-From without From", b"Resent-From: " + BOB + b"\r\n", NONE),
    Trick("Resent-Sender", b"From: " + BOB + b"\r\nResent-From: " + BOB + b"\r\nResent-Sender: "
          + EVE + b"\r\n",
          "554 5.7.1 <eve@example.com>: Header Resent-Sender address rejected: not owned by"),
    Trick("ceo beside eve's Sender", b"From: ceo@example.com\r\nSender: " + EVE + b"\r\n",
          "554 5.7.1 <eve@example.com>: Header Sender address rejected: not owned by user bob"),
    Trick("ceo resent on behalf", b"From: " + BOB + b"\r\nResent-From: ceo@example.com\r\n",
          "554 5.7.1 <ceo@example.com>: Header Resent-From address rejected: user bob may use it"),
]  # fmt: skip
LOOK_ALIKES = [
    _from("UTF-8 without SMTPUTF8", "Evé <bob@example.com>".encode(),
          DEFECT + "it has characters that are not ASCII, which needs SMTPUTF8"),
    _utf8("a Cyrillic o", "bоb@example.com",
          "554 5.7.1 <bоb@example.com>: Header From address rejected: not owned by"),
    _utf8("a Cyrillic a in the domain", "bob@exаmple.com", "554 5.7.1 <bob@ex"),
    _from("its A-label", b"bob@xn--exmple-4nf.com",
          "554 5.7.1 <bob@xn--exmple-4nf.com>: Header From address rejected: not owned by"),
    _utf8("a full-width letter in the domain", "bob@ｅxample.com", DEFECT + "a domain is not"),
    _utf8("an ideographic full stop", "bob@example。com", DEFECT),
    _utf8("a ligature", "bob@ﬁnance.example", DEFECT + "a domain is not valid in IDNA 2008"),
    _utf8("an emoji", "bob@☃.example", DEFECT + "a domain is not valid in IDNA 2008"),
    _from("an A-label that is none", b"bob@xn--a.example", DEFECT + "a domain is not valid"),
    _utf8("a zero-width space", "bob\u200b@example.com", DEFECT),
    _utf8("a soft hyphen in the domain", "bob@exam\u00adple.com", DEFECT),
    _utf8("a full-width at sign shown", '"eve＠example.com" <bob@example.com>', SHOWN),
    _utf8("an invisible character shown", '"eve\u200b@example.com" <bob@example.com>', SHOWN),
    _utf8("a bidirectional override", '"\u202emoc.elpmaxe@eve" <bob@example.com>',
          DEFECT + "it has the character U+202E"),
]  # fmt: skip
OVERSIZE = [
    _from("a line of 1,000 octets", b"x" * 1000 + b" <" + BOB + b">", DEFECT + "it has a line of"),
    _from("24,000 octets, folded", b"x\r\n " * 6000 + b"<" + BOB + b">",
          DEFECT + "it has more than 16384 characters"),
    # Postfix keeps header_size_limit octets of a field and drops the rest.
    _from("120,000 octets", b"x\r\n " * 30000 + b"<" + EVE + b">",
          "552 5.3.4 Error: message header size exceeds fixed limit",
          "55"),
    Trick("a header of 120,000 octets, eve at its end",
          b"X: yyyy\r\n" * 13000 + b"From: " + EVE + b"\r\n",
          "552 5.3.4 Error: message header size exceeds fixed limit", NOT_BOBS),
    Trick("51 Resent-From", b"Resent-From: bob@example.com\r\n" * 51 + b"From: " + BOB + b"\r\n",
          "554 5.6.0 Header Resent-From rejected: it stands more than 50 times"),
]  # fmt: skip

TRICKS = [
    *(*SEVERAL, *GROUPS, *COMMENTS_AND_QUOTES, *ENCODED, *CONTROLS, *LINES, *OTHERS),
    *(*LOOK_ALIKES, *OVERSIZE),
]
