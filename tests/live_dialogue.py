"""Hold the dialogue of a case with a live Postfix; maysend.cases does so with its own policy."""

from maysend.cases.case import NOT_ASKED, OK, Case, Turn
from maysend.cases.dialogue import Answer, Course
from tests.differential.live_postfix import LivePostfix, Smtp

MESSAGE = b"From: <a@example.org>\r\nSubject: test\r\n\r\ntest\r\n.\r\n"


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


def _live_reply(smtp: Smtp, turn: Turn) -> str:
    if turn.command == "CONNECT":
        reply = smtp.greeting
    elif turn.command == "END":
        smtp.send(MESSAGE)
        reply = smtp.reply()
    else:
        reply = smtp.command(turn.command)
    if turn.stage == "ETRN" and reply.startswith("459 ") and "service unavailable" in reply:
        return OK  # the policy lets it pass; that nothing is flushed here is another matter
    return OK if reply[:1] in "23" else reply
