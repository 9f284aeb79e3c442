"""# evadable-local-only: users who may not mail outside pick another sender

## What it does
Reports `check_sender_access` that sends some senders into a class which refuses recipients outside.

## Why it is bad
The class is chosen by MAIL FROM. With the empty sender, or anybody else's address, the same user
from the same place may mail outside.

## Example
    smtpd_recipient_restrictions = check_sender_access hash:/etc/postfix/restricted_senders, …
    # restricted_senders: bob@example.com  local_only
    local_only = check_recipient_access hash:/etc/postfix/local_domains, reject

## Use instead
Choose the class by login: `check_sasl_access hash:/etc/postfix/restricted_logins`; in maysend's
directory: `maysend account scope bob@example.com local`.

## Limits
Shown by decisions for a client of $mynetworks and for the sender's own login; tables that can't be
listed are left out.

## Source
RESTRICTION_CLASS_README "Restricting what users can send mail to off-site destinations".
"""

from collections.abc import Iterable, Iterator

from maysend.lint.access_tables import Entry, access_entries, checks
from maysend.lint.configuration import ANYBODY, Smtpd, asked
from maysend.lint.finding import CounterExample, Problem
from maysend.lint.table_uses import table_named_in

OUTSIDE = "friend@example.net"
INSIDE = "127.0.0.1"


def check(smtpd: Smtpd) -> Iterator[Problem]:
    """The sender checks that send a sender into a class, which another sender does not meet."""
    for parameter, node in checks(smtpd, "check_sender_access"):
        for entry in _one_of_each_answer(access_entries(smtpd, node) or ()):
            if not set(entry.words) & set(smtpd.classes):
                continue
            example = _way_around(smtpd, entry)
            if example is not None:
                yield Problem(
                    place=node.place,
                    written=node.written,
                    message=f"{parameter}: {entry.key} is held to {entry.answer} by its sender "
                    "only; the same user with another sender is not",
                    fix=f"check_sasl_access {table_named_in(node)}",
                    example=example,
                )
                break


def _one_of_each_answer(entries: Iterable[Entry]) -> Iterable[Entry]:
    """The first entry with each answer: the others are held to the same."""
    return {entry.answer: entry for entry in reversed(list(entries))}.values()


def _way_around(smtpd: Smtpd, entry: Entry) -> CounterExample | None:
    """The empty sender, if it may what the entry's may not: inside, or with the login."""
    if smtpd.policy is None:
        return None
    sender = entry.as_address()
    for login, client in (("", INSIDE), (sender, ANYBODY)):
        held, free = (
            asked(smtpd.policy, login=login, sender=text, recipient=OUTSIDE, client_address=client)
            for text in (sender, "")
        )
        if not held.is_permitted and free.is_permitted:
            return CounterExample(
                login=login, sender="", recipient=OUTSIDE, client_address=client,
                answer="permitted",
            )  # fmt: skip
    return None
