"""# unchecked-header-from: the From: that people see is checked by nothing

## What it does
Notes services where logins are held to their own senders, and no milter and no
`reject_header_from_login_mismatch` looks at the message.

## Why it is bad
The envelope sender, which is checked, is seen by nobody. The header `From:`, which everybody sees,
may be anybody's.

## Example
    smtpd_sender_restrictions = reject_sender_login_mismatch
    # and no smtpd_milters

## Use instead
    smtpd_milters = unix:/run/maysend/milter
    milter_default_action = tempfail

## Limits
What a milter, a content filter or a policy service does with the header, lint can't know: where
there is one, nothing is said.

## Source
RFC 5321 section 7.1; postconf(5) has no restriction on headers.
"""

from collections.abc import Iterator

from maysend.lint.configuration import Smtpd
from maysend.lint.finding import Problem
from maysend.lint.login_checks import FOR_LOGINS, login_checks

CHECKED_ELSEWHERE = ("smtpd_milters", "content_filter", "smtpd_proxy_filter")


def check(smtpd: Smtpd) -> Iterator[Problem]:
    """The first login check of a service where nothing looks at the header."""
    if smtpd.policy is None or not smtpd.policy.site.sasl_is_active:
        return
    if any(smtpd.parameters[name].strip() for name in CHECKED_ELSEWHERE):
        return
    if any(node.written == "reject_header_from_login_mismatch" for _, node in smtpd.nodes()):
        return
    for parameter, node in login_checks(smtpd, FOR_LOGINS):
        yield Problem(
            place=node.place,
            written=node.written,
            message=f"{parameter}: only the envelope is checked; From: in the message may still be "
            "anybody's",
            fix="smtpd_milters = unix:/run/maysend/milter\nmilter_default_action = tempfail",
        )
        return
