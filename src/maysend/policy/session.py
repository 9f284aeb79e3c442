"""One SMTP dialogue, command by command, as smtpd keeps it between commands."""

from collections.abc import Sequence
from typing import Final

from mypy_extensions import mypyc_attr

from maysend.address.characters import is_ascii
from maysend.header import Field
from maysend.policy.decision import Decision, permitting_step
from maysend.policy.stages import Stage, Stages
from maysend.restrictions.dialogue import Dialogue
from maysend.restrictions.evaluation import Evaluation
from maysend.restrictions.node import Deferral, Subject
from maysend.restrictions.outcome import Outcome
from maysend.restrictions.outcomes import DUNNO, REJECT
from maysend.restrictions.replies import consistent_reply, printable
from maysend.restrictions.waiting import WouldWait

POSTMASTER: Final = "postmaster"
"""Accepted without a domain before anything else (RFC 5321 4.5.1)."""

IMPLICIT_SENDER: Final = "smtpd_reject_unlisted_sender = yes"
IMPLICIT_RECIPIENT: Final = "smtpd_reject_unlisted_recipient = yes"
"""Where the trace says that the checks belong which no list has written in it."""

NOTHING_ASKED: Final = Decision(None)
"""The decision of a command that has no list of its own, or an empty one."""


@mypyc_attr(acyclic=True)
class Session:
    """The policy's side of one dialogue. Every command gives a Decision.

    With smtpd_delay_reject, the lists for the client, HELO and sender are evaluated at each RCPT
    (postconf(5)); without it, at their own command.

    Where `may_wait` is off, a command that would have to wait for a table raises WouldWait; the
    same command can then be given again, where waiting is allowed, as if it were the first time.
    """

    def __init__(self, stages: Stages, dialogue: Dialogue) -> None:
        self._stages = stages
        self.dialogue = dialogue
        if dialogue.sasl_username:
            self.authenticated(dialogue.sasl_username, dialogue.sasl_method)
        self._evaluation = Evaluation(stages.rules, dialogue)
        self._deferrals: dict[str, Deferral] = {}

    @property
    def may_wait(self) -> bool:
        """Whether a command may wait for a process or a host."""
        return self._evaluation.may_wait

    @may_wait.setter
    def may_wait(self, may_wait: bool) -> None:
        self._evaluation.may_wait = may_wait

    # -- commands ------------------------------------------------------------------------------

    def connect(self) -> Decision:
        """The client has connected."""
        self._begin("CONNECT")
        if not self._stages.delay_reject:
            self._check_client()
        return self._decision()

    def helo(self, name: str) -> Decision:
        """HELO, or EHLO where the protocol's name is ESMTP."""
        earlier, self.dialogue.helo_name = self.dialogue.helo_name, name
        self._begin("EHLO" if self.dialogue.protocol_name == "ESMTP" else "HELO")
        if not self._stages.delay_reject:
            try:
                self._check_helo()
            except WouldWait:
                self.dialogue.helo_name = earlier
                raise
        decision = self._decision()
        self.dialogue.helo_name = self._neutered(name) if decision.is_permitted else earlier
        return decision

    def authenticated(self, login: str, method: str = "PLAIN") -> None:
        """AUTH succeeded: everything from here on is asked for this login."""
        self.dialogue.sasl_username = self._neutered(login)
        self.dialogue.sasl_method = method

    def encrypted(self, protocol: str, cipher: str = "", keysize: int = 0) -> None:
        """TLS has begun: what the client said before is forgotten (RFC 3207 4.2)."""
        self.dialogue.encryption_protocol = protocol
        self.dialogue.encryption_cipher = cipher
        self.dialogue.encryption_keysize = keysize
        self.dialogue.helo_name = None

    def certified(
        self,
        fingerprint: str,
        pubkey_fingerprint: str,
        *,
        subject: str = "",
        issuer: str = "",
        trusted: bool = False,
    ) -> None:
        """The client's TLS certificate, by $smtpd_tls_fingerprint_digest ("" is none).

        `subject` and `issuer` are common names; `trusted` says that a known CA vouches for it.
        """
        dialogue = self.dialogue
        dialogue.ccert_fingerprint = fingerprint
        dialogue.ccert_pubkey_fingerprint = pubkey_fingerprint
        dialogue.ccert_subject, dialogue.ccert_issuer = subject, issuer
        dialogue.ccert_trusted = trusted

    def mail(self, address: str, *, smtputf8: bool = False) -> Decision:
        """MAIL FROM, with the address in internal form ("" is the null sender).

        `smtputf8` says that the client asked for that (RFC 6531 3.4).
        """
        self._begin("MAIL")
        self._evaluation.forget_addresses()
        self.dialogue.smtputf8 = smtputf8
        self.dialogue.instance = ""
        objection = self._undeliverable(address, "5.1.7", "Bad sender address syntax")
        if objection is not None:
            return objection
        self.dialogue.sender = address
        self.dialogue.recipient = None
        self.dialogue.recipient_count = 0
        self._evaluation.discard = False
        if not self._stages.delay_reject:
            self._check_sender()
        decision = self._decision()
        if not decision.is_permitted:
            self.dialogue.sender = None
        return decision

    def rcpt(self, address: str) -> Decision:
        """RCPT TO, with the address in internal form."""
        earlier = self.dialogue.recipient
        decision = self._asked_about("RCPT", address)
        if decision.is_permitted:
            self.dialogue.recipient_count += 1
        else:
            self.dialogue.recipient = earlier
        return decision

    def vrfy(self, address: str) -> Decision:
        """VRFY: what RCPT would say, without a recipient more (smtpd(8))."""
        earlier = self.dialogue.recipient
        decision = self._asked_about("VRFY", address)
        self.dialogue.recipient = earlier
        return decision

    def _asked_about(self, command: str, address: str) -> Decision:
        """Ask the lists about a recipient, which is the dialogue's from here on."""
        self._begin(command)
        syntax = "Bad recipient address syntax"
        if not address:
            return self._syntax_error("5.1.3", syntax)
        objection = self._undeliverable(address, "5.1.3", syntax)
        if objection is not None:
            return objection
        earlier, self.dialogue.recipient = self.dialogue.recipient, address
        if not self._is_always_accepted(address):
            self._evaluation.recipient_was_checked = False
            try:
                self._check_recipient()
            except WouldWait:
                self.dialogue.recipient = earlier
                raise
        return self._decision()

    def data(self) -> Decision:
        """DATA: asked once for all recipients."""
        return self._once_for_all(self._stages.data, "DATA")

    def end_of_data(
        self, header: Sequence[Field] | None = None, *, size: int | None = None
    ) -> Decision:
        """The final dot: asked once for all recipients.

        `header` holds the fields that say who the message is from (maysend.header); None where
        the message is not known, which reject_header_from_login_mismatch answers with a 451.
        `size` is the message's, in octets.
        """
        if size is not None:
            self.dialogue.size = size
        self.dialogue.header = None if header is None else tuple(header)
        decision = self._once_for_all(self._stages.end_of_data, "END-OF-MESSAGE")
        self.dialogue.header = None
        return decision

    def etrn(self, domain: str) -> Decision:
        """ETRN."""
        self._begin("ETRN")
        self.dialogue.etrn_domain = domain
        outcomes = (self._check_client, self._check_helo) if self._stages.delay_reject else ()
        try:
            refused = any(check() is REJECT for check in outcomes)
            if not refused and self._run(self._stages.etrn, domain) is not REJECT:
                self._evaluation.apply_defer_if_permit()
        finally:
            self.dialogue.etrn_domain = None
        return self._decision()

    def reset(self) -> None:
        """RSET, or the message is done: the next MAIL starts afresh."""
        self.dialogue.sender = None
        self.dialogue.recipient = None
        self.dialogue.recipient_count = 0
        self.dialogue.size = 0
        self.dialogue.instance = ""
        self._evaluation.discard = False

    # -- stages --------------------------------------------------------------------------------

    def _check_client(self) -> Outcome:
        return self._run(self._stages.client, self.dialogue.client)

    def _check_helo(self) -> Outcome:
        name = self.dialogue.helo_name
        return DUNNO if name is None else self._run(self._stages.helo, name)

    def _check_sender(self) -> Outcome:
        sender = self.dialogue.sender
        if sender is None:
            return DUNNO
        self._evaluation.sender_was_checked = False
        outcome = self._run(self._stages.sender, sender)
        implicit = self._stages.unlisted_sender
        if outcome is not REJECT and implicit is not None and self._goes_on():
            subject = Subject(sender, self._stages.sender.words, None)
            outcome = self._evaluation.run_check(IMPLICIT_SENDER, implicit, subject)
        return outcome

    def _check_recipient(self) -> Outcome:
        if self._stages.delay_reject:
            if self._check_client() is REJECT or self._check_helo() is REJECT:
                return REJECT
            if self._check_sender() is REJECT:
                return REJECT
        recipient = self.dialogue.recipient or ""
        first, second = self._stages.recipient_lists
        if self._run(first, recipient) is REJECT:
            return REJECT
        if self._run(second, recipient, continued=True) is REJECT:
            return REJECT
        if self._evaluation.apply_defer_if_permit() is REJECT:
            return REJECT
        implicit = self._stages.unlisted_recipient
        if implicit is None or not self._goes_on():
            return DUNNO
        subject = Subject(recipient, self._stages.recipient_lists[0].words, None)
        return self._evaluation.run_check(IMPLICIT_RECIPIENT, implicit, subject)

    def _once_for_all(self, stage: Stage, command: str) -> Decision:
        dialogue = self.dialogue
        recipient = dialogue.recipient
        self._begin(command)
        if dialogue.recipient_count > 1:
            # One recipient's name would mislead where the answer is for all of them.
            dialogue.recipient = None
        try:
            if self._run(stage, command) is not REJECT:
                self._evaluation.apply_defer_if_permit()
        finally:
            dialogue.recipient = recipient
        return self._decision()

    def _run(self, stage: Stage, name: str, *, continued: bool = False) -> Outcome:
        """Evaluate a list. What an earlier command's list deferred still stands, but a list that
        is evaluated again forgets what it deferred itself the last time."""
        evaluation = self._evaluation
        subject = Subject(name, stage.words, stage.access)
        evaluation.defer_if_permit = self._deferral_before(stage) if self._deferrals else None
        outcome = evaluation.run_list(stage.parameter, stage.nodes, subject, continued=continued)
        if evaluation.defer_if_permit is not None:
            self._deferrals[stage.parameter] = evaluation.defer_if_permit
        elif self._deferrals:
            self._deferrals.pop(stage.parameter, None)
        return outcome

    def _deferral_before(self, stage: Stage) -> Deferral | None:
        for earlier in stage.after:
            deferral = self._deferrals.get(earlier)
            if deferral is not None:
                return deferral
        return None

    def _neutered(self, text: str) -> str:
        """What the client says of itself, without what could not be logged."""
        return printable(text, utf8=self._stages.rules.site.utf8, instead="?")

    def _is_always_accepted(self, address: str) -> bool:
        """Whether no restriction is asked: postmaster, and the sink of verification probes."""
        if len(address) == len(POSTMASTER) and address.lower() == POSTMASTER:
            return True
        probes = self._stages.rules.site.verify_sender
        return bool(probes) and address.lower() == probes.lower()

    def _undeliverable(self, address: str, dsn: str, text: str) -> Decision | None:
        """Refuse an address that no mail can be sent to, before any restriction is asked."""
        if not address:
            return None
        resolved = self._evaluation.resolution_of(address)
        ascii_only = self._stages.rules.site.utf8 and not self.dialogue.smtputf8
        if resolved.invalid or (ascii_only and not is_ascii(resolved.domain)):
            return self._syntax_error(dsn, text)
        return None

    def _syntax_error(self, dsn: str, text: str) -> Decision:
        site = self._stages.rules.site
        return Decision(consistent_reply(501, dsn, text, site))

    def _goes_on(self) -> bool:
        return not self._evaluation.discard

    # -- decisions -----------------------------------------------------------------------------

    def _begin(self, state: str) -> None:
        self.dialogue.protocol_state = state
        evaluation = self._evaluation
        if evaluation.steps:
            evaluation.steps = []
        evaluation.actions = ()
        evaluation.reply = None
        evaluation.deciding = None

    def _decision(self) -> Decision:
        evaluation = self._evaluation
        if evaluation.reply is None and not evaluation.steps:
            return NOTHING_ASKED
        steps = tuple(evaluation.steps)
        decided = evaluation.deciding
        if evaluation.reply is None:
            decided = permitting_step(steps)
        return Decision(evaluation.reply, steps, decided, evaluation.actions)
