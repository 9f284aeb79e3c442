"""How the `directory:` tables answer: from memory while the directory is as it was, else afresh."""

from collections.abc import Callable
from typing import TypeAlias

from maysend.directory.answer_cache import Answer, AnswerCache
from maysend.directory.errors import DirectoryError, DirectoryUnavailable
from maysend.directory.freshness import PolledVersion, VersionWatch
from maysend.tables.remembering import Remembering
from maysend.tables.table import TableError

Find: TypeAlias = Callable[[str, str, str, float], Answer]
"""What a table answers, by its name: the recipient delimiters, the key, seconds since 1970."""


class TableAnswers:
    """The answers of one table of a directory; see `Answers`."""

    def __init__(
        self,
        name: str,
        delimiters: str,
        find: Find,
        watch: VersionWatch | PolledVersion,
        now: Callable[[], float],
    ) -> None:
        self._name = name
        self._delimiters = delimiters
        self._find = find
        self._watch = watch
        self._now = now
        self._cache = AnswerCache()

    def answer(self, key: str) -> str | None:
        """What the table says of `key`. DirectoryError where that is unknown."""
        try:
            return self._cache.lookup(key, self._watch.state(), self._now)
        except KeyError:
            found = self._find(self._name, self._delimiters, key, self._now())
            self._cache.put(key, found)
            return found.value

    def keeps(self, key: str) -> bool:
        """Whether `answer` would not have to wait: the answer is kept, or can't be had now."""
        if not self._watch.answers_at_once():
            return False
        try:
            self._cache.lookup(key, self._watch.state(), self._now)
        except DirectoryUnavailable:
            return True
        except KeyError:
            return False
        return True


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
        self._tables: dict[tuple[str, str], TableAnswers] = {}

    def of_table(self, name: str, delimiters: str) -> TableAnswers:
        """The answers of one table, which all who open it share."""
        answers = self._tables.get((name, delimiters))
        if answers is None:
            answers = TableAnswers(name, delimiters, self._find, self._watch, self._now)
            self._tables[name, delimiters] = answers
        return answers

    def close(self) -> None:
        """Watch no more."""
        self._watch.close()


class DirectoryTable(Remembering):
    """One `directory:NAME` table; maysend.directory.tables says what it answers."""

    pattern = True

    def __init__(self, name: str, delimiters: str, answers: Answers) -> None:
        self.spec = f"directory:{name}"
        self._answers = answers.of_table(name, delimiters)
        self.blocking = answers.may_wait

    def remembers(self, key: str, /) -> bool:
        """Whether a lookup would not have to wait for a database on another host."""
        return self._answers.keeps(key)

    def lookup(self, key: str, /) -> str | None:
        """The answer for `key`, None where there is none; TableError where that is unknown."""
        try:
            return self._answers.answer(key)
        except DirectoryUnavailable as error:
            raise TableError(self.spec, str(error), "retry") from None
        except DirectoryError as error:
            raise TableError(self.spec, str(error), "config") from None
