"""One mail transaction: sender, recipients, and what the policy wants done with the message."""

from collections.abc import Sequence
from os import urandom
from typing import Final

from maysend.address import quote_local
from maysend.protocols.smtp.client import mail_command, rcpt_command
from maysend.protocols.smtp.extensions import (
    NO_RCPT_PARAMETERS,
    Extensions,
    MailParameters,
    RcptParameters,
)
from maysend.reply import Reply
from maysend.restrictions.outcome import Action
from maysend.servers.submission.message import MessageTransfer

NEEDS_QUEUE: Final = Reply(
    451, "4.3.5", "Error: the policy asks for {name}, which needs a mail queue"
)


class Recipient:
    """An accepted recipient in internal form, and its RCPT parameters."""

    def __init__(self, address: str, parameters: RcptParameters = NO_RCPT_PARAMETERS) -> None:
        self.address = address
        self.parameters = parameters

    def command(self) -> bytes:
        """RCPT TO for the next hop: the very address that the policy was asked about."""
        return rcpt_command(external(self.address), self.parameters)


class Envelope:
    """From MAIL to the final dot. `sender` is in internal form, "" the null sender.

    `relayed`: the next hop has accepted MAIL. `failure`: the next hop was lost after that, and
    with it the recipients it had; nothing more can come of this message. `header`: the client's
    header block, as soon as it is there. `rewritten`: the sender as the policy understands it and
    the next hop is told. `begun_at`: when its message began, by time.monotonic().
    """

    def __init__(
        self, sender: str, parameters: MailParameters, rewritten: str | None = None
    ) -> None:
        self.sender = sender
        self.rewritten = sender if rewritten is None else rewritten
        self.message_id = urandom(6).hex().upper()
        self.begun_at = 0.0
        self.transfer: MessageTransfer | None = None
        self.parameters = parameters
        self.recipients: list[Recipient] = []
        self.refused = 0
        self.relayed = False
        self.failure: Reply | None = None
        self.discarded = False
        self.redirection: str | None = None
        self.copies: list[str] = []
        self.prepended: list[str] = []
        self.header = b""

    def mail_command(self, offered: Extensions) -> bytes:
        """MAIL FROM for the next hop."""
        return mail_command(external(self.rewritten), self.parameters, offered)

    def apply(self, actions: Sequence[Action]) -> Reply | None:
        """Note what access(5) answers ask for; the reply where it can't be done without a queue."""
        for action in actions:
            if action.name in ("FILTER", "HOLD"):
                text = NEEDS_QUEUE.text.format(name=action.name)
                return Reply(NEEDS_QUEUE.code, NEEDS_QUEUE.dsn, text)
            if action.name == "DISCARD":
                self.discarded = True
            elif action.name == "REDIRECT":
                self.redirection = action.argument
            elif action.name == "BCC" and action.argument not in self.copies:
                self.copies.append(action.argument)
            elif action.name == "PREPEND" and action.argument not in self.prepended:
                self.prepended.append(action.argument)
        return None


def external(address: str) -> str:
    """What stands between the brackets of MAIL and RCPT."""
    return quote_local(address) if address else ""
