"""How often everything was exercised: a zero means that equality was not shown there."""

from collections import Counter
from collections.abc import Iterator

from maysend.cases.case import NOT_ASKED, OK
from maysend.restrictions.trace import Outcome, Step
from tests.differential.sessions.addresses import SHAPES
from tests.differential.sessions.compare import REFUSES_TO_START, Session
from tests.differential.sessions.configurations import CHECKS, CLASSES, PLAIN, UNUSUAL

DECIDED, PASSED = "decided", "passed by"
NEVER_PASSED = {"permit", "reject", "defer", "reject_plaintext_session", "reject_unknown_client"}
"""These decide whenever they are reached (nothing here speaks TLS)."""
NEVER_DECIDED = {
    "permit_inet_interfaces",  # it looks at the real socket, which XCLIENT does not change
    "defer_if_reject",  # it changes what another restriction answers
}
RARE = {"reject_unknown_client", "reject_invalid_hostname", "reject_non_fqdn_hostname"}
"""Old names of other restrictions: counted, but a zero is no failure."""
ACTIONS = ("WARN", "INFO", "HOLD", "FILTER", "PREPEND", "REDIRECT", "BCC", "DISCARD")
OUTCOMES = (
    OK,
    "5xx rejected",
    "4xx deferred",
    "451 4.3.0 lookup failure",
    "451 4.3.5 configuration error",
    "421 disconnected",
    "501 syntax",
    REFUSES_TO_START,
)


class Report:
    """Counts over many sessions."""

    def __init__(self) -> None:
        self.sessions = 0
        self.turns = 0
        self.outside_policy = 0
        self.restrictions: Counter[tuple[str, str]] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.stages: Counter[str] = Counter()
        self.actions: Counter[str] = Counter()
        self.shapes: Counter[str] = Counter()

    def add(self, session: Session) -> None:
        """Count one session."""
        self.sessions += 1
        self.outside_policy += session.outside_policy
        self.shapes.update(address.shape for address in session.addresses)
        for turn, live, ours in zip(session.case.turns, session.live, session.ours, strict=True):
            if live.reply == NOT_ASKED:
                continue
            self.turns += 1
            self.outcomes[_outcome(live.reply)] += 1
            if live.reply != OK:
                self.stages[turn.stage] += 1
            self.actions.update(action.split()[0] for action in ours.actions)
            for step in ours.steps:
                name = step.restriction.split(" ", 1)[0]
                self.restrictions[name, DECIDED if has_decided(step) else PASSED] += 1

    def join(self, other: "Report") -> None:
        """Add what another report counted."""
        self.sessions += other.sessions
        self.turns += other.turns
        self.outside_policy += other.outside_policy
        for name in ("restrictions", "outcomes", "stages", "actions", "shapes"):
            getattr(self, name).update(getattr(other, name))

    def never_exercised(self) -> list[str]:
        """What should have happened at least once and did not."""
        missing = [
            f"{restriction} {outcome}"
            for restriction, outcome in _wanted_restrictions()
            if not self.restrictions[restriction, outcome]
        ]
        missing += [f"outcome {outcome}" for outcome in OUTCOMES if not self.outcomes[outcome]]
        missing += [f"action {action}" for action in ACTIONS if not self.actions[action]]
        missing += [f"address {shape}" for shape in SHAPES if not self.shapes[shape]]
        return missing

    def __str__(self) -> str:
        lines = [
            f"{self.sessions} sessions, {self.turns} commands, "
            f"{self.outside_policy} ended outside policy"
        ]
        lines.append(f"{'restriction':46}{DECIDED:>12}{PASSED:>12}")
        unusual = [restriction.split()[0] for restriction in UNUSUAL]
        for name in (*PLAIN, *CHECKS, *CLASSES, *unusual):
            decided, passed = (self.restrictions[name, outcome] for outcome in (DECIDED, PASSED))
            lines.append(f"{name:46}{decided:>12}{passed:>12}")
        for title, counts in (
            ("outcome", self.outcomes),
            ("refused at", self.stages),
            ("action", self.actions),
            ("address", self.shapes),
        ):
            lines += [f"{title + ' ' + name:58}{counts[name]:>12}" for name in sorted(counts)]
        return "\n".join(lines)


def has_decided(step: Step) -> bool:
    """Whether a restriction had something to say, permitting or objecting."""
    return step.reply is not None or step.outcome is Outcome.OK


def _wanted_restrictions() -> Iterator[tuple[str, str]]:
    for name in (*PLAIN, *CHECKS, *CLASSES):
        if name in RARE:
            continue
        if name not in NEVER_DECIDED:
            yield name, DECIDED
        if name not in NEVER_PASSED:
            yield name, PASSED


def _outcome(reply: str) -> str:
    if reply in (OK, REFUSES_TO_START):
        return reply
    if reply.startswith("421"):
        return "421 disconnected"
    if reply.startswith("501 5.1."):
        return "501 syntax"
    if reply.startswith("451 4.3.0"):
        return "451 4.3.0 lookup failure"
    if reply.startswith("451 4.3.5"):
        return "451 4.3.5 configuration error"
    return "5xx rejected" if reply.startswith("5") else "4xx deferred"
