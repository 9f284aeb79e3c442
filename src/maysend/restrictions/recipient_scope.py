"""Which domains a login may write to at all.

A word of maysend's own: Postfix has restriction classes for it (RESTRICTION_CLASS_README), which
need a class for every set of domains. $smtpd_recipient_scope_maps gives, for a login, a list of
domains in the form of $mydestination: `example.net`, `.example.net` for all below it, or
`type:table`. A login that is not listed may write anywhere, and so may a client without a login:
what strangers may do is for the relay restrictions to say.

    smtpd_recipient_scope_maps = directory:scopes
    smtpd_recipient_restrictions = reject_recipient_scope_mismatch

    554 5.7.1 <x@example.org>: Recipient address rejected: not open to user bob@example.com

A map that fails, or a list in its answer that can't be read, is a 451.
"""

from collections.abc import Sequence
from typing import Final

from maysend.restrictions.evaluation import Check, Evaluation
from maysend.restrictions.outcome import Outcome
from maysend.restrictions.outcomes import DUNNO
from maysend.restrictions.restriction import Item
from maysend.restrictions.site import Site
from maysend.tables import OpenedTable, TableError
from maysend.tables.match_list import MatchList

PARAMETER: Final = "smtpd_recipient_scope_maps"

MOST_SCOPES: Final = 1000
"""Compiled lists kept; most logins share a few."""


def reject_recipient_scope_mismatch(item: Item, site: Site) -> Check:
    """Reject a recipient outside the domains of the login in $smtpd_recipient_scope_maps."""
    maps = site.tables(PARAMETER) if site.parameters.get(PARAMETER) else ()
    compiled: dict[str, MatchList] = {}

    def domains(text: str) -> MatchList:
        known = compiled.get(text)
        if known is None:
            if len(compiled) >= MOST_SCOPES:
                compiled.clear()
            known = compiled[text] = MatchList(PARAMETER, text, site.table, "dot")
        return known

    def check(evaluation: Evaluation) -> Outcome:
        recipient, login = evaluation.dialogue.recipient, evaluation.dialogue.sasl_username
        if not recipient or not login:
            evaluation.note("no one recipient" if login else "not logged in")
            return DUNNO
        resolved = evaluation.resolved(recipient)
        try:
            scope = _scope(evaluation, maps, login)
            if scope is None:
                evaluation.note(f"{login} may write anywhere")
                return DUNNO
            domain = resolved.address.rpartition("@")[2]
            if domains(scope).match_name(domain, evaluation.lookup) is not None:
                evaluation.note(f"{login} may write to {domain}")
                return DUNNO
        except TableError as error:
            evaluation.table_fault(error, recipient)
        return evaluation.refuse(
            554,
            "5.7.1",
            f"<{recipient}>: Recipient address rejected: not open to user {login}",
        )

    return check


def _scope(evaluation: Evaluation, maps: Sequence[OpenedTable], login: str) -> str | None:
    for table in maps:
        answer = evaluation.lookup(table, login)
        if answer is not None:
            return answer
    return None
