"""Hold the dialogue of a case with a policy, command line by command line, as smtpd would."""

import msgspec

from maysend.address import AddressSyntaxError, parse_path
from maysend.cases.case import NOT_ASKED, OK, Case, Turn
from maysend.header import Field, originator_fields
from maysend.policy import Decision, Policy
from maysend.restrictions.dialogue import NameStatus
from maysend.restrictions.trace import Step


class Answer(msgspec.Struct, frozen=True):
    """What one turn was answered: "ok", a reply line, or "not asked".

    `decided` is the step that decided, of all the `steps` that were taken.
    """

    reply: str
    actions: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    decided: Step | None = None

    @property
    def decided_by(self) -> str:
        """The restriction that decided, as it is written."""
        return self.decided.restriction if self.decided is not None else ""


class Course:
    """How far a dialogue has come: which turns still make sense.

    These are rules of SMTP and no policy: no RCPT after a refused MAIL, no DATA without a
    recipient, and nothing after a disconnect.
    """

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


def ask_policy(policy: Policy, case: Case) -> list[Answer]:
    """The answers of the policy to each turn of the case."""
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


class PolicyDialogue:
    """Reads the command lines of a case as smtpd does and asks a policy session."""

    def __init__(self, policy: Policy, case: Case) -> None:
        self._strict = policy.parameters.boolean("strict_rfc821_envelopes")
        self._soft_bounce = policy.parameters.boolean("soft_bounce")
        self._smtputf8_enable = policy.parameters.boolean("smtputf8_enable")
        self._smtputf8 = False
        self._header = None if case.header is None else _fields(case.header)
        name = case.client_name
        reverse = case.reverse_client_name or name
        self._session = policy.session(
            client_address=case.client_address,
            client_name=_unknown_if_unavailable(name),
            reverse_client_name=_unknown_if_unavailable(reverse),
            client_name_status=_status(name),
            reverse_client_name_status=_status(reverse),
            sasl_username=case.login,
            sasl_method="XCLIENT" if case.login else "",
        )
        if case.tls:
            self._session.encrypted("TLSv1.3", "TLS_AES_256_GCM_SHA384", 256)

    def answer(self, turn: Turn) -> Answer:
        """The policy's answer to one command. Raises ValueError for one that SMTP has not."""
        argument = turn.command.partition(" ")[2]
        match turn.stage:
            case "CONNECT":
                return _answer(self._session.connect())
            case "HELO":
                return _answer(self._session.helo(argument))
            case "MAIL":
                self._smtputf8 = turn.command.upper().endswith(" SMTPUTF8")
                if self._smtputf8 and not self._smtputf8_enable:
                    return self._syntax_error("5.5.4 Unsupported option: SMTPUTF8", 555)
                return self._path(turn, "5.1.7 Bad sender address syntax")
            case "RCPT":
                return self._path(turn, "5.1.3 Bad recipient address syntax")
            case "DATA":
                return _answer(self._session.data())
            case "END":
                answer = _answer(self._session.end_of_data(self._header))
                if answer.reply == OK:
                    self._session.reset()
                return answer
            case "ETRN":
                return _answer(self._session.etrn(argument))
            case "RSET":
                self._session.reset()
                return Answer(OK)
        raise ValueError(f"a dialogue can't say {turn.command!r}")

    def _path(self, turn: Turn, complaint: str) -> Answer:
        text = turn.command.partition(":")[2]
        path = text[: text.rindex(">") + 1] if ">" in text else text.strip()
        try:
            address = parse_path(path, strict=self._strict, utf8=True)
        except AddressSyntaxError:
            return self._syntax_error(complaint)
        if turn.stage == "RCPT" and not address:
            return self._syntax_error(complaint)
        if turn.stage == "MAIL":
            return _answer(self._session.mail(address, smtputf8=self._smtputf8))
        return _answer(self._session.rcpt(address))

    def _syntax_error(self, complaint: str, code: int = 501) -> Answer:
        if self._soft_bounce:
            return Answer(f"{code - 100} 4{complaint[1:]}")
        return Answer(f"{code} {complaint}")


def _answer(decision: Decision) -> Answer:
    return Answer(
        str(decision.reply) if decision.reply is not None else OK,
        tuple(f"{action.name} {action.argument}".strip() for action in decision.actions),
        decision.steps,
        decision.determined_by,
    )


def _fields(header: str) -> tuple[Field, ...]:
    """What a header says of who the message is from; its lines end as a text's."""
    return originator_fields(header.encode("utf-8", "surrogateescape"))


def _status(name: str) -> NameStatus | None:
    return "temporary" if name == "[TEMPUNAVAIL]" else None


def _unknown_if_unavailable(name: str) -> str:
    """XCLIENT's words for a client without a name."""
    return "unknown" if name in ("[UNAVAILABLE]", "[TEMPUNAVAIL]") else name
