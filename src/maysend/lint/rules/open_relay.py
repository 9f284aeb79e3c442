"""# open-relay: strangers can send through this host to anywhere

## What it does
Asks for a recipient in a domain that is not ours, as clients of three networks that nobody uses and
not logged in: under a name of their own, and under senders and HELO names that an access table
names and does not refuse.

## Why it is bad
Spammers try forged senders, the host's own name first of all, and find the gap within days. `OK` in
an access table ends the list in which it stands, `reject_unauth_destination` behind it included.

## Example
    smtpd_relay_restrictions = check_sender_access hash:/etc/postfix/partners,
        reject_unauth_destination
    # partners: partner.example  OK

## Use instead
`reject_unauth_destination` before any table that the client can talk its way into, or the table in
a list of its own, behind smtpd_relay_restrictions:

    smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated,
        reject_unauth_destination
    smtpd_recipient_restrictions = check_sender_access hash:/etc/postfix/partners, …

## Limits
Always shown by a decision. What DNS would have let in, and tables that can't be listed, are not
tried.

## Source
postconf(5) "smtpd_relay_restrictions", SMTPD_ACCESS_README "Dangerous use of
smtpd_recipient_restrictions".
"""

from collections.abc import Iterable, Iterator

from maysend.lint.access_tables import access_entries, checks
from maysend.lint.configuration import HELO, Smtpd, asked
from maysend.lint.finding import CounterExample, Problem
from maysend.lint.probing import STRANGERS
from maysend.policy import Decision, Policy
from maysend.restrictions.outcomes import OK
from maysend.restrictions.trace import Step

ANYWHERE = "friend@example.net"
FROM_EVERYWHERE = ("192.0.2.1", "198.51.100.1", "203.0.113.1")
"""One network of documentation (RFC 5737) may be somebody's mynetworks, not all of them."""

LISTS = ("smtpd_relay_restrictions", "smtpd_recipient_restrictions")
_EACH_TABLE = 5


def check(smtpd: Smtpd) -> Iterator[Problem]:
    """The restrictions that let a stranger relay, each once."""
    if smtpd.policy is None:
        return
    found = set()
    for sender, helo_name in _disguises(smtpd):
        relayed = _relayed(smtpd.policy, sender, helo_name)
        if relayed is None:
            continue
        client, decision = relayed
        step = _opening(decision)
        place = step.place if step else smtpd.parameters.traced(LISTS[0]).place(0)
        written = step.restriction if step else ""
        if (place, written) in found:
            continue
        found.add((place, written))
        yield Problem(
            place=place,
            written=written,
            message="anybody may send through this host to anywhere",
            fix=f"reject_unauth_destination, {written}" if written else "reject_unauth_destination",
            example=CounterExample(
                sender=sender,
                recipient=ANYWHERE,
                client_address=client,
                helo_name=helo_name if helo_name != HELO else "",
                answer="permitted",
            ),
        )


def _relayed(policy: Policy, sender: str, helo_name: str) -> tuple[str, Decision] | None:
    """A client and the decision that lets it relay, if clients everywhere may."""
    most: tuple[str, Decision] | None = None
    for client in FROM_EVERYWHERE:
        decision = asked(
            policy, sender=sender, recipient=ANYWHERE, client_address=client, helo_name=helo_name
        )
        if not decision.is_permitted:
            return None
        # The one that went farthest was not let in for where it comes from.
        if most is None or len(decision.steps) > len(most[1].steps):
            most = client, decision
    return most


def _disguises(smtpd: Smtpd) -> Iterator[tuple[str, str]]:
    """Senders and HELO names that a stranger may try, without anything first."""
    nobody = f"nobody@{STRANGERS}"
    yield nobody, HELO
    for sender in ("", *_known(smtpd, "check_sender_access")):
        yield sender, HELO
    for name in _known(smtpd, "check_helo_access"):
        yield nobody, name


def _known(smtpd: Smtpd, restriction: str) -> Iterable[str]:
    """Keys that these tables do not refuse: each as the address or the name that it stands for."""
    for _, node in checks(smtpd, restriction):
        let_in = [entry for entry in access_entries(smtpd, node) or () if not entry.refuses]
        for entry in let_in[:_EACH_TABLE]:
            by_sender = restriction == "check_sender_access"
            yield entry.as_address() if by_sender else entry.key.lstrip(".")


def _opening(decision: Decision) -> Step | None:
    """What kept the relay protection from being reached: the first that permitted there."""
    for step in decision.steps:
        if step.stage in LISTS and step.outcome is OK:
            return step
    return None
