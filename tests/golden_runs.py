"""Hold the dialogue of a golden case with a live Postfix, or with maysend's own policy.

Both follow the same rules of SMTP that are no policy: a stage whose precondition failed is not
asked (no RCPT after a refused MAIL, no DATA without a recipient), and nothing after a disconnect.
"""

from typing import TYPE_CHECKING

import msgspec

from tests.differential.live_postfix import LivePostfix, Smtp
from tests.golden import OK, Case, Turn

if TYPE_CHECKING:
    from maysend.policy import Decision, Policy

NOT_ASKED = "not asked"
MESSAGE = b"From: <a@example.org>\r\nSubject: test\r\n\r\ntest\r\n.\r\n"


class Answer(msgspec.Struct, frozen=True):
    """What one turn was answered: "ok", a reply line, or "not asked"."""

    reply: str
    decided_by: str = ""
    actions: tuple[str, ...] = ()
    steps: tuple[tuple[str, bool], ...] = ()
    """Restrictions that maysend reached, by name, and whether each decided."""


class Course:
    """How far a dialogue has come: which turns still make sense."""

    def __init__(self) -> None:
        self._refused = False
        self._mail = False
        self._recipients = 0
        self._data = False

    def allows(self, turn: Turn) -> bool:
        """Whether smtpd would get as far as asking its policy about this command."""
        if self._refused or (self._data and turn.stage != "END"):
            return False  # after DATA everything is the message, up to its END
        match turn.stage:
            case "RCPT":
                return self._mail
            case "DATA":
                return self._mail and self._recipients > 0
            case "END":
                return self._data
            case "MAIL":
                return not self._mail
        return True

    def note(self, turn: Turn, reply: str) -> None:
        """Take the reply to a turn into account."""
        accepted = reply == OK
        match turn.stage:
            case "CONNECT":
                self._refused = not accepted
            case "HELO" | "RSET":
                self._mail, self._recipients = False, 0
            case "MAIL":
                self._mail, self._recipients = accepted, 0
            case "RCPT":
                self._recipients += accepted
            case "DATA":
                self._data = accepted
            case "END":
                self._data = False
                if accepted:  # after a refusal smtpd keeps the transaction until RSET
                    self._mail, self._recipients = False, 0
        if reply.startswith(("421", "521")):
            self._refused = True


def ask_postfix(postfix: LivePostfix, case: Case) -> list[Answer]:
    """Hold the case's dialogue with a live smtpd that is already configured for it."""
    course = Course()
    answers = []
    with postfix.session(
        client_address=case.client_address,
        client_name=case.client_name,
        reverse_client_name=case.reverse_client_name,
        login=case.login,
    ) as smtp:
        for turn in case.turns:
            reply = NOT_ASKED
            if course.allows(turn):
                reply = _live_reply(smtp, turn)
                course.note(turn, reply)
            answers.append(Answer(reply))
    return answers


def ask_policy(policy: "Policy", case: Case) -> list[Answer]:
    """Hold the case's dialogue with maysend's policy."""
    from tests.policy_dialogue import PolicyDialogue

    course = Course()
    dialogue = PolicyDialogue(policy, case)
    answers = []
    for turn in case.turns:
        answer = Answer(NOT_ASKED)
        if course.allows(turn):
            answer = dialogue.answer(turn)
            course.note(turn, answer.reply)
        answers.append(answer)
    return answers


def with_answers(case: Case, answers: list[Answer]) -> Case:
    """The case with these answers as the ones it wants."""
    turns = tuple(
        Turn(turn.command, answer.reply, answer.decided_by)
        for turn, answer in zip(case.turns, answers, strict=True)
    )
    return msgspec.structs.replace(case, turns=turns)


def _live_reply(smtp: Smtp, turn: Turn) -> str:
    if turn.command == "CONNECT":
        reply = smtp.greeting
    elif turn.command == "END":
        smtp.send(MESSAGE)
        reply = smtp.reply()
    else:
        reply = smtp.command(turn.command)
    return OK if reply[:1] in "23" else reply


def decision_answer(decision: "Decision") -> Answer:
    """A policy decision as an answer."""
    step = decision.determined_by
    return Answer(
        str(decision.reply) if decision.reply is not None else OK,
        step.restriction if step is not None else "",
        tuple(f"{action.name} {action.argument}".strip() for action in decision.actions),
        tuple(
            (step.restriction.split(" ", 1)[0], step.reply is not None or step.outcome.name == "OK")
            for step in decision.steps
        ),
    )
