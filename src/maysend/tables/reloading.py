"""What is read from files, read again when they change.

smtpd ends when it notices that a table has changed, and the next process opens it anew. Here the
new version takes the place of the old one while lookups go on: see docs/design/reloading.md.
"""

from collections.abc import Callable
from threading import Lock, Thread
from time import monotonic
from typing import Final, Generic, TypeAlias, TypeVar

from maysend.tables.sources import Sources
from maysend.tables.table import TableError, Warn

T = TypeVar("T")
Read: TypeAlias = Callable[[Sources, Warn], T]

LOOK_INTERVAL: Final = 0.5
"""Seconds between two looks at the files, so that a lookup costs no system call."""

_PATIENCE: Final = 1.0
"""Seconds for which a file that goes on changing is left alone."""

_QUICK: Final = 0.05
"""Seconds that a lookup waits for the new version, before it answers by the old one."""

_AGAIN: Final = 10.0
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
        self.due = monotonic() + LOOK_INTERVAL
        self._noticed: float | None = None
        self._reading: Thread | None = None
        self._retry_at = float("inf")
        self._failure = ""

    def now(self) -> T:
        """The value as of at most two seconds ago."""
        if monotonic() >= self.due:
            self.look()
        return self.value

    def look(self) -> None:
        """Look at the files, and read them where they have changed and are not being written.

        That happens in a thread of its own. While lookups are frequent they go on with the old
        value; one that comes after a pause waits, because what it has may be old by hours.
        """
        paused = monotonic() - self.due > LOOK_INTERVAL
        if not self._looking.acquire(blocking=paused):
            return
        try:
            now = monotonic()
            if now < self.due:
                return
            if self._reading is None and self._wanted(now):
                self._reading = Thread(target=self._read_again, args=(now,), daemon=True)
                self._reading.start()
            if self._reading is not None:
                self._reading.join(None if paused else _QUICK)
                if not self._reading.is_alive():
                    self._reading = None
            self.due = monotonic() + LOOK_INTERVAL
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
