"""How smtpd words a refusal: enhanced status codes by stage, and what may stand in a reply line.

Source: RFC 3463 (enhanced status codes), RFC 2034, access(5) "ENHANCED STATUS CODES"; the tables
below were read off a live Postfix 3.7 smtpd (tests/cases/enhanced_status.toml).
"""

import re
from typing import Final, Protocol

from maysend.address.characters import is_ascii, is_printable
from maysend.reply import Reply

CLIENT: Final = "Client host"
CLIENT_CERTIFICATE: Final = "Client certificate"
REVERSE_CLIENT: Final = "Unverified Client host"
HELO: Final = "Helo command"
SASL_LOGIN: Final = "SASL login name"
SENDER: Final = "Sender address"
RECIPIENT: Final = "Recipient address"
DATA: Final = "Data command"
END_OF_DATA: Final = "End-of-data"
ETRN: Final = "Etrn command"

_ENHANCED_STATUS: Final = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?:\s+|$)", re.ASCII)

_SENDER_STATUS: Final = ("1.0", "1.7", "1.8", "1.7", "1.7", "1.0", "1.7", "1.7", "1.8")
_RECIPIENT_STATUS: Final = ("1.0", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.3", "1.2")


def split_enhanced_status(text: str, default: str) -> tuple[str, str]:
    """Divide "5.7.1 text" into its enhanced status code and the text; `default` where none is."""
    match = _ENHANCED_STATUS.match(text)
    if match is None:
        return default, text
    return match[1], text[match.end() :]


def status_for(words: str, status: str) -> str:
    """An address status (x.1.y) as it fits what is refused: a sender's, a recipient's, neither's.

    A table that serves several stages says "5.1.1" once; a sender can't be "bad destination
    mailbox", and a client is no mailbox at all.
    """
    if status[1:4] != ".1.":
        return status
    fitting = {SENDER: _SENDER_STATUS, RECIPIENT: _RECIPIENT_STATUS}.get(words)
    if fitting is None:
        return f"{status[0]}.0.0"
    detail = int(status[4:])
    return f"{status[0]}.{fitting[detail] if detail < len(fitting) else '1.0'}"


class ReplyStyle(Protocol):
    """What a site says of replies: `soft_bounce` and `smtputf8_enable` (postconf(5))."""

    soft_bounce: bool
    utf8: bool


def consistent_reply(code: int, dsn: str, text: str, style: ReplyStyle) -> Reply:
    """The reply with a code that is one, a status of the same class, and printable text.

    A code outside 400..599 would tell the client that all is well: smtpd answers
    "450 4.7.1 Service unavailable" instead.
    """
    if not 400 <= code <= 599:
        code, dsn, text = 450, "4.7.1", "Service unavailable"
    if style.soft_bounce and code >= 500:
        code -= 100
    return Reply(code, f"{code // 100}{dsn[1:]}", printable(text, utf8=style.utf8))


def printable(text: str, *, utf8: bool = True, instead: str = " ") -> str:
    """Replace every octet that must not stand in a reply line, as Postfix's printable() does."""
    if is_ascii(text) and is_printable(text):
        return text
    octets = text.encode("utf-8", "surrogateescape")
    try:
        text = octets.decode("utf-8" if utf8 else "ascii")
    except UnicodeDecodeError:
        return "".join(chr(octet) if 32 <= octet < 127 else instead for octet in octets)
    return "".join(instead if char < " " or char == "\x7f" else char for char in text)
