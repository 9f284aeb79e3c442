"""# open-policy-service: a policy server that is down lets everybody in

## What it does
Reports `check_policy_service` whose default action, for when the server can't be asked, permits or
says nothing.

## Why it is bad
Whoever can make the server slow, or waits for its restart, is not checked.

## Example
    check_policy_service { unix:private/policy, default_action=DUNNO }

## Use instead
    check_policy_service { unix:private/policy, { default_action = 451 4.3.5 Try later } }

## Limits
A service that only writes statistics may well fail open: silence the code there.

## Source
postconf(5) "smtpd_policy_service_default_action", SMTPD_POLICY_README.
"""

import re
from collections.abc import Iterator

from maysend.lint.configuration import Smtpd
from maysend.lint.finding import Problem

PARAMETER = "smtpd_policy_service_default_action"
_OWN = re.compile(r"default_action\s*=\s*([^,}]*)")
_LETS_IN = ("dunno", "ok", "permit", "pass")


def check(smtpd: Smtpd) -> Iterator[Problem]:
    """The policy services that fail open."""
    for parameter, node in smtpd.nodes():
        if not node.written.lower().startswith("check_policy_service"):
            continue
        own = _OWN.search(node.written)
        action = (own[1] if own else smtpd.parameters[PARAMETER]).strip()
        if action.lower().split(" ")[0] in _LETS_IN or action.lower().startswith("permit"):
            yield Problem(
                place=node.place,
                written=node.written,
                message=f"{parameter}: while the policy server can't be asked, the answer is "
                f"{action}: it fails open",
                fix="{ default_action = 451 4.3.5 Server configuration problem }",
            )
