"""What a line of the decision log is made of; maysend.servers.decision_log writes it."""

from collections.abc import Sequence

import msgspec

from maysend.maincf import Place
from maysend.reply import Reply
from maysend.restrictions.outcome import Outcome


class Observed(msgspec.Struct, frozen=True, gc=False):
    """What smtpd_observe_restrictions let pass: the restriction, and what it would have said."""

    rule: str
    reply: str


class SearchLine(msgspec.Struct, frozen=True, gc=False):
    """What one table was asked; see maysend.restrictions.trace."""

    table: str
    keys: Sequence[str]
    answer: str | None
    error: str | None


class StepLine(msgspec.Struct, frozen=True, gc=False):
    """One restriction that was reached; see maysend.restrictions.trace."""

    stage: str
    restriction: str
    place: Place
    depth: int
    outcome: Outcome
    note: str
    reply: Reply | None
    warned: bool
    observed: bool
    searches: tuple[SearchLine, ...]
    owner_maps: tuple[str, ...]


class Line(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A line of the decision log, without the request's own fields, which come after these."""

    time: str
    listener: str
    outcome: str
    action: str
    seconds: float
    reply: str = ""
    rule: str = ""
    place: Place | None = None
    queue_id: str = ""
    observed: tuple[Observed, ...] = ()
    steps: tuple[StepLine, ...] = ()
