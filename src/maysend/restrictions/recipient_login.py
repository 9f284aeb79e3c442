"""Who may write to a protected recipient: the mirror image of the sender login restrictions.

A word of maysend's own: in a main.cf that Postfix itself reads, smtpd would answer 451 to
everybody. $smtpd_recipient_login_maps names, for a recipient that is protected, the logins that
may write to it: a login, `@domain` for every login of that domain, `*` for everybody who has
logged in, separated by comma or white space. A recipient that is not listed is open.

    smtpd_recipient_login_maps = directory:posters
    smtpd_recipient_restrictions = reject_recipient_login_mismatch

    554 5.7.1 <all@example.com>: Recipient address rejected: not open to user bob@example.com
    554 5.7.1 <all@example.com>: Recipient address rejected: not logged in

An answer that names nobody is closed to everybody, and a map that fails is a 451, as for
smtpd_sender_login_maps. With SASL off nobody has logged in, and what is listed stays closed.
"""

from collections.abc import Iterable
from typing import Final

from maysend.address import fold
from maysend.restrictions.evaluation import Check, Evaluation
from maysend.restrictions.map_lookup import look_up
from maysend.restrictions.outcome import Outcome
from maysend.restrictions.outcomes import DUNNO
from maysend.restrictions.restriction import Item
from maysend.restrictions.sender_login import split_owners
from maysend.restrictions.site import Site
from maysend.tables import OpenedTable, TableError

PARAMETER: Final = "smtpd_recipient_login_maps"
ANY_LOGIN: Final = "*"


def reject_recipient_login_mismatch(item: Item, site: Site) -> Check:
    """Reject a recipient that $smtpd_recipient_login_maps lists for other logins only."""
    maps = site.tables(PARAMETER) if site.parameters.get(PARAMETER) else ()

    def check(evaluation: Evaluation) -> Outcome:
        recipient = evaluation.dialogue.recipient
        if not recipient:
            evaluation.note("no one recipient")
            return DUNNO
        allowed = _allowed(evaluation, maps, recipient)
        if allowed is None:
            evaluation.note(f"{recipient} is open to everybody")
            return DUNNO
        login = evaluation.dialogue.sasl_username
        if not login:
            return _refuse(evaluation, recipient, "not logged in")
        if _may_write(fold(login), map(fold, split_owners(allowed))):
            evaluation.note(f"{login} may write to {recipient}")
            return DUNNO
        return _refuse(evaluation, recipient, f"not open to user {login}")

    return check


def _allowed(evaluation: Evaluation, maps: tuple[OpenedTable, ...], recipient: str) -> str | None:
    """The logins that may write to a recipient, as the maps word them; None: it is open."""
    resolved = evaluation.resolved(recipient)
    try:
        return look_up(evaluation, maps, resolved)
    except TableError as error:
        evaluation.table_fault(error, recipient)


def _may_write(login: str, allowed: Iterable[str]) -> bool:
    domain = login.rpartition("@")[2] if "@" in login else ""
    return any(
        word in (ANY_LOGIN, login) or (bool(domain) and word == f"@{domain}") for word in allowed
    )


def _refuse(evaluation: Evaluation, recipient: str, reason: str) -> Outcome:
    text = f"<{recipient}>: Recipient address rejected: {reason}"
    return evaluation.refuse(554, "5.7.1", text)
