"""What every table does to keys and answers: UTF-8 is checked, fixed-string keys are folded."""

from collections.abc import Sequence

from maysend.address.characters import is_ascii
from maysend.tables.fixed_strings import lacks_of
from maysend.tables.opened import OpenedTable
from maysend.tables.remembering import Remembering
from maysend.tables.table import LookupTable, TableContext, TableError


def fold(key: str, *, utf8: bool) -> str:
    """`key` in the form in which tables of fixed strings hold it.

    With `utf8` this is full Unicode case folding, else only ASCII letters change.
    """
    if is_ascii(key):
        return key.lower()
    if utf8:
        return key.casefold()
    return key.encode("utf-8", "surrogateescape").lower().decode("utf-8", "surrogateescape")


def is_utf8(text: str) -> bool:
    """Whether `text` came from valid UTF-8."""
    if is_ascii(text):
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def printable(text: str) -> str:
    """`text` with what is not UTF-8 shown as "?", for warnings and errors."""
    return text.encode("utf-8", "replace").decode("utf-8")


class CheckedTable(OpenedTable):
    """A table seen through the checks that Postfix puts around every table.

    With smtputf8_enable a key that is not UTF-8 is not found, and an answer that is not UTF-8
    is an error that somebody has to mend. Keys of tables of fixed strings are folded first.
    `forwards`: the table hands its keys to others, so that without smtputf8_enable folding is left
    to them, as in Postfix.
    """

    def __init__(self, table: LookupTable, context: TableContext, *, forwards: bool) -> None:
        super().__init__(table)
        self.table = table
        self._utf8 = context.utf8
        self._warn = context.warn
        self._folds = not table.pattern and (context.utf8 or not forwards)
        self._ask = table.lookup
        self._lacks = lacks_of(table)
        self._remembers = table.remembers if isinstance(table, Remembering) else None
        self._tell = context.tell
        if self._tell is not None:
            self._ask = self._told

    def lacks(self, keys: Sequence[str], /) -> bool:
        """Whether none of these folded keys is found; False where only `lookup` can tell."""
        return self._lacks(keys)

    def remembers(self, key: str, /) -> bool:
        """Whether the table has this key's answer without having to wait."""
        return self._remembers is not None and self._remembers(key)

    def lookup(self, key: str, /) -> str | None:
        """The answer for `key`, None where it is not found; TableError where that is unknown."""
        if is_ascii(key):  # in short what follows, because nearly every key is
            answer = self._ask(key.lower() if self._folds else key)
            if answer is None or is_ascii(answer):
                return answer
            return self._checked(key, answer)
        if self._utf8 and not is_utf8(key):
            self._warn(f'{self.spec}: non-UTF-8 key "{printable(key)}"')
            return None
        answer = self._ask(fold(key, utf8=self._utf8) if self._folds else key)
        return None if answer is None else self._checked(key, answer)

    def _told(self, key: str) -> str | None:
        if self._tell is not None and self._folds:
            self._tell("folded", key)
        return self.table.lookup(key)

    def _checked(self, key: str, answer: str) -> str:
        if self._utf8 and not is_utf8(answer):
            raise TableError(
                self.spec,
                f'key "{printable(key)}": non-UTF-8 value "{printable(answer)}"',
                "config",
            )
        return answer
