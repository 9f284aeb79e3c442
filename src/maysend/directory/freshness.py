"""Whether what a worker remembers of the directory still holds (DESIGN.md, "Hot path").

The version row is read at most every 250 ms. Where no read succeeded for one second, nobody knows
whether a login was suspended meanwhile: then there is no answer, remembered or not.
"""

from collections.abc import Callable
from functools import partial
from threading import Condition, Lock, Thread
from typing import Final

from maysend.directory.database import State
from maysend.directory.errors import DirectoryUnavailable

CHECK_INTERVAL: Final = 0.25
"""Seconds between two reads of the version row."""

PATIENCE: Final = 1.0
"""Seconds that the last successful read is trusted for."""


class VersionWatch:
    """For a database that answers at once: whoever asks reads it, when it is time.

    The state of the directory, at most CHECK_INTERVAL old.

    `read` names it and raises DirectoryUnavailable; `clock` is in seconds and never goes back.
    """

    def __init__(self, read: Callable[[], State], clock: Callable[[], float]) -> None:
        self._read = read
        self._clock = clock
        self._lock = Lock()
        self._state: State | None = None
        self._read_at = float("-inf")
        self._tried_at = float("-inf")
        self._failure = "the directory was never read"

    def state(self) -> State:
        """The state now. DirectoryUnavailable where PATIENCE has run out."""
        now = self._clock()
        if now - self._tried_at >= CHECK_INTERVAL:
            # While one thread asks a slow database the others go by what is known.
            known = self._state is not None and now - self._read_at <= PATIENCE
            if self._lock.acquire(blocking=not known):
                try:
                    self._try(now)
                finally:
                    self._lock.release()
        if self._state is None or now - self._read_at > PATIENCE:
            raise DirectoryUnavailable(self._failure)
        return self._state

    def answers_at_once(self) -> bool:
        """Whoever asks reads a file."""
        return True

    def forget(self) -> None:
        """Read it again at the next question."""
        self._tried_at = float("-inf")

    def close(self) -> None:
        """Nothing runs that would have to end."""

    def _try(self, now: float) -> None:
        if now - self._tried_at < CHECK_INTERVAL:
            return  # another thread did while this one waited for the lock
        try:
            state = self._read()
        except DirectoryUnavailable as error:
            self._failure = str(error)
        else:
            # What was read may be as old as the question.
            self._state, self._read_at = state, now
        # Last, so that a thread which knows nothing yet waits for the lock instead of failing.
        self._tried_at = now


class PolledVersion:
    """For a database on another host: a thread of its own reads it, so that nobody else waits.

    `read` names the state and gives up by itself in less than PATIENCE; `clock` is in seconds and
    never goes back. The thread begins with the first question, not before a worker forks.
    """

    def __init__(self, read: Callable[[], State], clock: Callable[[], float]) -> None:
        self._read = read
        self._clock = clock
        self._changed = Condition()
        self._poller: Thread | None = None
        self._closed = False
        self._asked = 0
        self._has_failed = False
        self._known: tuple[State, float] | None = None
        self._failure = "the directory was never read"

    def state(self) -> State:
        """The state now. DirectoryUnavailable where PATIENCE has run out."""
        known = self._known
        if known is None:
            known = self._next_reading()
        if known is None or self._clock() - known[1] > PATIENCE:
            raise DirectoryUnavailable(self._failure)
        return known[0]

    def answers_at_once(self) -> bool:
        """Whether there was a reading, however old."""
        return self._known is not None

    def forget(self) -> None:
        """Read it again at once."""
        with self._changed:
            self._asked += 1
            self._known = None
            self._has_failed = False
            self._changed.notify_all()

    def close(self) -> None:
        """Let the thread end."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _next_reading(self) -> tuple[State, float] | None:
        with self._changed:
            if self._poller is None and not self._closed:
                self._poller = Thread(target=self._poll, name="directory version", daemon=True)
                self._poller.start()
            self._changed.wait_for(self._is_over, PATIENCE)
            return self._known

    def _is_over(self) -> bool:
        """Whether nobody need wait for a reading: it is there, or it failed."""
        return self._known is not None or self._has_failed or self._closed

    def _poll(self) -> None:
        while not self._closed:
            began, asked = self._clock(), self._asked
            self._learn(self._reading(), began, asked)

    def _learn(self, reading: State | None, began: float, asked: int) -> None:
        """Take what was read, unless a change came meanwhile, and wait for the next time."""
        with self._changed:
            if self._asked != asked:
                return  # it was begun before a change that it may not show
            if reading is not None:
                # What was read may be as old as the question.
                self._known = reading, began
            self._has_failed = reading is None
            self._changed.notify_all()
            self._changed.wait_for(
                partial(self._is_wanted_again, asked),
                max(0.0, CHECK_INTERVAL - (self._clock() - began)),
            )

    def _is_wanted_again(self, asked: int) -> bool:
        return self._closed or self._asked != asked

    def _reading(self) -> State | None:
        try:
            return self._read()
        except DirectoryUnavailable as error:
            self._failure = str(error)
        except Exception as error:
            # A thread that died unseen would refuse everybody until a restart.
            self._failure = type(error).__name__
        return None
