"""Observing: what would be refused is told to the decision log instead (docs/design/observe.md).

A parameter of maysend's own. `smtpd_observe_restrictions = all`, or the names of restrictions that
are to be observed. Only those about senders, headers and lists can be: relaying, SASL and
suspension are never opened, and a table that fails still defers.
"""

from typing import Final

from maysend.maincf import Parameters, tokens
from maysend.maincf.errors import MainCfError

PARAMETER: Final = "smtpd_observe_restrictions"

ALL: Final = "all"

OBSERVABLE: Final = frozenset(
    {
        "reject_sender_login_mismatch",
        "reject_authenticated_sender_login_mismatch",
        "reject_unauthenticated_sender_login_mismatch",
        "reject_known_sender_login_mismatch",
        "reject_header_from_login_mismatch",
        "reject_recipient_login_mismatch",
    }
)


def observed_restrictions(parameters: Parameters) -> frozenset[str]:
    """The restrictions that only observe. MainCfError where one is named that must refuse."""
    text = parameters.get(PARAMETER) or ""
    names = {token.text.lower() for token in tokens.split(text)}
    for name in sorted(names - OBSERVABLE - {ALL}):
        expected = ", ".join((ALL, *sorted(OBSERVABLE)))
        raise MainCfError(
            f"{PARAMETER}: {name} can't be observed, expected {expected}",
            parameters.traced(PARAMETER).place(0),
        )
    return OBSERVABLE if ALL in names else frozenset(names)
