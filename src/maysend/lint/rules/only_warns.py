"""# only-warns: warn_if_reject was left on

## What it does
Reports `warn_if_reject`.

## Why it is bad
The restriction behind it refuses nobody; it only writes to the log. That is meant for a trial, and
trials are forgotten.

## Example
    smtpd_sender_restrictions = warn_if_reject reject_sender_login_mismatch

## Use instead
    smtpd_sender_restrictions = reject_sender_login_mismatch

## Limits
Whether the trial still runs, lint can't know: silence the code at this place while it does.

## Source
postconf(5) "warn_if_reject".
"""

from collections.abc import Iterator, Sequence

from maysend.lint.configuration import Smtpd
from maysend.lint.finding import Problem
from maysend.restrictions.node import Node


def check(smtpd: Smtpd) -> Iterator[Problem]:
    """Every warn_if_reject, with the restriction that it disarms."""
    lists = [(stage.parameter, stage.nodes) for stage in smtpd.stages]
    for parameter, nodes in [*lists, *smtpd.classes.items()]:
        yield from _disarmed(parameter, nodes)


def _disarmed(parameter: str, nodes: Sequence[Node]) -> Iterator[Problem]:
    for position, node in enumerate(nodes):
        if not node.warns:
            continue
        following = nodes[position + 1].written if position + 1 < len(nodes) else ""
        what = f"{following} refuses nobody" if following else "there is nothing behind it"
        yield Problem(
            place=node.place,
            written=node.written,
            message=f"{parameter}: warn_if_reject is left on: {what}",
            fix=following,
        )
