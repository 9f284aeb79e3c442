"""What was exercised in many sessions, beside the restrictions: replies, stages, addresses."""

from collections import Counter
from collections.abc import Sequence

import msgspec

from maysend.cases.case import NOT_ASKED, OK
from tests.differential.sessions.compare import REFUSES_TO_START, Session
from tests.differential.sessions.outcomes import Outcomes


class Coverage(msgspec.Struct, frozen=True):
    """What has to be exercised at least once."""

    restrictions: Sequence[str]
    also_counted: Sequence[str] = ()
    outcomes: Sequence[str] = ()
    actions: Sequence[str] = ()
    shapes: Sequence[str] = ()


class Report:
    """Counts over many sessions."""

    def __init__(self, coverage: Coverage) -> None:
        self._coverage = coverage
        self.sessions = 0
        self.turns = 0
        self.outside_policy = 0
        self.remembering = 0
        self.restrictions = Outcomes(coverage.restrictions)
        self.others = Outcomes(coverage.also_counted)
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
            self.restrictions.add(ours.steps)
            self.others.add(ours.steps)

    def join(self, other: "Report") -> None:
        """Add what another report counted."""
        self.sessions += other.sessions
        self.turns += other.turns
        self.outside_policy += other.outside_policy
        self.remembering += other.remembering
        self.restrictions.join(other.restrictions)
        self.others.join(other.others)
        for name in ("outcomes", "stages", "actions", "shapes"):
            getattr(self, name).update(getattr(other, name))

    def never_exercised(self) -> list[str]:
        """What should have happened at least once and did not."""
        wanted = self._coverage
        missing = self.restrictions.never_exercised()
        missing += [
            f"outcome {outcome}" for outcome in wanted.outcomes if not self.outcomes[outcome]
        ]
        missing += [f"action {action}" for action in wanted.actions if not self.actions[action]]
        missing += [f"address {shape}" for shape in wanted.shapes if not self.shapes[shape]]
        return missing

    def __str__(self) -> str:
        lines = [
            f"{self.sessions} sessions, {self.turns} commands, "
            f"{self.outside_policy} ended outside policy, "
            f"{self.remembering} by a smtpd that remembered an earlier client",
            str(self.restrictions),
            *str(self.others).splitlines()[1:],
        ]
        for title, counts in (
            ("outcome", self.outcomes),
            ("refused at", self.stages),
            ("action", self.actions),
            ("address", self.shapes),
        ):
            lines += [f"{title + ' ' + name:68}{counts[name]:>12}" for name in sorted(counts)]
        return "\n".join(lines)


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
