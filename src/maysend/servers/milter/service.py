"""What the milter answers. Who has not logged in is not looked at: Postfix asks on port 25 too.

The message's header is held against the policy's smtpd_end_of_data_restrictions; with `envelope`
the commands before it are asked about too. What can't be decided is a 4xx; what is not the protocol
closes the connection, and Postfix does what milter_default_action says (tempfail by default).
"""

import time
from collections.abc import Callable, Coroutine
from typing import Any, Final

from maysend.address import AddressSyntaxError, parse_path
from maysend.policy import Decision, ProtocolState, Session
from maysend.protocols import milter
from maysend.protocols.header import TOO_LONG
from maysend.protocols.milter_commands import (
    Actions,
    Connect,
    Header,
    Helo,
    Macros,
    Mail,
    MilterError,
    Negotiate,
    Rcpt,
    Said,
)
from maysend.reply import Reply
from maysend.restrictions.outcome import Action
from maysend.servers.cells import Cell
from maysend.servers.deciding import Deciding, PolicyInUse
from maysend.servers.deciding import Question as PolicyQuestion
from maysend.servers.decision_log import DecisionLog, Record, outcome_of
from maysend.servers.metrics import Metrics
from maysend.servers.milter.conversation import (
    HEADER_ONLY,
    WANTED_MACROS,
    WITH_ENVELOPE,
    Conversation,
    Question,
    unfit_actions,
)
from maysend.servers.sleeping import sleep_as_decided

UNFIT: Final = Reply(451, "4.3.5", "Server configuration error")
NO_SUCH_PATH: Final = Decision(Reply(451, "4.3.0", "Error: an address that can't be read"))

Answer = bytes | Coroutine[Any, Any, bytes]


class MilterService:
    """Answers the commands of a `QuestionListener`. `name` is the listener's.

    `source` has the policy; each message is asked of the one that is in use when it begins.
    """

    def __init__(
        self,
        name: str,
        source: PolicyInUse,
        deciding: Deciding,
        decision_log: DecisionLog,
        metrics: Metrics,
        log: Callable[[str], None],
        *,
        envelope: bool = False,
    ) -> None:
        self._name = name
        self._source = source
        self._deciding = deciding
        self._decision_log = decision_log
        self._metrics = metrics
        self._log = log
        self._envelope = envelope
        self._warned = False
        self._counted: dict[tuple[ProtocolState, str], Cell] = {}
        self._seconds = metrics.histogram(
            "maysend_decision_seconds", "Time to decide, waiting included.", listener=name
        )

    def decoder(self) -> Conversation:
        """A new connection of a mail server."""
        return Conversation(self._source, WITH_ENVELOPE if self._envelope else HEADER_ONLY)

    def answer(self, question: Question) -> Answer:
        """The answer, b"" where none is waited for. Raises MilterError."""
        conversation, command = question
        if isinstance(command, Header):
            conversation.header(command)
        elif isinstance(command, Macros):
            conversation.note_macros(command.command, command.values)
            return b""
        elif isinstance(command, Mail):
            conversation.mail(command)
            if self._envelope:
                return self._mail(conversation)
        elif isinstance(command, Said):
            if command.command == milter.END_OF_MESSAGE:
                return self._end_of_message(conversation)
            if command.command == milter.DATA and self._envelope:
                return self._data(conversation)
            if command.command in (milter.ABORT, milter.NEXT_CONNECTION):
                conversation.forget_message()
        elif isinstance(command, Rcpt):
            if self._envelope:
                return self._rcpt(conversation, command)
        elif isinstance(command, Connect):
            conversation.connect(command)
        elif isinstance(command, Helo):
            conversation.helo_name = command.name
        else:
            return self._negotiated(conversation, command)
        steps = conversation.steps
        waits = steps is not None and milter.answers(command, steps)
        return milter.CONTINUE if waits else b""

    # -- commands ------------------------------------------------------------------------------

    def _negotiated(self, conversation: Conversation, offer: Negotiate) -> bytes:
        conversation.negotiate(offer)
        assert conversation.steps is not None
        names = WANTED_MACROS
        if Actions.NAME_MACROS not in conversation.actions:
            names = {}
            if not self._warned:
                self._warned = True
                text = "the server decides which macros it sends: {auth_authen} has to be in them"
                self._log(f"warning: {self._name}: {text}")
        return milter.negotiated(conversation.actions, conversation.steps, names)

    def _mail(self, conversation: Conversation) -> Answer:
        if not conversation.login:
            return milter.ACCEPT
        session = conversation.new_session()

        def ask() -> Decision:
            commands: list[Callable[[], Decision]] = [session.connect]
            if conversation.helo_name:
                commands.append(lambda: session.helo(conversation.helo_name))
            commands.append(
                lambda: session.mail(conversation.sender(), smtputf8=conversation.smtputf8)
            )
            decision = commands[0]()
            for command in commands[1:]:
                decision = command() if decision.is_permitted else decision
            return decision

        return self._decide(conversation, ProtocolState.MAIL, session, ask)

    def _rcpt(self, conversation: Conversation, command: Rcpt) -> Answer:
        session = _session(conversation)
        try:
            recipient = parse_path(command.path, utf8=True)
        except AddressSyntaxError:
            return self._said(conversation, ProtocolState.RCPT, NO_SUCH_PATH, "", 0.0)
        return self._decide(
            conversation, ProtocolState.RCPT, session, lambda: session.rcpt(recipient), recipient
        )

    def _data(self, conversation: Conversation) -> Answer:
        session = _session(conversation)
        return self._decide(conversation, ProtocolState.DATA, session, session.data)

    def _end_of_message(self, conversation: Conversation) -> Answer:
        if not conversation.login:
            return milter.ACCEPT
        if conversation.is_too_long:
            too_long = Decision(TOO_LONG)
            return self._said(conversation, ProtocolState.END_OF_MESSAGE, too_long, "", 0.0)
        session = conversation.session
        if session is None:
            session = conversation.new_session()
            try:
                session.dialogue.sender = conversation.sender()
            except AddressSyntaxError:
                return self._said(conversation, ProtocolState.END_OF_MESSAGE, NO_SUCH_PATH, "", 0.0)
            session.dialogue.smtputf8 = conversation.smtputf8
        fields = conversation.fields()
        return self._decide(
            conversation, ProtocolState.END_OF_MESSAGE, session, lambda: session.end_of_data(fields)
        )

    # -- decisions -----------------------------------------------------------------------------

    def _decide(
        self,
        conversation: Conversation,
        state: ProtocolState,
        session: Session,
        ask: Callable[[], Decision],
        recipient: str = "",
    ) -> Answer:
        begun = time.perf_counter()

        def question(may_wait: bool) -> Decision:
            session.may_wait = may_wait
            return ask()

        decision = self._deciding.at_once(question)
        if decision is None or decision.actions:
            return self._later(conversation, state, question, decision, recipient, begun)
        seconds = time.perf_counter() - begun
        return self._said(conversation, state, decision, recipient, seconds)

    async def _later(
        self,
        conversation: Conversation,
        state: ProtocolState,
        question: PolicyQuestion,
        decision: Decision | None,
        recipient: str,
        begun: float,
    ) -> bytes:
        if decision is None:
            decision = await self._deciding.in_a_thread(question)
        await sleep_as_decided(decision)
        return self._said(conversation, state, decision, recipient, time.perf_counter() - begun)

    def _said(
        self,
        conversation: Conversation,
        state: ProtocolState,
        decision: Decision,
        recipient: str,
        seconds: float,
    ) -> bytes:
        """The answer to a decision, which is counted and noted."""
        unfit = unfit_actions(decision)
        if decision.is_permitted and unfit:
            self._log(f"error: {self._name}: a milter can't ask for {unfit}")
            decision = Decision(UNFIT, decision.steps, None, decision.actions)
        self._seconds.observe(seconds)
        self._count(state, outcome_of(decision))
        if self._decision_log.notes(decision):
            request = conversation.request(state, recipient)
            action = "continue" if decision.reply is None else str(decision.reply)
            record = Record(self._name, conversation.queue_id, request, decision, action, seconds)
            self._decision_log.note(record)
        if decision.reply is not None:
            return milter.refusal(decision.reply)
        return self._carried_out(conversation, state, decision)

    def _count(self, state: ProtocolState, outcome: str) -> None:
        cell = self._counted.get((state, outcome))
        if cell is None:
            cell = self._counted[state, outcome] = self._metrics.counter(
                "maysend_decisions_total",
                "Decisions, by what they say.",
                listener=self._name,
                state=state.value,
                outcome=outcome,
            )
        cell.value += 1

    def _carried_out(
        self, conversation: Conversation, state: ProtocolState, decision: Decision
    ) -> bytes:
        """What a decision that nothing objects to wants done; all but DISCARD at the end of the
        message, where a server lets it be changed."""
        for action in decision.actions:
            if action.name == "DISCARD":
                return milter.DISCARD
        if state is not ProtocolState.END_OF_MESSAGE:
            conversation.wanted.extend(decision.actions)
            return milter.CONTINUE
        if not (conversation.wanted or decision.actions):
            return milter.ACCEPT
        changes = dict.fromkeys(map(_change, (*conversation.wanted, *decision.actions)))
        return b"".join(changes) + milter.ACCEPT


def _change(action: Action) -> bytes:
    if action.name == "PREPEND":
        name, _, value = action.argument.partition(":")
        return milter.insert_header(0, name, value)
    if action.name == "HOLD":
        return milter.quarantine(action.argument or "held by policy")
    return b""


def _session(conversation: Conversation) -> Session:
    if conversation.session is None:
        raise MilterError("a command that needs a message")
    return conversation.session
