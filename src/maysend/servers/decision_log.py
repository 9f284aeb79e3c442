"""What was decided: every decision as a line of JSON in a file, every refusal as a line of the log.

A line of the decision log has all that was asked, so that it can be asked again of another policy;
what is empty or 0 is left out:

    {"time":"2026-11-21T14:36:47.123Z","listener":"policy","outcome":"reject",
     "action":"553 5.7.1 not owned by user bob","reply":"553 5.7.1 <alice@example.com>: Sender …",
     "rule":"reject_authenticated_sender_login_mismatch","place":{"file":"…/main.cf","line":26,…},
     "seconds":0.000041,"steps":[…],"protocol_state":"RCPT","sasl_username":"bob@example.com",…}

`steps` is the whole trace, restriction by restriction with the keys that were asked. `observed` is
what would have been refused where smtpd_observe_restrictions only looks.
"""

import time
from collections.abc import Callable, Mapping
from typing import Final, Literal, Protocol, TypeAlias

import msgspec
from mypy_extensions import mypyc_attr

from maysend.policy import Decision, Request
from maysend.restrictions.trace import Step
from maysend.servers.decision_line import Line, Observed, SearchLine, StepLine
from maysend.servers.log import Timestamps, encode_line
from maysend.servers.log_file import LogFile

Steps: TypeAlias = Literal["all", "refused", "none"]
"""Of which decisions the whole trace is written."""

_COMMA: Final = ord(",")

FLUSH: Final = 0.2
"""Seconds that a line may wait before it is written."""

TOGETHER: Final = 32
"""Records that are put into lines in a row: what runs for it stays in the processor's cache."""


@mypyc_attr(acyclic=True)
class Record:
    """One decision: `action` is what was answered to whoever asked, `seconds` what it took."""

    __slots__ = ("action", "decision", "listener", "queue_id", "request", "seconds")

    def __init__(
        self,
        listener: str,
        queue_id: str,
        request: Request,
        decision: Decision,
        action: str,
        seconds: float,
    ) -> None:
        self.listener = listener
        self.queue_id = queue_id
        self.request = request
        self.decision = decision
        self.action = action
        self.seconds = seconds


class EventLog(Protocol):
    """Takes a line of text, and its fields for who reads JSON."""

    def __call__(self, line: str, fields: Mapping[str, object] | None = None) -> None:
        """Write one line."""
        ...


class DecisionLog:
    """Notes decisions in `file`, where there is one, and refusals in `log`."""

    def __init__(
        self,
        log: EventLog,
        file: LogFile | None = None,
        steps: Steps = "refused",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._log = log
        self._file = file
        self._steps = steps
        self._clock = clock
        self._timestamps = Timestamps()
        self._encoder = msgspec.json.Encoder()
        self._noted: list[tuple[float, Record]] = []

    def notes(self, decision: Decision) -> bool:
        """Whether `note` would write anything of this decision: else no record has to be made."""
        return self._file is not None or decision.reply is not None

    def note(self, record: Record) -> None:
        """Note one decision."""
        if record.decision.reply is not None:
            self._log(reject_line(record), reject_fields(record))
        if self._file is not None:
            self._noted.append((self._clock(), record))
            if len(self._noted) >= TOGETHER:
                self._append_lines(self._file)

    def flush(self) -> None:
        """Write what is kept; to be called every FLUSH seconds."""
        if self._file is not None:
            self._append_lines(self._file)
            self._file.flush()

    def close(self) -> None:
        """Write what is kept and close."""
        if self._file is not None:
            self._append_lines(self._file)
            self._file.close()

    def _append_lines(self, file: LogFile) -> None:
        noted, self._noted = self._noted, []
        lines: list[bytes | bytearray] = []
        for when, record in noted:
            try:
                lines.append(self._line(when, record))
            except Exception as problem:  # no other record loses its line by it
                reason = f"{type(problem).__name__}: {problem}"
                self._log(f"error: a decision can't be written: {reason}")
        if lines:
            file.append(b"".join(lines))

    def _line(self, when: float, record: Record) -> bytes | bytearray:
        decision = record.decision
        reply, step = decision.reply, decision.determined_by
        with_steps = self._steps == "all" or (self._steps == "refused" and reply is not None)
        line = Line(
            time=self._timestamps.text(when),
            listener=record.listener,
            outcome=outcome_of(decision),
            action=record.action,
            seconds=record.seconds,
            reply="" if reply is None else str(reply),
            rule="" if step is None else step.restriction,
            place=None if step is None else step.place,
            queue_id=record.queue_id,
            observed=_observed(decision),
            steps=tuple([_step(step) for step in decision.steps]) if with_steps else (),
        )
        octets = bytearray()
        try:
            self._encoder.encode_into(line, octets)
            brace = len(octets) - 1
            # The request's fields go on where the line's have ended.
            self._encoder.encode_into(record.request, octets, brace)
            octets[brace] = _COMMA
            octets += b"\n"
            return octets
        except UnicodeEncodeError:
            return encode_line({**msgspec.to_builtins(line), **msgspec.to_builtins(record.request)})


def _step(step: Step) -> StepLine:
    return StepLine(
        step.stage,
        step.restriction,
        step.place,
        step.depth,
        step.outcome,
        step.note,
        step.reply,
        step.warned,
        step.observed,
        tuple([SearchLine(one.table, one.keys, one.answer, one.error) for one in step.searches]),
        step.owner_maps,
    )


def _observed(decision: Decision) -> tuple[Observed, ...]:
    observed = [step for step in decision.steps if step.observed]
    return tuple([Observed(step.restriction, str(step.reply or "")) for step in observed])


def outcome_of(decision: Decision) -> str:
    """ "permit", "reject" (for good) or "defer" (for now)."""
    reply = decision.reply
    return "permit" if reply is None else "reject" if reply.is_permanent else "defer"


def reject_line(record: Record) -> str:
    """The line that smtpd logs of a refusal, and the rule that decided."""
    request, step = record.request, record.decision.determined_by
    to = f" to=<{request.recipient}>" if request.recipient else ""
    login = f" sasl_username=<{request.sasl_username}>" if request.sasl_username else ""
    rule = f" rule={step.restriction} at {step.place}" if step is not None else ""
    return (
        f"{record.queue_id or 'NOQUEUE'}: reject: {request.protocol_state.value} from "
        f"{request.client_name}[{request.client_address or 'unknown'}]: {record.decision.reply}; "
        f"from=<{request.sender}>{to} proto={request.protocol_name} "
        f"helo=<{request.helo_name}>{login}{rule}"
    )


def reject_fields(record: Record) -> dict[str, object]:
    """The same by name."""
    request, step, reply = record.request, record.decision.determined_by, record.decision.reply
    fields: dict[str, object] = {
        "event": "reject",
        "listener": record.listener,
        "queue_id": record.queue_id,
        "protocol_state": request.protocol_state.value,
        "client_name": request.client_name,
        "client_address": request.client_address,
        "from": request.sender,
        "to": request.recipient,
        "proto": request.protocol_name,
        "helo": request.helo_name,
        "sasl_username": request.sasl_username,
    }
    if reply is not None:
        fields |= {"code": reply.code, "dsn": reply.dsn, "text": reply.text}
    if step is not None:
        fields |= {"rule": step.restriction, "place": str(step.place)}
    return fields
