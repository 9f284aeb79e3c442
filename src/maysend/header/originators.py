"""Everybody that a header says a message is from, or refusal (RFC 5322 3.6.2, 3.6.6)."""

from collections.abc import Callable, Sequence
from typing import Final

from maysend.header.defects import MOST_FIELDS, HeaderDefect
from maysend.header.fields import unfolded
from maysend.header.mailboxes import parse_address_list
from maysend.header.parts import ORIGINATORS, AddressList, Field, Originator
from maysend.header.shown_addresses import shown_addresses

SENDER_OF: Final = {"From": "Sender", "Resent-From": "Resent-Sender"}
"""The field that names the one of several authors who sent the message."""


def read_originators(
    fields: Sequence[Field],
    *,
    utf8: bool = False,
    read: "Callable[[Field, bool], Originator] | None" = None,
) -> tuple[Originator, ...]:
    """The fields that say who the message is from. `utf8`: it came with SMTPUTF8.

    `read` reads one field, as `read_originator` does: it may remember what it read. Raises
    HeaderDefect, whose text begins with the field's name.
    """
    names = [field.canonical_name for field in fields]
    _check_counts(names)
    read = read or read_originator
    named = zip(names, fields, strict=True)
    originators = tuple([read(field, utf8) for name, field in named if name in ORIGINATORS])
    for originator in originators:
        sender = SENDER_OF.get(originator.field)
        if sender and len(originator.mailboxes) > 1 and sender not in names:
            raise _defect(originator.field, f"several mailboxes need a {sender}: field")
    return originators


def read_originator(field: Field, utf8: bool) -> Originator:
    """One of those fields. Raises HeaderDefect, whose text begins with the field's name."""
    name = field.canonical_name
    try:
        addresses = parse_address_list(unfolded(field, utf8=utf8))
        _check_mailboxes(name, addresses)
        return Originator(name, addresses.mailboxes, shown_addresses(addresses.shown))
    except HeaderDefect as defect:
        raise _defect(name, str(defect)) from None


def _check_mailboxes(name: str, addresses: AddressList) -> None:
    if not addresses.mailboxes:
        raise HeaderDefect("it has no mailbox")
    if name.endswith("Sender") and (len(addresses.mailboxes) > 1 or addresses.has_group):
        raise HeaderDefect("it has more than one mailbox")


def _check_counts(names: list[str]) -> None:
    if "From" not in names:
        raise HeaderDefect("Header From rejected: there is none")
    if len(names) == 1:
        return
    for name in ("From", "Sender"):
        if names.count(name) > 1:
            raise _defect(name, f"it stands {names.count(name)} times, and may stand once")
    for name in ("Resent-From", "Resent-Sender"):
        if names.count(name) > MOST_FIELDS:
            raise _defect(name, f"it stands more than {MOST_FIELDS} times")


def _defect(field: str, text: str) -> HeaderDefect:
    return HeaderDefect(f"Header {field} rejected: {text}")
