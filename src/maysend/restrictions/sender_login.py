"""Who owns a sender address: the four sender login restrictions (postconf(5), SASL_README).

The owners come from $smtpd_sender_login_maps; the first table that knows a key answers, and
owners of later tables are never seen. With SASL off all four are ignored.
"""

from collections.abc import Sequence

from maysend.address import fold
from maysend.restrictions.evaluation import Check, Evaluation
from maysend.restrictions.map_lookup import look_up
from maysend.restrictions.outcome import Outcome
from maysend.restrictions.outcomes import DUNNO
from maysend.restrictions.restriction import Item
from maysend.restrictions.site import Site
from maysend.tables import OpenedTable, TableError


def reject_sender_login_mismatch(item: Item, site: Site) -> Check:
    """Reject an owned sender of somebody else, logged in or not, and an unowned one of a login."""
    return _either(
        reject_authenticated_sender_login_mismatch(item, site),
        reject_unauthenticated_sender_login_mismatch(item, site),
    )


def reject_known_sender_login_mismatch(item: Item, site: Site) -> Check:
    """Like reject_sender_login_mismatch, but a login may use a sender that nobody owns."""
    return _either(
        _for_logged_in(site, unknown_passes=True),
        reject_unauthenticated_sender_login_mismatch(item, site),
    )


def reject_authenticated_sender_login_mismatch(item: Item, site: Site) -> Check:
    """Reject a logged-in client that does not own its sender; an unowned sender is not its."""
    return _for_logged_in(site, unknown_passes=False)


def reject_unauthenticated_sender_login_mismatch(item: Item, site: Site) -> Check:
    """Reject an owned sender of a client that has not logged in."""
    maps = site.tables("smtpd_sender_login_maps")

    def check(evaluation: Evaluation) -> Outcome:
        sender = evaluation.dialogue.sender
        if not _applies(evaluation, sender) or sender is None:
            return DUNNO
        if evaluation.dialogue.sasl_username:
            return DUNNO
        owners = owners_of(evaluation, maps, sender)
        if owners is None:
            evaluation.note(f"nobody owns {sender}")
            return DUNNO
        return evaluation.refuse(
            553, "5.7.1", f"<{sender}>: Sender address rejected: not logged in"
        )

    return check


def _either(logged_in: Check, not_logged_in: Check) -> Check:
    def check(evaluation: Evaluation) -> Outcome:
        if evaluation.dialogue.sasl_username:
            return logged_in(evaluation)
        return not_logged_in(evaluation)

    return check


def _for_logged_in(site: Site, *, unknown_passes: bool) -> Check:
    maps = site.tables("smtpd_sender_login_maps")

    def check(evaluation: Evaluation) -> Outcome:
        sender = evaluation.dialogue.sender
        if not _applies(evaluation, sender) or sender is None:
            return DUNNO
        login = evaluation.dialogue.sasl_username
        if not login:
            evaluation.note("not logged in")
            return DUNNO
        owners = owners_of(evaluation, maps, sender)
        if owners is None and unknown_passes:
            evaluation.note(f"nobody owns {sender}")
            return DUNNO
        if owners is not None and is_owner(login, owners):
            evaluation.note(f"{login} owns {sender}")
            return DUNNO
        return evaluation.refuse(
            553, "5.7.1", f"<{sender}>: Sender address rejected: not owned by user {login}"
        )

    return check


def _applies(evaluation: Evaluation, sender: str | None) -> bool:
    if not evaluation.site.sasl_is_active:
        evaluation.note("SASL is off: ignored")
        return False
    if not sender:
        evaluation.note("the null sender has no owner" if sender == "" else "no sender yet")
        return False
    return True


def owners_of(evaluation: Evaluation, maps: Sequence[OpenedTable], sender: str) -> str | None:
    """The owners of a sender as the login maps word them, or None: nobody's.

    Raises Stop with a 451 where a map fails.
    """
    evaluation.note_owner_maps(tuple([table.spec for table in maps]))
    return look_up_owners(evaluation, maps, sender)


def look_up_owners(evaluation: Evaluation, maps: Sequence[OpenedTable], sender: str) -> str | None:
    """What `owners_of` gives, of an address that is not the envelope's sender."""
    resolved = evaluation.resolved(sender)
    try:
        return look_up(evaluation, maps, resolved)
    except TableError as error:
        evaluation.table_fault(error, sender)


def split_owners(owners: str) -> list[str]:
    """The logins in a login map's answer: separated by comma or white space."""
    return owners.replace(",", " ").split()


def is_owner(login: str, owners: str) -> bool:
    """Whether a login map's answer names the login, in whichever case."""
    named = split_owners(owners)
    if login in named:
        return True
    folded = fold(login)
    return any(fold(owner) == folded for owner in named)
