"""Why a decision came out as it did: its steps, what was never asked, and a fix that was tried."""

from collections.abc import Callable, Mapping

import msgspec

from maysend.address import fold
from maysend.policy.decision import Decision
from maysend.policy.policy import Policy
from maysend.policy.request import Request
from maysend.restrictions.address_lookup import find, owner_keys
from maysend.restrictions.evaluation import Evaluation
from maysend.restrictions.sender_login import split_owners
from maysend.restrictions.trace import Lookup, Step
from maysend.tables import TableError

LOGIN_MAPS = "smtpd_sender_login_maps"


class Fix(msgspec.Struct, frozen=True):
    """A change of one parameter under which the same request is permitted."""

    parameter: str
    value: str


class Explanation(msgspec.Struct, frozen=True):
    """A decision with what an administrator needs to understand it.

    `never_asked` are lookups that an earlier answer made unnecessary, with what they would have
    said; `would_own` are those of them that name the login.
    """

    request: Request
    decision: Decision
    never_asked: Mapping[int, tuple[Lookup, ...]]
    fix: Fix | None = None

    def would_own(self) -> list[Lookup]:
        """The lookups never asked that name the login as an owner."""
        login = fold(self.request.sasl_username)
        return [
            lookup
            for lookups in self.never_asked.values()
            for lookup in lookups
            if lookup.answer and login in map(fold, split_owners(lookup.answer))
        ]


def explain(
    policy: Policy, request: Request, policy_with: Callable[[Mapping[str, str]], Policy]
) -> Explanation:
    """Decide, and find out what the decision did not have to ask.

    `policy_with` gives the same policy with other values of some parameters: a fix is proposed
    only after the same request was permitted with it.
    """
    decision = policy.decide(request)
    never_asked = {
        index: tuple(_never_asked(policy, request, step))
        for index, step in enumerate(decision.steps)
        if step.owner_maps
    }
    explanation = Explanation(request, decision, never_asked)
    if decision.is_permitted or not explanation.would_own():
        return explanation
    return msgspec.structs.replace(explanation, fix=_fix(policy, request, policy_with))


def _never_asked(policy: Policy, request: Request, step: Step) -> list[Lookup]:
    """Ask every table of the owner maps for every key that the search did not come to."""
    dialogue = policy.session(client_address=request.client_address).dialogue
    evaluation = Evaluation(policy.stages.rules, dialogue)
    address = evaluation.resolved(request.sender).address
    asked = {(lookup.table, lookup.key) for lookup in step.lookups}
    lookups = []
    try:
        keys = list(owner_keys(policy.site, evaluation.lookup, address))
    except TableError:
        return []
    for spec in step.owner_maps:
        table = policy.site.table(spec)
        for key in keys:
            if (spec, key[0]) in asked or (key[1] and table.pattern):
                continue
            lookup = Lookup(spec, key[0])
            try:
                lookup.answer = find(evaluation.lookup, (table,), key)
            except TableError as error:
                lookup.error = error.reason
            lookups.append(lookup)
    return lookups


def _fix(
    policy: Policy, request: Request, policy_with: Callable[[Mapping[str, str]], Policy]
) -> Fix | None:
    """The login maps as one union, if that permits the request: every owner is then seen."""
    specs = [table.spec for table in policy.site.tables(LOGIN_MAPS)]
    if len(specs) < 2:
        return None
    union = f"unionmap:{{ {', '.join(specs)} }}"
    repaired = policy_with({LOGIN_MAPS: union}).decide(request)
    return Fix(LOGIN_MAPS, union) if repaired.is_permitted else None
