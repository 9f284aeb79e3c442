"""What every lookup table is to the rest of the program, and how a table fails."""

from collections.abc import Callable, Mapping
from typing import Literal, Protocol, TypeAlias

import msgspec

from maysend.tables.sources import Sources

FailureKind: TypeAlias = Literal["retry", "config"]
Warn: TypeAlias = Callable[[str], None]
Tell: TypeAlias = Callable[[str, str], None]


class TableError(Exception):
    """A lookup that has no answer: never the same as "not found".

    `kind` is "retry" where the table may answer later (a server that is down, DICT_ERR_RETRY in
    Postfix) and "config" where somebody has to mend it (a missing file, an empty answer).
    """

    def __init__(self, table: str, reason: str, kind: FailureKind = "retry") -> None:
        super().__init__(f"{table}: {reason}")
        self.table = table
        self.reason = reason
        self.kind: FailureKind = kind


class LookupTable(Protocol):
    """One `type:name` table (DATABASE_README).

    Text is UTF-8, with surrogateescape for the bytes that are not.
    """

    @property
    def spec(self) -> str:
        """The table as written, "pcre:/etc/postfix/sender_overrides.cf"."""
        ...

    @property
    def pattern(self) -> bool:
        """Whether it is asked whole keys only, as regexp, pcre and cidr (access(5))."""
        ...

    @property
    def blocking(self) -> bool:
        """Whether a lookup may wait for a process or a host."""
        ...

    def lookup(self, key: str, /) -> str | None:
        """The answer for `key`, None where it is not found; TableError where that is unknown."""
        ...


def ignore(warning: str) -> None:
    """Nobody asked to hear of it."""


class TraceStep(msgspec.Struct, frozen=True):
    """One thing that a lookup did: `what` in one word ("query", "row"), and the `text` of it.

    `depth` counts the tables around the one that did it.
    """

    depth: int
    what: str
    text: str


class TableContext(msgspec.Struct, frozen=True, kw_only=True):
    """What a table needs to know when it is opened.

    `parameters` are main.cf's expanded values (default_database_type, smtputf8_enable,
    recipient_delimiter, …); `extra_types` are table types of higher floors by their name;
    `warn` is told what Postfix would log as a warning. `asked_by` says whose habits count: smtpd
    finds out that a table is broken when it asks it, and takes a text file with a repeated key for
    broken; postmap refuses to start with a broken table, and keeps the first entry of a key.
    `depth` counts the tables around this one (unionmap, pipemap, proxy). `substitutes` is off
    where a pattern's $number must not come from the key: Postfix skips such rules in
    transport_maps, for the key is the client's. An opener notes every file in `sources` before it
    reads it. `trace`, where it is set, is told what each lookup does, values and queries included,
    passwords not; such a table takes the slow way.
    """

    parameters: Mapping[str, str] = {}
    extra_types: Mapping[str, "Opener"] = {}
    warn: Warn = ignore
    asked_by: Literal["smtpd", "postmap"] = "smtpd"
    depth: int = 0
    substitutes: bool = True
    sources: Sources = msgspec.field(default_factory=Sources)
    trace: Callable[[TraceStep], None] | None = None

    @property
    def tell(self) -> Tell | None:
        """Tells `trace` of a step of this table: what, and its text. None where nobody listens."""
        trace, depth = self.trace, self.depth  # an opener's context counts the table itself
        if trace is None:
            return None
        return lambda what, text: trace(TraceStep(depth - 1, what, text))

    @property
    def utf8(self) -> bool:
        """Whether keys and values have to be valid UTF-8 (smtputf8_enable, on unless said)."""
        return self.parameters.get("smtputf8_enable", "yes").lower() == "yes"


Opener: TypeAlias = Callable[[str, TableContext], LookupTable]
"""Opens the table named by what follows `type:`; raises TableError where it can't."""
