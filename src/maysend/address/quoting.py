"""A mail address on the wire (quoted, RFC 5322 3.4.1) and inside Postfix (unquoted).

Internally `bob smith@example.com` is what travels as `"bob smith"@example.com`. access(5) and the
login maps are asked the quoted form first and the internal form after it.
"""

import re
from typing import Final

# A local part that needs no quotes: atoms with single dots between them. Unlike RFC 5322's atext
# it lets 8-bit characters and `%`, `!`, `|` through: Postfix quotes by RFC 822 and leaves what is
# not ASCII alone.
_ATOM_CHARACTERS: Final = r"[^\x00-\x20\x7f()<>@,;:\\\".\[\]]"
_DOT_STRING: Final = re.compile(rf"{_ATOM_CHARACTERS}++(?:\.{_ATOM_CHARACTERS}++)*")

_QUOTE_OR_ESCAPE: Final = re.compile(r'"|\\((?s:.)?)')
_QUOTE_ESCAPE_OR_AT: Final = re.compile(r'["@]|\\(?s:.)')


def _split_route(address: str) -> tuple[str, str]:
    """Split `@a,@b:mailbox` after the colon (RFC 5321 appendix C); the route may be empty."""
    if address.startswith("@"):
        colon = address.find(":")
        if colon >= 0:
            return address[: colon + 1], address[colon + 1 :]
    return "", address


def quote_local(address: str) -> str:
    """Return the external form of an address: its local part quoted where RFC 822 asks for it.

    `address` is in internal form; a source route and the domain stay as they are. As
    quote_822_local(3) of Postfix, never fails: quote_local("") is `""`.
    """
    route, mailbox = _split_route(address) if address.startswith("@") else ("", address)
    at = mailbox.rfind("@")
    local, domain = (mailbox, "") if at < 0 else (mailbox[:at], mailbox[at:])
    if _DOT_STRING.fullmatch(local):
        return address
    return f'{route}"{_escaped(local)}"{domain}'


def _escaped(local: str) -> str:
    return local.replace("\\", "\\\\").replace('"', '\\"').replace("\r", "\\\r")


def unquote(address: str) -> str:
    """Return the internal form of an external address: quotes and backslashes of its local part.

    What follows the last unquoted `@` is left alone. As unquote_822_local(3) of Postfix, never
    fails: a quote that is not closed reaches to the end, a backslash at the end is dropped.
    """
    if '"' not in address and "\\" not in address:
        return address
    route, mailbox = _split_route(address)
    at = _last_unquoted_at(mailbox)
    local, domain = (mailbox, "") if at < 0 else (mailbox[:at], mailbox[at:])
    return route + _without_quotes(local) + domain


def _last_unquoted_at(mailbox: str) -> int:
    """Return where the last `@` outside of quotes is, -1 where there is none."""
    last = -1
    quoted = False
    for found in _QUOTE_ESCAPE_OR_AT.finditer(mailbox):
        if found[0] == '"':
            quoted = not quoted
        elif found[0] == "@" and not quoted:
            last = found.start()
    return last


def _without_quotes(local: str) -> str:
    if "\\" not in local:
        return local.replace('"', "")
    return _QUOTE_OR_ESCAPE.sub(lambda found: found[1] or "", local)
