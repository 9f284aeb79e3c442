"""What lint has to say: one finding, and the request that proves it."""

from enum import Enum

import msgspec

from maysend.maincf import Place


class Severity(Enum):
    """How bad a finding is. Only an error makes the exit status 1."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class CounterExample(msgspec.Struct, frozen=True, kw_only=True):
    """A request for which the policy answers what its author cannot want.

    `answer` is what the policy was seen to say to it: "permitted", or the reply's text.
    """

    login: str = ""
    sender: str = ""
    recipient: str = ""
    client_address: str = ""
    helo_name: str = ""
    answer: str


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule found: where, what is written there, why it is bad, and what to write instead.

    `place` and `written` give the columns that are marked. `message` is one sentence. `fix` is
    text to paste, "" where there is none. `possible` says that it could not be proved: then it
    never counts as an error. `severity` is set where it is not the rule's usual one.
    """

    place: Place
    written: str
    message: str
    fix: str = ""
    example: CounterExample | None = None
    possible: bool = False
    severity: Severity | None = None


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A problem with the rule that found it and the services of master.cf that it concerns.

    `services` is empty where master.cf is not there to say.
    """

    code: str
    name: str
    severity: Severity
    problem: Problem
    services: tuple[str, ...] = ()

    @property
    def is_error(self) -> bool:
        """Whether the exit status has to tell of it."""
        return self.severity is Severity.ERROR

    @property
    def end_column(self) -> int:
        """The column behind the marked text, on the line where it begins."""
        first_line = self.problem.written.partition("\n")[0]
        return self.problem.place.column + max(len(first_line), 1)
