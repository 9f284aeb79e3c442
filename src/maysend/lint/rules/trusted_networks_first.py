"""# trusted-networks-first: a wide network skips the login checks

## What it does
Reports `permit_mynetworks` before a login check in the same list, where `mynetworks` holds more
than 256 addresses outside loopback.

## Why it is bad
`permit_mynetworks` ends the list. Every machine in those networks, whoever is logged in on it, may
send as anybody.

## Example
    mynetworks = 127.0.0.0/8, 10.0.0.0/8
    smtpd_sender_restrictions = permit_mynetworks, reject_sender_login_mismatch

## Use instead
    smtpd_sender_restrictions = reject_sender_login_mismatch, permit_mynetworks

or a `mynetworks` of the hosts that can't log in.

## Limits
Networks in tables and files are left out.

## Source
postconf(5) "permit_mynetworks", "mynetworks".
"""

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network

from maysend.lint.configuration import ANYBODY, Smtpd, asked
from maysend.lint.finding import CounterExample, Problem
from maysend.lint.login_checks import FOR_LOGINS
from maysend.lint.pattern_samples import FILLER
from maysend.maincf import tokens
from maysend.restrictions.node import Node

MOST_HOSTS = 256


def check(smtpd: Smtpd) -> Iterator[Problem]:
    """The permit_mynetworks that let a wide network go around the login checks."""
    if smtpd.policy is None or not smtpd.policy.site.sasl_is_active:
        return
    wide = _wide_network(smtpd.parameters["mynetworks"])
    if wide is None:
        return
    for stage in smtpd.stages:
        node = _before_login_check(stage.nodes)
        if node is None:
            continue
        example = _somebody_else(smtpd, str(next(wide.hosts())))
        if example is not None:
            yield Problem(
                place=node.place,
                written=node.written,
                message=f"{stage.parameter}: all of {wide} may send as anybody, because "
                "permit_mynetworks stands before the login checks",
                fix=f"{stage.parameter} = … , {node.written}, at the end",
                example=example,
            )


def _wide_network(value: str) -> IPv4Network | IPv6Network | None:
    for token in tokens.split(value):
        try:
            network = ip_network(token.text.replace("[", "").replace("]", ""), strict=False)
        except ValueError:
            continue
        if network.num_addresses > MOST_HOSTS and not network.is_loopback:
            return network
    return None


def _before_login_check(nodes: Sequence[Node]) -> Node | None:
    words = [node.written.lower() for node in nodes]
    if "permit_mynetworks" not in words:
        return None
    position = words.index("permit_mynetworks")
    return nodes[position] if FOR_LOGINS & set(words[position + 1 :]) else None


def _somebody_else(smtpd: Smtpd, client: str) -> CounterExample | None:
    """A login of that network with another's sender, which it may not use elsewhere."""
    assert smtpd.policy is not None
    domain = smtpd.parameters["mydomain"]
    login, sender = f"{FILLER}@{domain}", f"somebody.else@{domain}"
    recipient = f"postmaster@{smtpd.parameters['myorigin']}"
    inside, outside = (
        asked(smtpd.policy, login=login, sender=sender, recipient=recipient, client_address=host)
        for host in (client, ANYBODY)
    )
    refused_outside = "not owned by" in str(outside.reply)
    if "not owned by" in str(inside.reply) or not refused_outside:
        return None
    answer = "permitted" if inside.reply is None else str(inside.reply)
    return CounterExample(
        login=login, sender=sender, recipient=recipient, client_address=client, answer=answer
    )
