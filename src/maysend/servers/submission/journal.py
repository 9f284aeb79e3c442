"""The gateway's log lines, with the fields that Postfix logs: one line a message or refusal."""

from collections.abc import Callable
from typing import Final

from maysend.policy import Decision
from maysend.protocols.smtp.replies import ReplyLines
from maysend.reply import Reply
from maysend.servers.submission.envelope import Envelope, Recipient
from maysend.servers.submission.peer import Peer, printable

STATUS: Final = {2: "sent", 4: "deferred", 5: "refused"}


class Journal:
    """Writes the lines of one dialogue through `log`. `relay` names the next hop it has now."""

    def __init__(self, log: Callable[[str], None], peer: Peer) -> None:
        self.relay = "none"
        self._log = log
        self._peer = peer

    def refused(
        self, stage: str, sender: str, recipient: str | None, reply: Reply, decision: Decision
    ) -> None:
        """The policy, or what it asked for, refused a command; `rule` is what decided."""
        step = decision.determined_by
        rule = f" rule={step.restriction} at {step.place}" if step and decision.reply else ""
        self._reject(stage, sender, recipient, str(reply), rule)

    def refused_by_next_hop(
        self, envelope: Envelope, recipient: Recipient, reply: Reply | ReplyLines
    ) -> None:
        """The next hop refused a recipient, or the sender."""
        said = f"{reply.code} {reply.text}" if isinstance(reply, ReplyLines) else str(reply)
        rule = f" relay={self.relay}"
        self._reject("RCPT", envelope.sender, recipient.address, said, rule)

    def message(
        self,
        envelope: Envelope,
        reply: ReplyLines | None,
        delay: float,
    ) -> None:
        """What became of a message; `reply` is None where the client was gone before the end."""
        transfer = envelope.transfer
        to = ", ".join([f"to=<{recipient.address}>" for recipient in envelope.recipients])
        relay = "none" if envelope.discarded else self.relay
        said = f"{reply.code} {reply.text}" if reply else "client left before the end"
        if transfer is not None and transfer.unconfirmed:
            said += "; lost after the final dot, it may come twice"
        status = STATUS[reply.code // 100] if reply else "lost"
        if envelope.discarded and status == "sent":
            status = "discarded"
        # By itself: one format in it, and compiled code makes the whole line the long way.
        took = f"{delay:.2f}"
        self._write(
            f"{envelope.message_id}: client={self._peer}{self._peer.log_fields()}, "
            f"from=<{envelope.sender}>, size={transfer.size if transfer else 0}, "
            f"nrcpt={len(envelope.recipients)}, {to}, relay={relay}, delay={took}, "
            f"dsn={reply.dsn if reply else '4.4.2'}, status={status} ({said})"
        )

    def _reject(self, stage: str, sender: str, recipient: str | None, said: str, rule: str) -> None:
        peer = self._peer
        to = "" if recipient is None else f" to=<{recipient}>"
        protocol = "ESMTP" if peer.esmtp else "SMTP"
        login = f" sasl_username=<{peer.login}>" if peer.login else ""
        self._write(
            f"NOQUEUE: reject: {stage} from {peer}: {said}; from=<{sender}>{to} "
            f"proto={protocol} helo=<{peer.helo_name}>{login}{rule}"
        )

    def _write(self, line: str) -> None:
        self._log(printable(line))
