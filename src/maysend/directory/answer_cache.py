"""Answers of one `directory:` table that are kept for as long as the directory stays as it was.

Most are None, and nearly all hold until the directory changes: those are kept as they are, so that
an answer for each of many thousand accounts touches little memory.
"""

import sys
from collections.abc import Callable
from threading import Lock
from typing import Final

from maysend.directory.database import State

MOST_ANSWERS: Final = 50_000
"""Answers that are kept of one table; those that were not asked for lately go first."""

LONGEST_KEY: Final = 512
"""Characters of a key whose answer is kept: long junk must not fill the memory."""


class Answer:
    """What was found, in which state, and until when it holds (seconds since 1970)."""

    __slots__ = ("state", "until", "value")

    def __init__(self, value: str | None, state: State, until: float | None) -> None:
        self.value = value
        self.state = state
        self.until = until


class _Kept:
    """The answers of one state: those asked for lately, and earlier ones."""

    __slots__ = ("earlier", "recent", "state")

    def __init__(self, state: State | None) -> None:
        self.state = state
        self.recent: dict[str, object] = {}
        self.earlier: dict[str, object] = {}


_NOT_KEPT: Final = object()


class AnswerCache:
    """A bounded number of answers, each good for the state that it was found in.

    They are forgotten when another state is met: a number that comes again after a database was
    restored or a replica took over must not bring old answers back. Threads may share it: what one
    of them reads is of one state, because another state has other dictionaries.
    """

    def __init__(self, most: int = MOST_ANSWERS) -> None:
        self._most_recent = max(1, most // 2)
        self._kept = _Kept(None)
        self._lock = Lock()

    def lookup(self, key: str, state: State, now: Callable[[], float]) -> str | None:
        """The answer kept for `key`. Raises KeyError where none holds in `state` and at `now`."""
        kept = self._kept
        if state is not kept.state:
            if state == kept.state:
                kept.state = state  # the same, read anew: not to be compared each time
            else:
                kept = self._kept = _Kept(state)
        answer = kept.recent.get(key, _NOT_KEPT)
        if answer is _NOT_KEPT:
            answer = kept.earlier[key]
            self._keep(kept, key, answer)
        if answer is None or isinstance(answer, str):
            return answer
        assert isinstance(answer, Answer)
        if answer.until is not None and answer.until <= now():
            raise KeyError(key)
        return answer.value

    def put(self, key: str, answer: Answer) -> None:
        """Keep `answer`, unless its key is very long."""
        if len(key) > LONGEST_KEY:
            return
        kept = self._kept
        if answer.state != kept.state:
            kept = self._kept = _Kept(answer.state)
        # All tables of a directory keep the same text for a key, which is then read only once.
        self._keep(kept, sys.intern(str(key)), answer.value if answer.until is None else answer)

    def _keep(self, kept: _Kept, key: str, answer: object) -> None:
        with self._lock:
            if len(kept.recent) >= self._most_recent:
                kept.earlier, kept.recent = kept.recent, {}
            kept.recent[key] = answer

    def __len__(self) -> int:
        return len(self._kept.recent.keys() | self._kept.earlier.keys())
