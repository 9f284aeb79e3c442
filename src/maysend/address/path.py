"""The path of MAIL FROM and RCPT TO (RFC 5321 4.1.2), as forgiving as smtpd reads it.

smtpd reads it by RFC 822: comments, phrases before the brackets and missing brackets are let
through unless strict_rfc821_envelopes says otherwise; a source route is dropped.
"""

import re
from typing import Final

from maysend.address.errors import LONGEST_ADDRESS, AddressSyntaxError
from maysend.address.folding import fold
from maysend.address.groups import Address, parse
from maysend.address.tokens import internal_form

_BRACKETS: Final = ("<", ">")
_QUOTED: Final = re.compile(r'"(?:[^\\"]++|\\.)*"', re.DOTALL)
_PAIRING: Final = re.compile(r'[<>"]|\\.', re.DOTALL)
_PLAIN: Final = re.compile(
    r"<([A-Za-z0-9_+-]++(?:\.[A-Za-z0-9_+-]++)*@[A-Za-z0-9-]++(?:\.[A-Za-z0-9-]++)*)>"
)
"""What nearly every client writes, and what nothing has to be done to."""


def parse_path(text: str, *, strict: bool = False, utf8: bool = False) -> str:
    """Return the address in a path, in internal form; "" is the null sender.

    `text` is one word of the command, with its brackets: `<bob@example.com>`, `<@a,@b:bob@c>`,
    `bob@example.com`. `strict` is strict_rfc821_envelopes. `utf8` says that the client asked for
    SMTPUTF8 or that smtputf8_enable is off; else the domain has to be ASCII once folded. smtpd asks
    that of the resolved address, which need not be the one written: a caller that resolves passes
    True and asks it of `fold(resolved.domain)`.

    Raises AddressSyntaxError where smtpd answers "501 5.1.7 Bad sender address syntax" for what is
    written here; whether the address leads anywhere is another question, see `resolve`. A path of
    more than LONGEST_ADDRESS characters is refused too.
    """
    if len(text) > LONGEST_ADDRESS + len("<>"):
        raise AddressSyntaxError(f"longer than {LONGEST_ADDRESS} characters")
    plain = _PLAIN.fullmatch(text)
    if plain is not None:
        return plain[1]
    if "\0" in text:
        raise AddressSyntaxError("a NUL character")  # where smtpd sees the end of the line
    if not _is_closed(text):
        raise AddressSyntaxError("a bracket or quote that is not closed")
    nodes = parse(_without_route(_without_brackets(text)))
    addresses = [node for node in nodes if isinstance(node, Address)]
    if len(addresses) > 1:
        raise AddressSyntaxError("more than one address")
    if strict and not text.startswith("<"):
        raise AddressSyntaxError("no brackets around the address")
    if strict and any(not isinstance(n, Address) and n.kind not in _BRACKETS for n in nodes):
        raise AddressSyntaxError("text beside the address")
    if not addresses:
        return ""
    address = internal_form(addresses[0].tokens, spaced=False)
    if strict and address.startswith("@"):
        raise AddressSyntaxError("no local part")
    if not (utf8 or _domain_folds_to_ascii(address)):
        raise AddressSyntaxError("a domain that is not ASCII, without SMTPUTF8")
    return address


def _domain_folds_to_ascii(address: str) -> bool:
    """`straße` does not need SMTPUTF8, smtpd asks after folding; without `@` there is no domain."""
    return "@" not in address or fold(address[address.rfind("@") :]).isascii()


def _without_brackets(text: str) -> str:
    return text[1:-1] if text.startswith("<") and text.endswith(">") else text


def _without_route(text: str) -> str:
    """Drop the source route of `@a,@b:mailbox` (RFC 5321 appendix C)."""
    return text[text.index(":") + 1 :] if text.startswith("@") and ":" in text else text


def _is_closed(text: str) -> bool:
    """Whether quotes and `<>`, which nest, are closed: where not, the command has no end for smtpd.

    Comments and literals mean nothing to its tokenizer, nor does a `>` too many.
    """
    depth = 0
    position = 0
    while found := _PAIRING.search(text, position):
        position = found.end()
        if found[0] == '"':
            quoted = _QUOTED.match(text, found.start())
            if quoted is None:
                return False
            position = quoted.end()
        elif found[0] == "<":
            depth += 1
        elif found[0] == ">" and depth:
            depth -= 1
    return depth == 0
