"""What the policy delegation service answers: every request is decided afresh.

What can't be decided is a 4xx; what is no request closes the connection, as SMTPD_POLICY_README
wants it, and Postfix does what its default_action says.
"""

import time
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from maysend.policy import Decision, Policy, Request
from maysend.protocols.policy import REQUEST_TYPE, PolicyRequests, encode_action
from maysend.servers.cells import Cell
from maysend.servers.deciding import Deciding, PolicyInUse
from maysend.servers.decision_log import DecisionLog, Record, outcome_of
from maysend.servers.metrics import Metrics
from maysend.servers.policy.action import (
    SEVERAL_ACTIONS,
    SeveralActions,
    action_of,
    asked_in,
)
from maysend.servers.sleeping import sleep_as_decided

CONTEXT = ("request", "policy_context", "queue_id", "instance")
"""Attributes that say something of the request rather than being what is decided about."""

WANTED = frozenset((*Request.__struct_fields__, *CONTEXT))

Attributes = dict[str, str]


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
        self._counted: dict[tuple[str, str], Cell] = {}

    def decoder(self) -> PolicyRequests:
        """A new client's decoder."""
        return PolicyRequests(WANTED)

    def answer(self, attributes: Attributes) -> bytes | Coroutine[Any, Any, bytes]:
        """The answer, or what will have it. Raises ValueError where this is no request."""
        begun = time.perf_counter()
        kind = attributes.get("request")
        if kind != REQUEST_TYPE:
            raise ValueError(f"expected request={REQUEST_TYPE}, got {kind!r:.80}")
        request = _request(attributes)
        policy = self._source.policy
        decision = self._deciding.at_once(lambda wait: policy.decide(request, may_wait=wait))
        if decision is None or decision.actions:
            return self._answer_later(policy, attributes, request, decision, begun)
        return self._said(attributes, request, decision, begun)

    async def _answer_later(
        self,
        policy: Policy,
        attributes: Attributes,
        request: Request,
        decision: Decision | None,
        begun: float,
    ) -> bytes:
        if decision is None:
            decision = await self._deciding.in_a_thread(
                lambda wait: policy.decide(request, may_wait=wait)
            )
        await sleep_as_decided(decision)
        return self._said(attributes, request, decision, begun)

    def _said(
        self, attributes: Attributes, request: Request, decision: Decision, begun: float
    ) -> bytes:
        try:
            action = action_of(decision, asked_in(attributes.get("policy_context", "")))
        except SeveralActions as problem:
            self._log(f"error: {self._name}: one policy service can't ask for {problem}")
            decision = Decision(SEVERAL_ACTIONS, decision.steps, None, decision.actions)
            action = str(SEVERAL_ACTIONS)
        seconds = time.perf_counter() - begun
        self._seconds.observe(seconds)
        self._count(request, decision)
        queue_id = attributes.get("queue_id", "")
        self._decision_log.note(Record(self._name, queue_id, request, decision, action, seconds))
        return encode_action(action)

    def _count(self, request: Request, decision: Decision) -> None:
        key = (request.protocol_state.value, outcome_of(decision))
        cell = self._counted.get(key)
        if cell is None:
            cell = self._counted[key] = self._metrics.counter(
                "maysend_decisions_total",
                "Decisions, by what they say.",
                listener=self._name,
                state=key[0],
                outcome=key[1],
            )
        cell.value += 1


def _request(attributes: Attributes) -> Request:
    try:
        return msgspec.convert(attributes, Request, strict=False)
    except msgspec.ValidationError:
        # An attribute without a value is one that is not known (SMTPD_POLICY_README).
        known = {name: value for name, value in attributes.items() if value}
    try:
        return msgspec.convert(known, Request, strict=False)
    except msgspec.ValidationError as problem:
        raise ValueError(f"a request that makes no sense: {problem}") from None
