"""What a header that was read is made of."""

from typing import Literal, TypeAlias

import msgspec

Kind: TypeAlias = Literal["text", "quoted", "literal", "special", "end"]

ORIGINATORS = ("From", "Sender", "Resent-From", "Resent-Sender")
"""In the spelling that replies use."""
_SPELLINGS = {name.lower(): name for name in ORIGINATORS}


class Field(msgspec.Struct, frozen=True, gc=False):
    """One field as it stands in the header, folded: text is UTF-8 decoded with surrogateescape."""

    name: str
    value: str

    @property
    def canonical_name(self) -> str:
        """The name as ORIGINATORS spells it; another name as it is."""
        name = self.name.strip()
        return _SPELLINGS.get(name.lower(), name)


class Token(msgspec.Struct, frozen=True, gc=False):
    """A word or special. `apart`: blanks or a comment stand before it. `at` counts from 1."""

    kind: Kind
    text: str
    apart: bool
    at: int


class Mailbox(msgspec.Struct, frozen=True, gc=False):
    """One mailbox: local part without quoting in Unicode's form NFC, domain as written in NFC."""

    local_part: str
    domain: str

    @property
    def address(self) -> str:
        """The address in internal form."""
        return f"{self.local_part}@{self.domain}"


class AddressList(msgspec.Struct, frozen=True):
    """All mailboxes of a field, those in groups included.

    `shown` is every other text that a reader of the field may see: display names, comments.
    """

    mailboxes: tuple[Mailbox, ...]
    shown: tuple[str, ...]
    has_group: bool


class Originator(msgspec.Struct, frozen=True):
    """One field: its mailboxes, and the addresses that its display names and comments show."""

    field: str
    mailboxes: tuple[Mailbox, ...]
    shown: tuple[str, ...]
