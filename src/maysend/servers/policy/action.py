"""A decision as the `action=` of a policy service (access(5), "ACTIONS").

Postfix puts words of its own before the text of a refusal, those of the list in which
`check_policy_service` stands: "<sender>: Sender address rejected: ". So an answer holds only what
follows. A policy service can ask for one action at a time; where the policy wants several that
change the message, the answer is a 4xx rather than one of them.
"""

import re
from typing import Final

from maysend.policy import Decision
from maysend.reply import Reply
from maysend.restrictions import replies
from maysend.restrictions.outcome import Action

NOTHING_OBJECTS: Final = "DUNNO"
"""Not OK: Postfix's own lists go on, so that a permit here never outweighs a refusal there."""

WORDS: Final = {
    "smtpd_client_restrictions": replies.CLIENT,
    "smtpd_helo_restrictions": replies.HELO,
    "smtpd_sender_restrictions": replies.SENDER,
    "smtpd_relay_restrictions": replies.RECIPIENT,
    "smtpd_recipient_restrictions": replies.RECIPIENT,
    "smtpd_data_restrictions": replies.DATA,
    "smtpd_end_of_data_restrictions": replies.END_OF_DATA,
    "smtpd_etrn_restrictions": replies.ETRN,
}
"""The list that asks → the words that Postfix puts before our text."""

ASKED_IN: Final = "smtpd_sender_restrictions"
"""The list that asks unless the request's policy_context names one."""

SEVERAL_ACTIONS: Final = Reply(451, "4.3.5", "Server configuration error")

_REFUSAL: Final = re.compile(
    r"(?P<name><.*?>): (?P<words>"
    + "|".join(
        (
            replies.CLIENT,
            replies.REVERSE_CLIENT,
            replies.HELO,
            replies.ETRN,
            replies.SASL_LOGIN,
            replies.SENDER,
            replies.RECIPIENT,
            replies.DATA,
            replies.END_OF_DATA,
        )
    )
    + r") rejected: (?P<text>.*)",
    re.DOTALL,
)
_ON_THE_MESSAGE: Final = ("DISCARD", "REDIRECT", "FILTER", "HOLD", "BCC", "PREPEND")
_FOR_THE_LOG: Final = ("WARN", "INFO")


class SeveralActions(ValueError):
    """The policy wants more than a policy service can ask for; the text names the actions."""


def asked_in(policy_context: str) -> str:
    """The list that asks: the one that the request's policy_context names."""
    return policy_context if policy_context in WORDS else ASKED_IN


def action_of(decision: Decision, restrictions: str) -> str:
    """What to answer, where `restrictions` is the list that asks. Raises SeveralActions."""
    reply = decision.reply
    if reply is not None:
        return refusal(reply, WORDS[restrictions])
    return _wanted(decision.actions) if decision.actions else NOTHING_OBJECTS


def refusal(reply: Reply, words: str) -> str:
    """A refusal, without what Postfix says itself after `words`.

    Where it is about something else than what is asked about, its name stays: "<r>: not open".
    """
    match = _REFUSAL.fullmatch(reply.text)
    text = reply.text
    if match is not None:
        text = match["text"]
        # The login is no news to who is logged in, and a sender's refusal names the sender.
        if match["words"] not in (words, replies.SASL_LOGIN):
            text = f"{match['name']}: {text}"
    return f"{reply.code} {reply.dsn} {text}" if reply.dsn else f"{reply.code} {text}"


def _wanted(actions: tuple[Action, ...]) -> str:
    wanted = {_written(action) for action in actions if action.name in _ON_THE_MESSAGE}
    if any(action.startswith("DISCARD") for action in wanted):
        wanted = {"DISCARD"}  # nothing else is left to be done with the message
    if len(wanted) > 1:
        raise SeveralActions(" and ".join(sorted(wanted)))
    if wanted:
        return wanted.pop()
    noted = [_written(action) for action in actions if action.name in _FOR_THE_LOG]
    return noted[0] if noted else NOTHING_OBJECTS


def _written(action: Action) -> str:
    return f"{action.name} {action.argument}".rstrip()
