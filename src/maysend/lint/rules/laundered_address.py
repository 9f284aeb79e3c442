"""# laundered-address: a protected list that trusts client addresses

## What it does
Reports restriction classes, and answers of `check_recipient_access`, that let in by
`permit_mynetworks` or `check_client_access` before a `reject`.

## Why it is bad
Mail from outside that reaches the list through another host of the network (a backup MX, a
forwarding account, a web form) comes from a trusted address. RESTRICTION_CLASS_README says of this
scheme that mail from outside must not be delivered indirectly.

## Example
    smtpd_restriction_classes = insiders_only
    insiders_only = permit_mynetworks, reject

## Use instead
By login: `insiders_only = permit_sasl_authenticated, reject` lets everybody in who has one;
`check_sasl_access` lets in whom a table names.

## Limits
Whether another host forwards mail, lint can't see: the finding is only possible.

## Source
RESTRICTION_CLASS_README "Protecting internal email distribution lists".
"""

from collections.abc import Iterator

from maysend.lint.access_tables import access_entries, checks, is_check
from maysend.lint.configuration import Smtpd
from maysend.lint.finding import Problem
from maysend.restrictions.node import Node


def check(smtpd: Smtpd) -> Iterator[Problem]:
    """The classes that trust an address and refuse all others."""
    yield from _answers(smtpd)
    for name, nodes in smtpd.classes.items():
        if not nodes or nodes[-1].written.lower() != "reject":
            continue
        for node in nodes[:-1]:
            if _trusts_an_address(node):
                yield Problem(
                    place=node.place,
                    written=node.written,
                    message=f"{name}: mail from outside that another trusted host passes on is "
                    "let in",
                    fix=f"{name} = permit_sasl_authenticated, reject",
                    possible=True,
                )
                break


def _answers(smtpd: Smtpd) -> Iterator[Problem]:
    """The tables of recipients whose answer is such a list."""
    for parameter, node in checks(smtpd, "check_recipient_access"):
        for entry in access_entries(smtpd, node) or ():
            words = [word.lower() for word in entry.words]
            if "permit_mynetworks" in words and words[-1] == "reject":
                yield Problem(
                    place=node.place,
                    written=node.written,
                    message=f"{parameter}: mail from outside to {entry.key} that another trusted "
                    "host passes on is let in",
                    fix=f"{entry.key}    permit_sasl_authenticated,reject",
                    possible=True,
                )
                break


def _trusts_an_address(node: Node) -> bool:
    return node.written.lower() == "permit_mynetworks" or is_check(node, "check_client_access")
