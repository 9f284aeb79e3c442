"""Which tokens form an address: groups, routes in `<>`, and words without a comma (RFC 822 6.1)."""

from typing import TypeAlias

import msgspec

from maysend.address.tokens import ATOM, COMMENT, GROUP_START, LITERAL, QUOTED, Token, scan


class Address(msgspec.Struct, frozen=True, gc=False):
    """The tokens of one address among others."""

    tokens: tuple[Token, ...]


Node: TypeAlias = Token | Address

_COMMA = Token(",")
_BEFORE_GROUP = frozenset(",")
_BEFORE_PHRASE = frozenset(">;,:")


def parse(text: str) -> list[Node]:
    """Return the addresses in external text, between the tokens that belong to none.

    Reads from right to left, as Postfix does, because only the `>` tells that the words before `<`
    are a phrase. Two words side by side are two addresses: the missing comma is put in.
    """
    return _Parser(scan(text)).parse()


class _Parser:
    """One reading. `done` and `pending` grow to the left; both hold what is right of `position`."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.position = len(tokens) - 1
        self.pending: list[Token] = []
        self.done: list[Node] = []
        self.word_allowed = True
        self.in_group = False

    def parse(self) -> list[Node]:
        while self.position >= 0:
            self.read(self.tokens[self.position])
            self.position -= 1
        self.close_address()
        return self.done[::-1]

    def read(self, token: Token) -> None:
        kind = token.kind
        if kind == COMMENT:
            self.done.append(token)
        elif kind == ";":
            self.close_address(missing_comma=True)
            self.done.append(token)
            self.in_group = self.word_allowed = True
        elif kind == ":" and self.in_group:
            self.read_group_name()
        elif kind == ">":
            self.read_route()
        elif kind in (ATOM, QUOTED, LITERAL):
            if not self.word_allowed:
                self.close_address(missing_comma=True)
            self.pending.append(token)
            self.word_allowed = False
        elif kind == ",":
            self.close_address()
            self.done.append(token)
            self.word_allowed = True
        else:
            self.pending.append(token)
            self.word_allowed = True

    def close_address(self, *, missing_comma: bool = False) -> None:
        """Make one address of what is pending; nothing pending is no address."""
        if self.pending:
            self.done.append(Address(tuple(reversed(self.pending))))
            self.pending = []
            if missing_comma:
                self.done.append(_COMMA)

    def read_group_name(self) -> None:
        """`name: a, b;`: what is left of the colon, up to a comma, is the name."""
        self.close_address()
        self.done.append(Token(GROUP_START))
        self.position -= 1
        self.keep_until(_BEFORE_GROUP)

    def read_route(self) -> None:
        """`phrase <address>`: the comments in the brackets move out of the address."""
        self.close_address(missing_comma=True)
        self.done.append(self.tokens[self.position])
        self.position -= 1
        while self.position >= 0 and (token := self.tokens[self.position]).kind != "<":
            (self.done if token.kind == COMMENT else self.pending).append(token)
            self.position -= 1
        self.close_address()
        self.keep_until(_BEFORE_PHRASE)
        self.word_allowed = True

    def keep_until(self, stop: frozenset[str]) -> None:
        """Take tokens over as they are, leftwards; the one of `stop` that ends it is read next."""
        while self.position >= 0 and (token := self.tokens[self.position]).kind not in stop:
            self.done.append(token)
            self.position -= 1
        if self.position >= 0 and self.tokens[self.position].kind == ":" and not self.in_group:
            self.done.append(self.tokens[self.position])
            self.position -= 1
        self.position += 1
