"""# external-domain-is-ours: a whole domain is taken in for the sake of an alias

## What it does
Reports domains in `virtual_mailbox_domains` in which there is no mailbox, only aliases.

## Why it is bad
All other mail to that domain is answered "User unknown" here instead of being sent there, also
what local users write. So it goes where an alias for an address at a big provider made the
provider's domain one of ours.

## Example
    virtual_mailbox_domains = example.com, gmail.example
    # and only an alias: someone@gmail.example  bob@example.com

## Use instead
    virtual_mailbox_domains = example.com

or, where all addresses of a domain are aliases, `virtual_alias_domains`.

## Limits
Only domains and mailboxes that can be listed are looked at. What happens is shown by a decision.

## Source
ADDRESS_CLASS_README, VIRTUAL_README.
"""

from collections.abc import Iterator

from maysend.lint.configuration import Smtpd, asked
from maysend.lint.contents import entries
from maysend.lint.finding import CounterExample, Problem
from maysend.lint.pattern_samples import FILLER
from maysend.lint.table_uses import tables_of
from maysend.maincf import tokens
from maysend.tables import TableError

DOMAINS = "virtual_mailbox_domains"


def check(smtpd: Smtpd) -> Iterator[Problem]:
    """The mailbox domains without a mailbox."""
    policy = smtpd.policy
    mailboxes = _domains_in(smtpd, "virtual_mailbox_maps")
    aliases = _domains_in(smtpd, "virtual_alias_maps")
    if policy is None or not mailboxes or aliases is None or not smtpd.is_set(DOMAINS):
        return
    for domain, token_start, written in _listed_domains(smtpd):
        if domain in mailboxes or domain not in aliases:
            continue
        recipient = f"{FILLER}@{domain}"
        reply = asked(policy, recipient=recipient, sender="bob@example.net").reply
        if reply is None or "User unknown" not in str(reply):
            continue
        yield Problem(
            place=smtpd.parameters.traced(DOMAINS).place(token_start),
            written=written,
            message=f"{domain} has no mailbox here, only aliases: all other mail to it is refused "
            "here and never sent there",
            fix=f"virtual_alias_domains = {domain}",
            example=CounterExample(
                sender="bob@example.net", recipient=recipient, answer=str(reply)
            ),
        )


def _listed_domains(smtpd: Smtpd) -> Iterator[tuple[str, int, str]]:
    """The mailbox domains, with the offset and the text of what lists them."""
    assert smtpd.policy is not None
    for token in tokens.split(smtpd.parameters[DOMAINS]):
        if ":" not in token.text:
            yield token.text.lower(), token.start, token.text
            continue
        try:
            listed = entries(smtpd.policy.site.table(token.text)) or ()
        except TableError:
            continue
        for domain in listed:
            yield domain, token.start, token.text


def _domains_in(smtpd: Smtpd, parameter: str) -> set[str] | None:
    """The domains of the addresses in the tables of a parameter; None where one can't be listed."""
    domains: set[str] = set()
    for use in tables_of(smtpd, parameter):
        try:
            listed = entries(use.table)
        except TableError:
            return None
        if listed is None:
            return None
        domains.update(key.rpartition("@")[2].lower() for key in listed if "@" in key)
    return domains
