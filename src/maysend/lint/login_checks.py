"""The restrictions that compare a sender with a login, and where a policy has them."""

from collections.abc import Iterator

from maysend.lint.configuration import Smtpd
from maysend.restrictions.node import Node

FOR_LOGINS = frozenset(
    {
        "reject_sender_login_mismatch",
        "reject_authenticated_sender_login_mismatch",
        "reject_known_sender_login_mismatch",
    }
)
"""Those that refuse a logged-in client another's sender."""

FOR_STRANGERS = frozenset(
    {
        "reject_sender_login_mismatch",
        "reject_known_sender_login_mismatch",
        "reject_unauthenticated_sender_login_mismatch",
    }
)
"""Those that refuse a client without login a sender that somebody owns."""

UNKNOWN_SENDER_IS_NOBODYS = frozenset(
    {"reject_sender_login_mismatch", "reject_authenticated_sender_login_mismatch"}
)
"""Those that refuse a logged-in client a sender that nobody owns."""

ALL = FOR_LOGINS | FOR_STRANGERS

LOGIN_MAPS = "smtpd_sender_login_maps"


def login_checks(smtpd: Smtpd, names: frozenset[str] = ALL) -> Iterator[tuple[str, Node]]:
    """The restrictions with one of `names`, each with the list or class that it stands in."""
    for parameter, node in smtpd.nodes():
        if node.written.lower() in names:
            yield parameter, node
