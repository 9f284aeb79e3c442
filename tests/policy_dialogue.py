"""One SMTP dialogue held with maysend's policy, command line by command line."""

from maysend.address import AddressSyntaxError, parse_path
from maysend.policy import Policy
from maysend.restrictions.dialogue import NameStatus
from tests.golden import OK, Case, Turn
from tests.golden_runs import Answer, decision_answer


class PolicyDialogue:
    """Reads the command lines of a case as smtpd does and asks a policy session."""

    def __init__(self, policy: Policy, case: Case) -> None:
        self._strict = policy.parameters.boolean("strict_rfc821_envelopes")
        self._soft_bounce = policy.parameters.boolean("soft_bounce")
        self._smtputf8_enable = policy.parameters.boolean("smtputf8_enable")
        self._smtputf8 = False
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

    def answer(self, turn: Turn) -> Answer:
        """The policy's answer to one command."""
        match turn.stage:
            case "CONNECT":
                return decision_answer(self._session.connect())
            case "HELO":
                return decision_answer(self._session.helo(turn.command.split(" ", 1)[1]))
            case "MAIL":
                self._smtputf8 = turn.command.upper().endswith(" SMTPUTF8")
                if self._smtputf8 and not self._smtputf8_enable:
                    return self._syntax_error("5.5.4 Unsupported option: SMTPUTF8", 555)
                return self._path(turn, "5.1.7 Bad sender address syntax")
            case "RCPT":
                return self._path(turn, "5.1.3 Bad recipient address syntax")
            case "DATA":
                return decision_answer(self._session.data())
            case "END":
                answer = decision_answer(self._session.end_of_data())
                if answer.reply == OK:
                    self._session.reset()
                return answer
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
            return decision_answer(self._session.mail(address, smtputf8=self._smtputf8))
        return decision_answer(self._session.rcpt(address))

    def _syntax_error(self, complaint: str, code: int = 501) -> Answer:
        if self._soft_bounce:
            return Answer(f"{code - 100} 4{complaint[1:]}")
        return Answer(f"{code} {complaint}")


def _status(name: str) -> NameStatus | None:
    return "temporary" if name == "[TEMPUNAVAIL]" else None


def _unknown_if_unavailable(name: str) -> str:
    """XCLIENT's words for a client without a name."""
    return "unknown" if name in ("[UNAVAILABLE]", "[TEMPUNAVAIL]") else name
