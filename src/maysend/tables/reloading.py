"""What is read from files, read again when they change.

smtpd ends when it notices that a table has changed, and the next process opens it anew. Here the
new version takes the place of the old one while lookups go on: see docs/design/reloading.md.
"""

from collections.abc import Callable, Sequence
from threading import Lock, Thread
from time import monotonic
from typing import Generic, TypeAlias, TypeVar

from maysend.tables.fixed_strings import Keeping, Lacking, lacks_of
from maysend.tables.sources import Sources
from maysend.tables.table import LookupTable, TableError, Warn
from maysend.tables.text import CheckedTable
from maysend.tables.unavailable import UnavailableTable

T = TypeVar("T")
Read: TypeAlias = Callable[[Sources, Warn], T]

LOOK_INTERVAL = 0.5
"""Seconds between two looks at the files, so that a lookup costs no system call."""

_PATIENCE = 1.0
"""Seconds for which a file that goes on changing is left alone."""

_QUICK = 0.05
"""Seconds that a lookup waits for the new version, before it answers by the old one."""

_AGAIN = 10.0
"""Seconds until a version that could not be read is tried again, although it has not changed."""


class Reloading(Generic[T]):
    """The `value` that `read` makes of files, all of which it notes in its `sources`.

    `read` raises TableError for files that can't be used: the value before is kept, and `warn` is
    told, once a version.
    """

    def __init__(self, value: T, sources: Sources, read: "Read[T]", warn: Warn) -> None:
        self.value = value
        self._sources = sources
        self._read = read
        self._warn = warn
        self._looking = Lock()
        self._due = monotonic() + LOOK_INTERVAL
        self._noticed: float | None = None
        self._reading: Thread | None = None
        self._retry_at = float("inf")
        self._failure = ""

    def now(self) -> T:
        """The value as of at most two seconds ago."""
        if monotonic() >= self._due:
            self.look()
        return self.value

    def look(self) -> None:
        """Look at the files, and read them where they have changed and are not being written.

        That happens in a thread of its own. While lookups are frequent they go on with the old
        value; one that comes after a pause waits, because what it has may be old by hours.
        """
        paused = monotonic() - self._due > LOOK_INTERVAL
        if not self._looking.acquire(blocking=paused):
            return
        try:
            now = monotonic()
            if now < self._due:
                return
            if self._reading is None and self._wanted(now):
                self._reading = Thread(target=self._read_again, args=(now,), daemon=True)
                self._reading.start()
            if self._reading is not None:
                self._reading.join(None if paused else _QUICK)
                if not self._reading.is_alive():
                    self._reading = None
            self._due = monotonic() + LOOK_INTERVAL
        finally:
            self._looking.release()

    def replace(self, value: T) -> None:
        """Answer by `value` from now on."""
        self.value = value

    def failed(self, error: TableError) -> None:
        """Go on without the new version, which can't be used."""
        self._warn(f"{error}; the version before is still used")

    def _wanted(self, now: float) -> bool:
        if not self._sources.changed():
            self._noticed = None
            return now >= self._retry_at
        if self._noticed is None:
            self._noticed = now
        return self._sources.settled() or now - self._noticed >= _PATIENCE

    def _read_again(self, now: float) -> None:
        sources = Sources()
        warnings = HeldWarnings(self._warn)
        try:
            value = self._read(sources, warnings)
        except TableError as error:
            sources.mind_all()  # nobody reads these files now
            self._sources, self._noticed = sources, None
            self._retry_at = now + _AGAIN
            if str(error) != self._failure:
                self._failure = str(error)
                warnings.release()
                self.failed(error)
            return
        if sources.changed() and self._noticed is not None and now - self._noticed < _PATIENCE:
            return  # somebody wrote to a file while it was read: what was read may be half of it
        self._sources, self._noticed = sources, None
        self._retry_at, self._failure = float("inf"), ""
        warnings.release()
        self.replace(value)


class HeldWarnings:
    """Keeps warnings back until it is known that a new version counts; then passes them on."""

    def __init__(self, warn: Warn) -> None:
        self._warn = warn
        self._held: list[str] | None = []

    def __call__(self, warning: str) -> None:
        """Take one."""
        if self._held is None:
            self._warn(warning)
        else:
            self._held.append(warning)

    def release(self) -> None:
        """Tell what was kept back, and from now on everything."""
        held, self._held = self._held or [], None
        for warning in held:
            self._warn(warning)


class FileTable(Reloading[LookupTable], Lacking):
    """A table that is read from files, as they are now."""

    def __init__(
        self, table: LookupTable, sources: Sources, read: "Read[LookupTable]", warn: Warn
    ) -> None:
        super().__init__(table, sources, read, warn)
        self.spec = table.spec
        self.lacks = self._lacks_now
        self._answer_by(table)

    @property
    def table(self) -> LookupTable:
        """The version that answers now."""
        return self.value

    def lookup(self, key: str, /) -> str | None:
        """The answer for `key`, None where it is not found; TableError where that is unknown."""
        if monotonic() >= self._due:
            self.look()
        keeping = self._keeping
        if keeping is not None and key and key.isascii():
            # In short what the tables inside do: each call in between costs a tenth of the time.
            outdated, entries, _needed = keeping.kept
            if not outdated():
                answer = entries.get(key.lower())
                if answer is None or answer.isascii():
                    return answer
        return self._ask(key)

    def _lacks_now(self, keys: Sequence[str], /) -> bool:
        if monotonic() >= self._due:
            self.look()
        return self._lacks(keys)

    def look(self) -> None:
        """Look at the files, also for what is not a new version of them."""
        super().look()
        keeping = self._keeping
        if keeping is not None:
            keeping.look()

    def replace(self, value: LookupTable) -> None:
        """Answer by `value` from now on: one assignment decides, so no lookup sees half of it."""
        super().replace(value)
        self._answer_by(value)

    def failed(self, error: TableError) -> None:
        """Keep the version before; where there has been none, the error is the new one."""
        if not isinstance(self.value, UnavailableTable):
            return super().failed(error)
        if self.value.reason != error.reason:
            self._warn(str(error))
            self.replace(UnavailableTable(self.spec, error.reason))
        return None

    def _answer_by(self, table: LookupTable) -> None:
        self.pattern = table.pattern
        self.blocking = table.blocking
        self._ask = table.lookup
        self._lacks = lacks_of(table)
        inside = table.table if isinstance(table, CheckedTable) else None
        self._keeping = inside if isinstance(inside, Keeping) else None
