"""Why a decision came out as it did: its steps, what was never asked, and a fix that was tried."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from maysend.header import Field
from maysend.policy.decision import Decision
from maysend.policy.policy import Policy
from maysend.policy.request import ProtocolState, Request
from maysend.restrictions.address_lookup import find, owner_keys
from maysend.restrictions.evaluation import Evaluation
from maysend.restrictions.sender_login import is_owner
from maysend.restrictions.trace import Lookup, Step
from maysend.tables import TableError

LOGIN_MAPS = "smtpd_sender_login_maps"


class Fix(msgspec.Struct, frozen=True):
    """A change of one parameter under which the same request is permitted."""

    parameter: str
    value: str


class Explanation(msgspec.Struct, frozen=True):
    """The decision on one command, with what an administrator needs to understand it.

    `never_asked` are lookups that an earlier answer made unnecessary, with what they would have
    said; `would_own` are those of them that name the login.
    """

    command: str
    request: Request
    decision: Decision
    never_asked: Mapping[int, tuple[Lookup, ...]]
    fix: Fix | None = None

    def would_own(self) -> list[Lookup]:
        """The lookups never asked that name the login as an owner."""
        login = self.request.sasl_username
        return [
            lookup
            for lookups in self.never_asked.values()
            for lookup in lookups
            if lookup.answer and is_owner(login, lookup.answer)
        ]


def explain(
    policy: Policy,
    request: Request,
    policy_with: Callable[[Mapping[str, str]], Policy],
    recipients: Sequence[str] = (),
    header: Sequence[Field] | None = None,
) -> tuple[Explanation, ...]:
    """Hold the dialogue up to the request's state, and explain the answer to each command.

    `recipients` are those of the dialogue, the one of the request where there are none. Nothing is
    asked after a refusal, but that of one recipient. `header` says who the message is from, where
    that is known; one with UTF-8 comes with SMTPUTF8. `policy_with` gives the same policy with
    other values of some parameters: a fix is proposed only after the same request was permitted
    with it.
    """
    return tuple(
        _explained(policy, command, asked, decision, policy_with)
        for command, asked, decision in _dialogue(policy, request, recipients, header)
    )


def _dialogue(
    policy: Policy, request: Request, recipients: Sequence[str], header: Sequence[Field] | None
) -> Iterator[tuple[str, Request, Decision]]:
    """Each command with its request and the policy's decision."""
    last = request.protocol_state
    session = policy.session_of(request)

    def asked(state: ProtocolState, **facts: str | int) -> Request:
        return msgspec.structs.replace(request, protocol_state=state, **facts)

    decision = session.connect()
    yield "CONNECT", asked(ProtocolState.CONNECT, **_BEFORE_MAIL), decision
    if last is ProtocolState.CONNECT or not decision.is_permitted:
        return
    if request.helo_name:
        decision = session.helo(request.helo_name)
        yield f"EHLO {request.helo_name}", asked(ProtocolState.EHLO, **_BEFORE_MAIL), decision
    if last in (ProtocolState.HELO, ProtocolState.EHLO) or not decision.is_permitted:
        return
    if last is ProtocolState.ETRN:
        decision = session.etrn(request.etrn_domain)
        yield f"ETRN {request.etrn_domain}", asked(last, **_BEFORE_MAIL), decision
        return
    smtputf8 = not all(field.value.isascii() for field in header or ())
    decision = session.mail(request.sender, smtputf8=smtputf8)
    yield f"MAIL FROM:<{request.sender}>", asked(ProtocolState.MAIL, recipient=""), decision
    if last is ProtocolState.MAIL or not decision.is_permitted:
        return
    accepted: list[str] = []
    for recipient in recipients or (request.recipient,):
        facts = asked(ProtocolState.RCPT, recipient=recipient, recipient_count=len(accepted))
        decision = session.rcpt(recipient)
        yield f"RCPT TO:<{recipient}>", facts, decision
        if decision.disconnect:
            return
        if decision.is_permitted:
            accepted.append(recipient)
    if last is ProtocolState.RCPT or not accepted:
        return
    # One recipient's name would mislead where the answer is for all of them (SMTPD_POLICY_README).
    only = accepted[0] if len(accepted) == 1 else ""
    decision = session.data()
    yield (
        "DATA",
        asked(ProtocolState.DATA, recipient=only, recipient_count=len(accepted)),
        decision,
    )
    if last is ProtocolState.DATA or not decision.is_permitted:
        return
    facts = asked(ProtocolState.END_OF_MESSAGE, recipient=only, recipient_count=len(accepted))
    yield "end of data", facts, session.end_of_data(header)


_BEFORE_MAIL = {"sender": "", "recipient": ""}


def _explained(
    policy: Policy,
    command: str,
    request: Request,
    decision: Decision,
    policy_with: Callable[[Mapping[str, str]], Policy],
) -> Explanation:
    """Find out what the decision did not have to ask, and what would have changed it."""
    never_asked = {
        index: tuple(_never_asked(policy, request, step))
        for index, step in enumerate(decision.steps)
        if step.owner_maps
    }
    explanation = Explanation(command, request, decision, never_asked)
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
