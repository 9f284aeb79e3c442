"""How the `directory:` tables answer: from memory while the directory is as it was, else afresh."""

from collections.abc import Callable
from typing import TypeAlias

from maysend.directory.errors import DirectoryError, DirectoryUnavailable
from maysend.directory.freshness import (
    LONGEST_KEY,
    Answer,
    AnswerCache,
    PolledVersion,
    VersionWatch,
)
from maysend.tables.remembering import Remembering
from maysend.tables.table import TableError

Find: TypeAlias = Callable[[str, str, str, float], Answer[str | None]]
"""What a table answers, by its name: the recipient delimiters, the key, seconds since 1970."""


class Answers:
    """What all tables of one directory share: the version watch and the answers kept.

    `find` asks the directory. `may_wait`: an answer that is not kept has to come from another host.
    """

    def __init__(
        self,
        find: Find,
        watch: VersionWatch | PolledVersion,
        now: Callable[[], float],
        *,
        may_wait: bool,
    ) -> None:
        self._find = find
        self._watch = watch
        self._now = now
        self.may_wait = may_wait
        self._cache: AnswerCache[str | None] = AnswerCache()

    def answer(self, name: str, delimiters: str, key: str) -> str | None:
        """What the table `name` says of `key`. DirectoryError where that is unknown."""
        place = (name, delimiters, key)
        kept = self._cache.get(place, self._watch.state(), self._now)
        if kept is None:
            kept = self._find(name, delimiters, key, self._now())
            if len(key) <= LONGEST_KEY:
                self._cache.put(place, kept)
        return kept.value

    def keeps(self, name: str, delimiters: str, key: str) -> bool:
        """Whether `answer` would not have to wait: the answer is kept, or can't be had now."""
        if not self._watch.answers_at_once():
            return False
        try:
            state = self._watch.state()
        except DirectoryUnavailable:
            return True
        return self._cache.get((name, delimiters, key), state, self._now) is not None

    def close(self) -> None:
        """Watch no more."""
        self._watch.close()


class DirectoryTable(Remembering):
    """One `directory:NAME` table; maysend.directory.tables says what it answers."""

    pattern = True

    def __init__(self, name: str, delimiters: str, answers: Answers) -> None:
        self.spec = f"directory:{name}"
        self._name = name
        self._delimiters = delimiters
        self._answers = answers
        self.blocking = answers.may_wait

    def remembers(self, key: str, /) -> bool:
        """Whether a lookup would not have to wait for a database on another host."""
        return self._answers.keeps(self._name, self._delimiters, key)

    def lookup(self, key: str, /) -> str | None:
        """The answer for `key`, None where there is none; TableError where that is unknown."""
        try:
            return self._answers.answer(self._name, self._delimiters, key)
        except DirectoryUnavailable as error:
            raise TableError(self.spec, str(error), "retry") from None
        except DirectoryError as error:
            raise TableError(self.spec, str(error), "config") from None
