"""Whether what a worker remembers of the directory still holds (DESIGN.md, "Hot path").

The version row is read at most every 250 ms. Where no read succeeded for one second, nobody knows
whether a login was suspended meanwhile: then there is no answer, remembered or not.
"""

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

from maysend.directory.database import State
from maysend.directory.errors import DirectoryUnavailable

CHECK_INTERVAL = 0.25
"""Seconds between two reads of the version row."""

PATIENCE = 1.0
"""Seconds that the last successful read is trusted for."""

MOST_ANSWERS = 100_000
"""Answers that are kept; the oldest goes first."""

LONGEST_KEY = 512
"""Characters of a key whose answer is kept: long junk must not fill the memory."""

AnswerType = TypeVar("AnswerType")


class VersionWatch:
    """The state of the directory, at most CHECK_INTERVAL old.

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


class Answer(Generic[AnswerType]):
    """What was found, in which state, and until when it holds (seconds since 1970)."""

    __slots__ = ("state", "until", "value")

    def __init__(self, value: AnswerType, state: State, until: float | None) -> None:
        self.value = value
        self.state = state
        self.until = until


class AnswerCache(Generic[AnswerType]):
    """A bounded number of answers, each good for the state that it was found in."""

    def __init__(self, most: int = MOST_ANSWERS) -> None:
        self._most = most
        self._answers: dict[Hashable, Answer[AnswerType]] = {}
        self._lock = Lock()

    def get(self, key: Hashable, state: State, now: float) -> Answer[AnswerType] | None:
        """The answer kept for `key` if it holds in `state` at `now`."""
        answer = self._answers.get(key)
        if answer is None or answer.state != state:
            return None
        if answer.until is not None and answer.until <= now:
            return None
        return answer

    def put(self, key: Hashable, answer: Answer[AnswerType]) -> None:
        """Keep `answer`, in place of the oldest where there are too many."""
        with self._lock:
            self._answers.pop(key, None)
            if len(self._answers) >= self._most:
                del self._answers[next(iter(self._answers))]
            self._answers[key] = answer

    def __len__(self) -> int:
        return len(self._answers)
