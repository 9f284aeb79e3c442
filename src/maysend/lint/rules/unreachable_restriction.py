"""# unreachable-restriction: a restriction that is never asked

## What it does
Reports what stands after `permit`, `reject` or `defer`, or after a table that answers
every key, in the same list.

## Why it is bad
The list ends there for everybody: a check behind it looks as if it protected something, and does
not.

## Example
    smtpd_sender_restrictions = permit, reject_sender_login_mismatch

## Use instead
    smtpd_sender_restrictions = reject_sender_login_mismatch

## Limits
`permit_mynetworks` and others that end the list for some clients are another matter (MS211).

## Source
postconf(5) "smtpd_client_restrictions": "Restrictions are applied in the order as specified; the
first restriction that matches wins."
"""

from collections.abc import Iterator, Sequence

from maysend.lint.configuration import Smtpd
from maysend.lint.finding import Problem
from maysend.restrictions.node import Node

ENDS_THE_LIST = frozenset({"permit", "reject", "defer"})


def check(smtpd: Smtpd) -> Iterator[Problem]:
    """What stands after a restriction that decides for everybody, in every list and class."""
    for stage in smtpd.stages:
        yield from _behind_the_end(stage.parameter, stage.nodes)
    for name, nodes in smtpd.classes.items():
        yield from _behind_the_end(name, nodes)


def _behind_the_end(name: str, nodes: Sequence[Node]) -> Iterator[Problem]:
    for position, node in enumerate(nodes[:-1]):
        if not _ends_the_list(node) or (position and nodes[position - 1].warns):
            continue
        unreachable = nodes[position + 1]
        order = [*nodes[:position], *nodes[position + 1 :], node]
        yield Problem(
            place=unreachable.place,
            written=unreachable.written,
            message=f'never asked: "{node.written}" before it ends {name} for everybody',
            fix=f"{name} = {', '.join(other.written for other in order)}",
        )
        return


def _ends_the_list(node: Node) -> bool:
    return node.written.lower() in ENDS_THE_LIST
