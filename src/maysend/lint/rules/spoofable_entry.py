"""# spoofable-entry: whoever claims the right sender is let in

## What it does
Reports `check_sender_access` that permits, before a `reject`, in a restriction class or in a list:
the usual way to protect an internal mailing list.

## Why it is bad
Anybody can write any MAIL FROM. RESTRICTION_CLASS_README says of its own example that it "can be
bypassed by anyone who is smart enough to specify a forged sender".

## Example
    smtpd_restriction_classes = insiders_only
    insiders_only = check_sender_access hash:/etc/postfix/insiders, reject
    smtpd_recipient_restrictions = check_recipient_access hash:/etc/postfix/protected, …

## Use instead
By login, on the port where people log in: `insiders_only = check_sasl_access …, reject`; in
maysend's own policy `smtpd_recipient_login_maps` with `reject_recipient_login_mismatch`.

## Limits
Shown by decisions where the tables can be listed; else possible. A class that lets in by the
client's address is another, smaller gap (MS214).

## Source
RESTRICTION_CLASS_README.
"""

from collections.abc import Iterator, Sequence

from maysend.lint.access_tables import Entry, access_entries, checks, is_check
from maysend.lint.configuration import Smtpd, asked
from maysend.lint.finding import CounterExample, Problem
from maysend.lint.pattern_samples import FILLER
from maysend.lint.table_uses import table_named_in
from maysend.restrictions.node import Node

STRANGER = f"{FILLER}@stranger.invalid"


def check(smtpd: Smtpd) -> Iterator[Problem]:
    """The lists and classes that a forged sender opens."""
    lists = [(stage.parameter, stage.nodes) for stage in smtpd.stages]
    for name, nodes in [*lists, *smtpd.classes.items()]:
        entry_check = _permitting_check(smtpd, nodes)
        if entry_check is None:
            continue
        node, insiders = entry_check
        recipients = _protected_by(smtpd, name)
        example = _forged(smtpd, insiders, recipients)
        if example is None and insiders:
            continue  # what is behind it refuses the forger
        yield Problem(
            place=node.place,
            written=node.written,
            message=f"{name}: anybody who writes a sender of {table_named_in(node)} is let in",
            fix=f"check_sasl_access {table_named_in(node)}",
            example=example,
            possible=example is None,
        )


def _permitting_check(smtpd: Smtpd, nodes: Sequence[Node]) -> tuple[Node, Sequence[Entry]] | None:
    """A check_sender_access with a plain reject behind it, and the entries that permit."""
    for position, node in enumerate(nodes):
        if not is_check(node, "check_sender_access"):
            continue
        if not any(later.written.lower() == "reject" for later in nodes[position + 1 :]):
            continue
        listed = access_entries(smtpd, node)
        permitting = [entry for entry in listed or () if entry.permits]
        if listed is None or permitting:
            return node, permitting
    return None


def _protected_by(smtpd: Smtpd, name: str) -> list[str]:
    """Recipients whose access tables name the class, or postmaster for a list itself."""
    found = [
        entry.as_address()
        for _, node in checks(smtpd, "check_recipient_access")
        for entry in access_entries(smtpd, node) or ()
        if name in entry.words
    ]
    return found or [f"postmaster@{smtpd.parameters['myorigin']}"]


def _forged(
    smtpd: Smtpd, insiders: Sequence[Entry], recipients: Sequence[str]
) -> CounterExample | None:
    """A stranger refused under a name of his own and let in under an insider's."""
    if smtpd.policy is None:
        return None
    for entry in insiders[:5]:
        for recipient in recipients[:5]:
            forged = entry.as_address()
            own_name = asked(smtpd.policy, sender=STRANGER, recipient=recipient)
            other_name = asked(smtpd.policy, sender=forged, recipient=recipient)
            if not own_name.is_permitted and other_name.is_permitted:
                return CounterExample(sender=forged, recipient=recipient, answer="permitted")
    return None
