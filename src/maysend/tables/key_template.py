"""Templates with `%` letters that a key fills in, and which keys a table's server is asked for.

What one template of a table needs, the key must have for all: `%d` in search_base and `%u` in
query_filter mean that "bob" and "@example.com" are not asked at all. Sources: mysql_table(5),
pgsql_table(5), sqlite_table(5), ldap_table(5), memcache_table(5), which word it the same.
"""

from collections.abc import Callable, Iterable

import msgspec

from maysend.tables.client_file import ClientParameters
from maysend.tables.index import open_table
from maysend.tables.match_list import MatchList
from maysend.tables.opened import OpenedTable
from maysend.tables.table import TableContext, TableError

_DIGITS = frozenset("123456789")
_LETTERS = frozenset("sudSUD") | _DIGITS
_OF_KEY = frozenset("SUD") | _DIGITS
"""What stands for a part of the key in a result_format too."""
_WHOLE = frozenset("sS")


class Template(msgspec.Struct, frozen=True):
    """A query or a result_format: literal text, and letters that stand for something."""

    pieces: tuple[tuple[bool, str], ...]
    letters: frozenset[str]

    @classmethod
    def parse(cls, text: str, name: str, spec: str) -> "Template":
        """Read a template. Raises TableError (config) for a `%` that means nothing."""
        pieces: list[tuple[bool, str]] = []
        literal = ""
        offset = 0
        while offset < len(text):
            if text[offset] != "%":
                literal += text[offset]
                offset += 1
                continue
            letter = text[offset + 1 : offset + 2]
            offset += 2
            if letter == "%":
                literal += "%"
            elif letter and letter in _LETTERS:
                pieces += [(False, literal), (True, letter)]
                literal = ""
            else:
                raise TableError(
                    spec,
                    f"invalid {name} template: %{letter}: expected one of %s %u %d %S %U %D "
                    f"%1-%9 %%: {text}",
                    "config",
                )
        pieces.append((False, literal))
        letters = frozenset(text for is_letter, text in pieces if is_letter)
        return cls(tuple(piece for piece in pieces if piece[1]), letters)

    def filled(self, key: str, quote: Callable[[str], str]) -> str:
        """The text for a `key` that KeyFilter takes, each part of it made harmless by `quote`."""
        if self.letters <= _WHOLE:  # in short, because most queries are like this
            quoted = quote(key)
            return "".join([quoted if is_letter else text for is_letter, text in self.pieces])
        address = Address.of(key)
        return self.expanded(lambda letter: quote(address.part(letter)))

    @property
    def copies(self) -> bool:
        """Whether it is "%s", which leaves everything as it is."""
        return self.pieces == ((True, "s"),)

    def expanded(self, value: Callable[[str], str]) -> str:
        """The text with `value(letter)` for each letter."""
        return "".join(value(text) if is_letter else text for is_letter, text in self.pieces)


class Address(msgspec.Struct, frozen=True):
    """A key or a value, split at its last "@"."""

    text: str
    user: str
    domain: str | None

    @classmethod
    def of(cls, text: str) -> "Address":
        """Split `text`; where there is no "@", all of it counts as the user."""
        user, at, domain = text.rpartition("@")
        return cls(text, user, domain) if at else cls(text, text, None)

    def part(self, letter: str) -> str:
        """What a letter stands for, small or capital."""
        if letter in _DIGITS:
            return self.labels[int(letter) - 1]
        match letter:
            case "u" | "U":
                return self.user
            case "d" | "D":
                return self.domain or ""
        return self.text

    @property
    def labels(self) -> list[str]:
        """The labels of the domain, the top level first; empty ones do not count."""
        return [label for label in reversed((self.domain or "").split(".")) if label]


class KeyFilter:
    """Which keys the server of a table has to be asked for: `domain`, and what templates need."""

    def __init__(
        self,
        parameters: ClientParameters,
        context: TableContext,
        *,
        of_key: Iterable[Template],
        of_value: Iterable[Template] = (),
    ) -> None:
        letters: set[str] = set()
        for template in of_key:
            letters |= template.letters
        for template in of_value:
            letters |= template.letters & _OF_KEY
        self._needs_user = bool(letters & set("uU"))
        self._needs_domain = bool(letters & (_DIGITS | set("dD")))
        self._needs_labels = max((int(letter) for letter in letters & _DIGITS), default=0)
        domains = parameters.text("domain")
        self._domains = _domain_list(domains, parameters.spec, context) if domains else None
        self._takes_all = self._domains is None and not (self._needs_user or self._needs_domain)

    def takes(self, key: str) -> bool:
        """Whether `key` is asked. Raises TableError where `domain` can't be looked up."""
        if self._takes_all or not key:
            return bool(key)
        address = Address.of(key)
        if self._domains is not None and not (
            address.user
            and address.domain is not None
            and self._domains.match_name(address.domain, _asked) is not None
        ):
            return False
        if self._needs_domain and not address.domain:
            return False
        if self._needs_user and not address.user:
            return False
        return len(address.labels) >= self._needs_labels


def _domain_list(text: str, spec: str, context: TableContext) -> MatchList:
    domains = MatchList(
        spec, text, lambda table: open_table(table, context), utf8=context.utf8, warn=context.warn
    )
    if domains.unreadable:  # Postfix ends the process then
        raise TableError(spec, f"domain: {domains.unreadable}", "config")
    return domains


def _asked(table: OpenedTable, key: str) -> str | None:
    return table.lookup(key)
