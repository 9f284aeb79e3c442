"""What the policy delegation service answers: every request is decided afresh.

What can't be decided is a 4xx; what is no request closes the connection, as SMTPD_POLICY_README
wants it, and Postfix does what its default_action says.
"""

import time
from collections.abc import Callable, Coroutine
from typing import Any, Final

from mypy_extensions import mypyc_attr

from maysend.policy import Decision, Policy, ProtocolState, Request
from maysend.protocols.policy import REQUEST_TYPE, PolicyRequests, Values, encode_action
from maysend.servers.cells import Cell
from maysend.servers.deciding import Deciding, PolicyInUse
from maysend.servers.decision_log import DecisionLog, Record, outcome_of
from maysend.servers.metrics import Metrics
from maysend.servers.policy.action import (
    NOTHING_OBJECTS,
    SEVERAL_ACTIONS,
    SeveralActions,
    action_of,
    asked_in,
)
from maysend.servers.policy.request import FIELDS, request_of
from maysend.servers.sleeping import sleep_as_decided

WANTED: Final = (*FIELDS, "queue_id", "policy_context", "request")
"""What is decided about, ahead of attributes that say something of the question itself."""


_NOTHING_OBJECTS: Final = encode_action(NOTHING_OBJECTS)


@mypyc_attr(acyclic=True)
class Question:
    """A request, what else came with it, and when it came (seconds of a monotonic clock)."""

    __slots__ = ("begun", "context", "queue_id", "request")

    def __init__(self, begun: float, context: str, queue_id: str, request: Request) -> None:
        self.begun = begun
        self.context = context
        self.queue_id = queue_id
        self.request = request


class PolicyService:
    """Answers the requests of a `QuestionListener`, whose name is `name`.

    `source` has the policy; each request asks the one that is in use when it comes.
    """

    def __init__(
        self,
        name: str,
        source: PolicyInUse,
        deciding: Deciding,
        decision_log: DecisionLog,
        metrics: Metrics,
        log: Callable[[str], None],
    ) -> None:
        self._name = name
        self._source = source
        self._deciding = deciding
        self._decision_log = decision_log
        self._metrics = metrics
        self._log = log
        self._seconds = metrics.histogram(
            "maysend_decision_seconds", "Time to decide, waiting included.", listener=name
        )
        self._counted: dict[tuple[ProtocolState, str], Cell] = {}

    def decoder(self) -> PolicyRequests:
        """A new client's decoder."""
        return PolicyRequests(WANTED)

    def answer(self, values: Values) -> bytes | Coroutine[Any, Any, bytes]:
        """The answer, or what will have it. Raises ValueError where this is no request."""
        begun = time.perf_counter()
        kind, context, queue_id = values.pop(), values.pop(), values.pop()
        if kind != REQUEST_TYPE:
            raise ValueError(f"expected request={REQUEST_TYPE}, got {kind!r:.80}")
        request = request_of(values)
        question = Question(begun, context or "", queue_id or "", request)
        policy = self._source.policy
        decision = self._deciding.at_once(lambda wait: policy.decide(request, may_wait=wait))
        if decision is None or decision.actions:
            return self._answer_later(policy, question, decision)
        return self._said(question, decision)

    async def _answer_later(
        self, policy: Policy, question: Question, decision: Decision | None
    ) -> bytes:
        if decision is None:
            decision = await self._deciding.in_a_thread(
                lambda wait: policy.decide(question.request, may_wait=wait)
            )
        await sleep_as_decided(decision)
        return self._said(question, decision)

    def _said(self, question: Question, decision: Decision) -> bytes:
        try:
            action = action_of(decision, asked_in(question.context))
        except SeveralActions as problem:
            self._log(f"error: {self._name}: one policy service can't ask for {problem}")
            decision = Decision(SEVERAL_ACTIONS, decision.steps, None, decision.actions)
            action = str(SEVERAL_ACTIONS)
        seconds = time.perf_counter() - question.begun
        self._seconds.observe(seconds)
        self._count(question.request, decision)
        self._decision_log.note(
            Record(self._name, question.queue_id, question.request, decision, action, seconds)
        )
        return _NOTHING_OBJECTS if action == NOTHING_OBJECTS else encode_action(action)

    def _count(self, request: Request, decision: Decision) -> None:
        key = (request.protocol_state, outcome_of(decision))
        cell = self._counted.get(key)
        if cell is None:
            cell = self._counted[key] = self._metrics.counter(
                "maysend_decisions_total",
                "Decisions, by what they say.",
                listener=self._name,
                state=request.protocol_state.value,
                outcome=key[1],
            )
        cell.value += 1
