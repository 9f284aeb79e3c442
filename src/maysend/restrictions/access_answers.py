"""What the right-hand side of an access(5) table means."""

import re
from collections.abc import Callable
from typing import Final, NamedTuple, TypeAlias

from maysend.restrictions.evaluation import Evaluation
from maysend.restrictions.keys import Found
from maysend.restrictions.outcome import Outcome
from maysend.restrictions.outcomes import DUNNO, OK
from maysend.restrictions.replies import split_enhanced_status, status_for


class Access(NamedTuple):
    """Which table answered, about whom, and the words that its refusals begin with."""

    table: str
    name: str
    words: str

    def refusal(self, text: str, default: str = "Access denied") -> str:
        """The text of a refusal by this table."""
        return f"<{self.name}>: {self.words} rejected: {text or default}"


Apply: TypeAlias = Callable[[Evaluation, Access, str], Outcome]

_REPLY_CODE: Final = re.compile(r"[45][0-9]{2}", re.ASCII)


def apply_answer(evaluation: Evaluation, access: Access, found: Found) -> Outcome:
    """Do what an access table's answer says (access(5), "ACTIONS").

    Raises Stop where the answer is one that smtpd answers with 451 4.3.5.
    """
    answer = found.answer
    word, text = _split(answer)
    action = _ACTIONS.get(word.upper())
    if action is not None:
        return action(evaluation, access, text)
    if answer.isascii() and answer.isdigit():
        return OK
    if text and _REPLY_CODE.fullmatch(word):
        return _reply_with(evaluation, access, int(word), text)
    if ":" in answer:
        return evaluation.server_fault(
            f"{access.table} has a lookup table in its answer for {found.key}: "
            "define a restriction class and name it instead"
        )
    nodes = evaluation.rules.compile_answer(answer)
    if not nodes:
        return OK
    return evaluation.run_answer(nodes, access.name, access.words)


def _split(answer: str) -> tuple[str, str]:
    word, separator, text = answer.partition(" ")
    if "\t" in word:
        word, separator, text = answer.partition("\t")
    return word, text.lstrip(" \t") if separator else ""


def _refuse(evaluation: Evaluation, access: Access, code: int, dsn: str, text: str) -> Outcome:
    status, rest = split_enhanced_status(text, dsn)
    return evaluation.refuse(code, status_for(access.words, status), access.refusal(rest))


def _reply_with(evaluation: Evaluation, access: Access, code: int, text: str) -> Outcome:
    return _refuse(evaluation, access, code, "4.7.1" if code < 500 else "5.7.1", text)


def _ok(evaluation: Evaluation, access: Access, text: str) -> Outcome:
    return OK


def _dunno(evaluation: Evaluation, access: Access, text: str) -> Outcome:
    return DUNNO


def _reject(evaluation: Evaluation, access: Access, text: str) -> Outcome:
    code = evaluation.site.code("access_map_reject_code")
    return _refuse(evaluation, access, code, "5.7.1", text)


def _defer(evaluation: Evaluation, access: Access, text: str) -> Outcome:
    code = evaluation.site.code("access_map_defer_code")
    return _refuse(evaluation, access, code, "4.7.1", text)


def _hang_up(evaluation: Evaluation, access: Access, text: str) -> Outcome:
    evaluation.act("HANGUP")
    status, rest = split_enhanced_status(text, "5.7.1")
    return evaluation.refuse(521, status, access.refusal(rest))


def _defer_if_permit(evaluation: Evaluation, access: Access, text: str) -> Outcome:
    status, rest = split_enhanced_status(text, "4.7.1")
    return evaluation.defer_unless_rejected(
        evaluation.site.code("access_map_defer_code"),
        status_for(access.words, status),
        access.refusal(rest, "Service unavailable"),
    )


def _defer_if_reject(evaluation: Evaluation, access: Access, text: str) -> Outcome:
    status, rest = split_enhanced_status(text, "4.7.1")
    return evaluation.defer_instead_of_reject(
        evaluation.site.code("access_map_defer_code"),
        status_for(access.words, status),
        access.refusal(rest, "Service unavailable"),
    )


def _discard(evaluation: Evaluation, access: Access, text: str) -> Outcome:
    return evaluation.discard_message()


def _filter(evaluation: Evaluation, access: Access, text: str) -> Outcome:
    if ":" not in text:
        evaluation.note("FILTER needs transport:destination: ignored")
        return DUNNO
    return evaluation.act_on_message("FILTER", text)


def _redirect(evaluation: Evaluation, access: Access, text: str) -> Outcome:
    if "@" not in text:
        evaluation.note("REDIRECT needs user@domain: ignored")
        return DUNNO
    return evaluation.act_on_message("REDIRECT", text)


def _bcc(evaluation: Evaluation, access: Access, text: str) -> Outcome:
    if "@" not in text:
        evaluation.note("BCC needs user@domain: ignored")
        return DUNNO
    return evaluation.act_on_message("BCC", text)


def _prepend(evaluation: Evaluation, access: Access, text: str) -> Outcome:
    if not text:
        evaluation.note("PREPEND needs a header: ignored")
        return DUNNO
    return evaluation.act_on_message("PREPEND", text)


def _hold(evaluation: Evaluation, access: Access, text: str) -> Outcome:
    return evaluation.act_on_message("HOLD", text)


def _warn(evaluation: Evaluation, access: Access, text: str) -> Outcome:
    return evaluation.act("WARN", text)


def _info(evaluation: Evaluation, access: Access, text: str) -> Outcome:
    return evaluation.act("INFO", text)


_ACTIONS: Final[dict[str, Apply]] = {
    "OK": _ok,
    "RELAY": _ok,
    "DUNNO": _dunno,
    "REJECT": _reject,
    "DEFER": _defer,
    "DEFER_IF_PERMIT": _defer_if_permit,
    "DEFER_IF_REJECT": _defer_if_reject,
    "HANGUP": _hang_up,
    "DISCARD": _discard,
    "FILTER": _filter,
    "REDIRECT": _redirect,
    "BCC": _bcc,
    "PREPEND": _prepend,
    "HOLD": _hold,
    "WARN": _warn,
    "INFO": _info,
}
