"""Mailboxes in a header field: address-list of RFC 5322 3.4, with groups (RFC 6854) and UTF-8.

Narrower than the grammar where programs are known to differ: no blank or comment inside an
address, no encoded word in one, and no obsolete syntax (RFC 5322 4.4: routes, empty list members,
local parts in pieces). Wider in one thing: a dot in a display name that is not quoted.
"""

import unicodedata

from maysend.header.defects import (
    LONGEST_LOCAL_PART,
    MOST_MAILBOXES,
    HeaderDefect,
)
from maysend.header.domains import parse_domain
from maysend.header.encoded_words import has_encoded_word
from maysend.header.lexer import tokens
from maysend.header.parts import AddressList, Mailbox, Token


def parse_address_list(value: str) -> AddressList:
    """Read the value of a field, unfolded. Raises HeaderDefect; a defect is never mended."""
    words, comments = tokens(value)
    return _Reader(words, comments).read()


class _Reader:
    def __init__(self, words: list[Token], comments: list[str]) -> None:
        self._tokens = iter(words)
        self._token = next(self._tokens)
        self._mailboxes: list[Mailbox] = []
        self._shown = comments

    def read(self) -> AddressList:
        has_group = in_group = False
        while True:
            phrase = self._words()
            if self._is(":") and phrase and not in_group:
                has_group = in_group = True
                self._shown.append(_as_shown(phrase))
                self._advance()
                if not self._is(";"):
                    continue
            elif self._is("<"):
                self._shown.append(_as_shown(phrase))
                self._angle_address()
            else:
                self._bare_address(phrase)
            if in_group:
                in_group = not self._end_of_group()
            if self._token.kind == "end" and not in_group:
                return AddressList(tuple(self._mailboxes), tuple(self._shown), has_group)
            self._expect(",")

    def _end_of_group(self) -> bool:
        if not self._is(";"):
            if self._token.kind == "end":
                raise self._wrong('";" at the end of a group')
            return False
        self._advance()
        return True

    def _words(self) -> list[Token]:
        words = []
        while self._token.kind in ("text", "quoted"):
            words.append(self._token)
            self._advance()
        return words

    def _bare_address(self, words: list[Token]) -> None:
        if len(words) != 1 or not self._is("@"):
            raise self._wrong("an address such as user@example.com")
        self._address(words[0])

    def _angle_address(self) -> None:
        self._advance()
        if self._token.kind not in ("text", "quoted") or self._token.apart:
            raise self._wrong('an address directly after "<"')
        local_part = self._token
        self._advance()
        self._address(local_part)
        if self._token.apart:
            raise self._wrong('">" directly after the address')
        self._expect(">")

    def _address(self, local_part: Token) -> None:
        """What follows a local part: "@" and a domain, with nothing between them."""
        if not self._is("@") or self._token.apart:
            raise self._wrong('"@" directly after the local part')
        self._advance()
        if self._token.kind not in ("text", "literal") or self._token.apart:
            raise self._wrong('a domain directly after "@"')
        self._add(Mailbox(_local_part(local_part), parse_domain(self._token.text)))
        self._advance()

    def _add(self, mailbox: Mailbox) -> None:
        if len(self._mailboxes) == MOST_MAILBOXES:
            raise HeaderDefect(f"it has more than {MOST_MAILBOXES} mailboxes")
        self._mailboxes.append(mailbox)

    def _is(self, special: str) -> bool:
        return self._token.kind == "special" and self._token.text == special

    def _expect(self, special: str) -> None:
        if not self._is(special):
            raise self._wrong(f'"{special}"')
        self._advance()

    def _advance(self) -> None:
        self._token = next(self._tokens)

    def _wrong(self, expected: str) -> HeaderDefect:
        where = f"at character {self._token.at}"
        if self._token.kind == "end":
            where = "at its end"
        return HeaderDefect(f"{where}: expected {expected}")


def _local_part(token: Token) -> str:
    """The local part that a word is, or HeaderDefect."""
    text = token.text
    if token.kind == "text" and ("" in text.split(".")):
        raise HeaderDefect(f"at character {token.at}: a dot needs something on both sides")
    if not text:
        raise HeaderDefect(f"at character {token.at}: an empty local part")
    if has_encoded_word(text):
        raise HeaderDefect(f"at character {token.at}: an encoded word in an address")
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
        if any(unicodedata.category(character)[0] in "CZ" for character in text):
            raise HeaderDefect(f"at character {token.at}: an address with an invisible character")
    if len(text.encode()) > LONGEST_LOCAL_PART:
        raise HeaderDefect(f"a local part has more than {LONGEST_LOCAL_PART} octets")
    return text


def _as_shown(words: list[Token]) -> str:
    """A display name, with one blank where there was any."""
    return "".join(
        " " * (word.apart and number > 0) + word.text for number, word in enumerate(words)
    )
