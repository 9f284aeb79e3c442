"""XCLIENT and XFORWARD: a proxy says who its client is (XCLIENT_README, XFORWARD_README).

Values are xtext (RFC 1891 5); [UNAVAILABLE] and [TEMPUNAVAIL] stand for what is not known.
"""

import re
from collections.abc import Collection, Mapping

import msgspec

from maysend.protocols.smtp.client import command
from maysend.protocols.smtp.commands import CommandError
from maysend.reply import Reply

ATTRIBUTES = (
    *("NAME", "ADDR", "PROTO", "HELO", "REVERSE_NAME", "PORT", "LOGIN"),
    *("DESTADDR", "DESTPORT"),
)
"""Of XCLIENT, in the order in which smtpd's EHLO names them."""

UNAVAILABLE = ("[UNAVAILABLE]", "[TEMPUNAVAIL]")
SYNTAX = Reply(501, "5.5.4", "Syntax: XCLIENT attribute=value...")
XTEXT_OCTET = re.compile(rb"\+([0-9A-Fa-f]{2})")
TO_QUOTE = re.compile(rb"[^!-*,-<>-~]")
LONGEST_LINE = 512


class XclientFacts(msgspec.Struct, frozen=True):
    """What one XCLIENT said: attribute → value, "" where that is not known."""

    values: dict[str, str]

    def get(self, name: str, default: str) -> str:
        """The value, `default` where it was not said."""
        return self.values.get(name, default)


def parse_xclient(argument: str) -> XclientFacts:
    """The attributes of an XCLIENT command. Raises CommandError."""
    words = [word for word in argument.split(" ") if word]
    if not words:
        raise CommandError(SYNTAX)
    return XclientFacts(dict(_attribute(word) for word in words))


def _attribute(word: str) -> tuple[str, str]:
    name, equals, text = word.partition("=")
    if not equals or not name:
        raise CommandError(Reply(501, "5.5.4", f"Error: attribute=value expected, got: {word}"))
    if name.upper() not in ATTRIBUTES:
        raise CommandError(Reply(501, "5.5.4", f"Error: bad attribute name: {name}"))
    if text.upper() in UNAVAILABLE:
        return name.upper(), ""
    value = from_xtext(text)
    if value is None or re.search("[\0-\x1f\x7f]", value):
        raise CommandError(Reply(501, "5.5.4", f"Error: bad attribute value syntax: {name}"))
    return name.upper(), value


def from_xtext(text: str) -> str | None:
    """The text that xtext stands for; None where it is no xtext or no UTF-8."""
    try:
        written = text.encode()
        if b"+" in XTEXT_OCTET.sub(b"", written):
            return None
        octets = XTEXT_OCTET.sub(lambda found: bytes([int(found[1], 16)]), written)
        return octets.decode("utf-8")
    except UnicodeError:
        return None


def to_xtext(text: str) -> str:
    """`text` as an attribute's value."""
    octets = text.encode("utf-8", "surrogateescape")
    return TO_QUOTE.sub(lambda found: b"+%02X" % found[0][0], octets).decode("ascii")


def xclient_command(facts: Mapping[str, str], offered: Collection[str]) -> bytes:
    """XCLIENT with those of `facts` that the server takes; "" is said to be unavailable."""
    return command(" ".join(["XCLIENT", *_written(facts, offered)]))


def xforward_commands(facts: Mapping[str, str], offered: Collection[str]) -> list[bytes]:
    """XFORWARD, one command an attribute: together they might be too long for a line."""
    return [command(f"XFORWARD {word}") for word in _written(facts, offered)]


def _written(facts: Mapping[str, str], offered: Collection[str]) -> list[str]:
    words = []
    for name, value in facts.items():
        # PROTO, HELO and the like never hold "unknown"; a client's name does where it has none.
        known = value not in ("", "unknown")
        text = to_xtext(_address(value) if name == "ADDR" else value) if known else UNAVAILABLE[0]
        if name in offered and len(text) < LONGEST_LINE:
            words.append(f"{name}={text}")
    return words


def _address(address: str) -> str:
    return f"IPV6:{address}" if ":" in address else address
