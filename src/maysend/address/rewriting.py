"""An address in its standard form, `user@domain.tld`: trivial-rewrite(8), the "local" context.

smtpd never shows the address that the client wrote to a table: it is completed with the domain of
this machine, and the old routing forms (`site!user`, `user%site`, `@route:user@site`) are turned
into a plain `user@site` first.
"""

import re
from dataclasses import dataclass
from typing import Final

from maysend.address.characters import is_alpha, is_ascii
from maysend.address.quoting import quote_local, unquote
from maysend.address.tokens import LITERAL, QUOTED, Token, external_form, scan

AT: Final = Token("@")
_DOT: Final = Token(".")
_EMPTY: Final = Token(QUOTED, "")

_PLAIN: Final = re.compile(
    r"(?!-)[A-Za-z0-9_#$&'*+/=?^`{}~-]++(?:\.[A-Za-z0-9_#$&'*+/=?^`{}~-]++)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}+(?<!-))?\.)+[A-Za-z]{2,63}"
)
_LONGEST_PLAIN_DOMAIN: Final = 199
_LONGEST_LABEL: Final = 62


@dataclass(frozen=True, kw_only=True)
class Rewriting:
    """The parameters of postconf(5) that decide how addresses are rewritten and resolved.

    The defaults are Postfix's at compatibility_level 1 and up.
    """

    myhostname: str
    myorigin: str
    mydomain: str
    append_at_myorigin: bool = True
    append_dot_mydomain: bool = False
    swap_bangpath: bool = True
    allow_percent_hack: bool = True
    allow_min_user: bool = False
    resolve_dequoted_address: bool = True
    resolve_null_domain: bool = False
    resolve_numeric_domain: bool = False
    empty_address_recipient: str = "MAILER-DAEMON"
    smtputf8_enable: bool = True


class Tree:
    """The tokens of one address while they are rewritten.

    `spaced` is how they are written out: an address that lost all its tokens and got new ones is
    written without the space between its words (the tokens then belong to a node in Postfix).
    """

    __slots__ = ("spaced", "tokens")

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.spaced = True

    def append(self, tokens: list[Token]) -> None:
        """Add tokens at the end."""
        if not self.tokens:
            self.spaced = False
        self.tokens += tokens

    def last(self, operator: str) -> int:
        """Return where `operator` is the last time, -1 where it isn't."""
        for index in range(len(self.tokens) - 1, -1, -1):
            if self.tokens[index].kind == operator:
                return index
        return -1

    def first(self, operator: str) -> int:
        """Return where `operator` is the first time, -1 where it isn't."""
        for index, token in enumerate(self.tokens):
            if token.kind == operator:
                return index
        return -1

    def is_empty_string(self) -> bool:
        """Whether the address is `""`, the null sender."""
        return self.tokens == [_EMPTY]

    def strip_final_dot(self) -> None:
        """Drop the dot of `user@domain.`; `..` and `@.` stay, to be refused as they are."""
        if (
            len(self.tokens) > 1
            and self.tokens[-1].kind == "."
            and self.tokens[-2].kind not in (".", "@")
        ):
            del self.tokens[-1]


def is_plain(address: str) -> bool:
    """Whether the address is `name@domain.tld`, with nothing that is ever rewritten or refused."""
    if _is_simple(address):
        return True
    if not is_ascii(address) or _PLAIN.fullmatch(address) is None:
        return False
    return len(address) - address.find("@") <= _LONGEST_PLAIN_DOMAIN


def _is_simple(address: str) -> bool:
    """In short what the pattern says, because nearly every address is of letters and digits."""
    at, dot = address.find("@"), address.rfind(".")
    return (
        0 < at < dot < len(address) - 2
        and len(address) - at <= _LONGEST_LABEL
        and address[:at].isalnum()
        and is_alpha(address[dot + 1 :])
        and _are_labels(address[at + 1 : dot])
        and is_ascii(address)
    )


def _are_labels(below: str) -> bool:
    """Whether the domain below a top level is of letters, digits, and dots between them."""
    if below.isalnum():
        return True
    labels = below.replace(".", "")
    is_dotted = not below.startswith(".") and not below.endswith(".") and ".." not in below
    return is_dotted and labels.isalnum()


def rewrite(address: str, rewriting: Rewriting) -> str:
    """Return the address in its standard form; both are in internal form. Never fails."""
    if is_plain(address):
        return address
    tree = Tree(scan(quote_local(address)))
    rewrite_tree(tree, rewriting)
    return unquote(external_form(tree.tokens, spaced=tree.spaced))


def rewrite_tree(tree: Tree, rewriting: Rewriting) -> None:
    """Rewrite the tokens of an address in place, as `rewrite` does."""
    if not tree.tokens or tree.is_empty_string():
        return
    if tree.tokens == [AT]:
        tree.tokens = [_EMPTY]
        tree.spaced = False
        return
    _drop_route(tree)
    if tree.last("@") < 0:
        _find_domain(tree, rewriting)
    if rewriting.append_dot_mydomain and rewriting.mydomain:
        _complete_domain(tree, rewriting.mydomain)
    tree.strip_final_dot()


def _drop_route(tree: Tree) -> None:
    """`@a,@b:user@c` is `user@c` (RFC 5321 appendix C)."""
    if tree.tokens[0].kind == "@":
        colon = tree.first(":")
        if 0 <= colon < len(tree.tokens) - 1:
            del tree.tokens[: colon + 1]


def _find_domain(tree: Tree, rewriting: Rewriting) -> None:
    """Give an address without `@` a domain: from its `!` or `%`, or else our own."""
    if rewriting.swap_bangpath and (bang := tree.first("!")) >= 0:
        tree.spaced = tree.spaced and bang > 0
        tree.tokens = [*tree.tokens[bang + 1 :], AT, *tree.tokens[:bang]]
    elif rewriting.allow_percent_hack and (percent := tree.last("%")) >= 0:
        tree.tokens[percent] = AT
    elif rewriting.append_at_myorigin and rewriting.myorigin:
        tree.append([AT, *scan(rewriting.myorigin)])


def _complete_domain(tree: Tree, mydomain: str) -> None:
    """`user@host` is `user@host.mydomain`; not for a literal, nor for what ends in `@`."""
    at = tree.last("@")
    if at < 0 or at == len(tree.tokens) - 1:
        return
    if not any(token.kind in (LITERAL, ".") for token in tree.tokens[at:]):
        tree.append([_DOT, *scan(mydomain)])
