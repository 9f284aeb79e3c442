"""The trace: what was asked and answered on the way to a decision, as data.

`explain`, the decision log and the golden tests render or compare these values; restrictions
never log.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mypy_extensions import mypyc_attr

from maysend.maincf.place import Place
from maysend.reply import Reply
from maysend.restrictions.outcomes import DUNNO


@dataclass
class Lookup:
    """One question to one table. `answer` is None where the key was not found."""

    table: str
    key: str
    answer: str | None = None
    error: str | None = None


@mypyc_attr(acyclic=True)
class Search:
    """Keys asked of one table in turn, up to the one that `answer` or `error` is about.

    What a search of many keys leaves behind is this one value, because most find nothing.
    """

    __slots__ = ("answer", "error", "keys", "table")

    def __init__(
        self,
        table: str,
        keys: Sequence[str],
        answer: str | None = None,
        error: str | None = None,
    ) -> None:
        self.table = table
        self.keys = keys
        self.answer = answer
        self.error = error

    def lookups(self) -> Iterator[Lookup]:
        """The questions one by one."""
        *earlier, last = self.keys
        for key in earlier:
            yield Lookup(self.table, key)
        yield Lookup(self.table, last, self.answer, self.error)


@mypyc_attr(acyclic=True)
class Step:
    """One restriction that was reached, in the order of evaluation.

    `depth` counts the restriction classes and access tables around it; `note` says in a few words
    what decided where that is not a lookup; `reply` is what it wanted to answer, also where
    `warn_if_reject` (`warned`), smtpd_observe_restrictions (`observed`) or a deferral kept it from
    being sent.
    """

    __slots__ = (
        "depth",
        "note",
        "observed",
        "outcome",
        "owner_maps",
        "place",
        "reply",
        "restriction",
        "searches",
        "stage",
        "warned",
    )

    def __init__(self, stage: str, restriction: str, place: Place, depth: int) -> None:
        self.stage = stage
        self.restriction = restriction
        self.place = place
        self.depth = depth
        self.outcome = DUNNO
        self.note = ""
        self.reply: Reply | None = None
        self.warned = False
        self.observed = False
        self.searches: tuple[Search, ...] = ()
        self.owner_maps: tuple[str, ...] = ()

    @property
    def lookups(self) -> list[Lookup]:
        """Every question to a table, in the order in which they were asked."""
        return [lookup for search in self.searches for lookup in search.lookups()]
