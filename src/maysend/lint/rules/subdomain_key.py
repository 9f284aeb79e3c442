"""# subdomain-key: a ".domain" key that is never asked

## What it does
Reports keys that start with a dot in access tables, where `parent_domain_matches_subdomains` holds
`smtpd_access_maps`; and keys without one that were meant for subdomains where it does not.

## Why it is bad
With the default, subdomains are asked as `example.com`; `.example.com` is asked by nobody, and a
rule that refuses or protects does nothing.

## Example
    # parent_domain_matches_subdomains has smtpd_access_maps, as by default
    .example.com    REJECT

## Use instead
    example.com     REJECT

## Limits
Tables that can't be listed are left out.

## Source
access(5) "domain.tld", postconf(5) "parent_domain_matches_subdomains".
"""

from collections.abc import Iterator

from maysend.lint.access_tables import access_entries
from maysend.lint.configuration import Smtpd
from maysend.lint.finding import Problem

CHECKS = (
    "check_client_access",
    "check_reverse_client_hostname_access",
    "check_helo_access",
    "check_sender_access",
    "check_recipient_access",
)


def check(smtpd: Smtpd) -> Iterator[Problem]:
    """The first key of each access table that can never be asked."""
    if smtpd.policy is None or smtpd.policy.site.access_parents != "parent":
        return
    for parameter, node in smtpd.nodes():
        if not node.written.lower().startswith(tuple(f"{name} " for name in CHECKS)):
            continue
        for entry in access_entries(smtpd, node) or ():
            if entry.key.startswith(".") and len(entry.key) > 1:
                plain = entry.key.lstrip(".")
                yield Problem(
                    place=node.place,
                    written=node.written,
                    message=f"{parameter}: the key {entry.key} is never asked; subdomains are "
                    f"asked as {plain}",
                    fix=f"{plain}    {entry.answer}",
                )
                break
