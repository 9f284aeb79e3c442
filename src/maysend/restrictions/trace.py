"""The trace: what was asked and answered on the way to a decision, as data.

`explain`, the decision log and the golden tests render or compare these values; restrictions
never log.
"""

from collections.abc import Iterator, Sequence
from enum import Enum

import msgspec

from maysend.maincf.place import Place
from maysend.reply import Reply


class Outcome(Enum):
    """What one restriction says (postconf(5), "smtpd_recipient_restrictions")."""

    DUNNO = "dunno"
    """It has nothing to say: the next one is asked."""
    OK = "permit"
    """It permits, which ends this stage's list."""
    REJECT = "reject"
    """It refuses, for good or for now."""


DUNNO, OK, REJECT = Outcome.DUNNO, Outcome.OK, Outcome.REJECT
"""The outcomes by short names: Python 3.11 takes long to find a member in its Enum."""


class Lookup(msgspec.Struct, gc=False):
    """One question to one table. `answer` is None where the key was not found."""

    table: str
    key: str
    answer: str | None = None
    error: str | None = None


class Search(msgspec.Struct, gc=False):
    """Keys asked of one table in turn, up to the one that `answer` or `error` is about.

    What a search of many keys leaves behind is this one value, because most find nothing.
    """

    table: str
    keys: Sequence[str]
    answer: str | None = None
    error: str | None = None

    def lookups(self) -> Iterator[Lookup]:
        """The questions one by one."""
        *earlier, last = self.keys
        for key in earlier:
            yield Lookup(self.table, key)
        yield Lookup(self.table, last, self.answer, self.error)


class Step(msgspec.Struct, gc=False):
    """One restriction that was reached, in the order of evaluation.

    `depth` counts the restriction classes and access tables around it; `note` says in a few words
    what decided where that is not a lookup; `reply` is what it wanted to answer, also where
    `warn_if_reject` (`warned`), smtpd_observe_restrictions (`observed`) or a deferral kept it from
    being sent.
    """

    stage: str
    restriction: str
    place: Place
    depth: int
    outcome: Outcome = DUNNO
    note: str = ""
    reply: Reply | None = None
    warned: bool = False
    observed: bool = False
    searches: list[Search] = []
    owner_maps: tuple[str, ...] = ()

    @property
    def lookups(self) -> list[Lookup]:
        """Every question to a table, in the order in which they were asked."""
        return [lookup for search in self.searches for lookup in search.lookups()]


class Action(msgspec.Struct, frozen=True, gc=False):
    """Something else than an answer that a table asked for (access(5), "OTHER ACTIONS")."""

    name: str
    argument: str = ""
