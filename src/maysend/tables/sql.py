"""What all SQL tables share: `%` templates, `domain`, `result_format`, `expansion_limit`.

Sources: sqlite_table(5), mysql_table(5), pgsql_table(5), which word it the same.
"""

from collections.abc import Callable, Iterable

import msgspec

from maysend.tables.client_file import ClientParameters
from maysend.tables.domain_list import DomainList
from maysend.tables.table import TableContext, TableError

Quote = Callable[[str], str]
"""Makes a key harmless inside the quotes of a query."""

_LETTERS = "sudSUD"
_DIGITS = "123456789"


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
            elif letter and letter in _LETTERS + _DIGITS:
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

    @property
    def labels(self) -> list[str]:
        """The labels of the domain, the top level first; empty ones do not count."""
        return [label for label in reversed((self.domain or "").split(".")) if label]


class SqlQuery:
    """How a key becomes a query, and how the rows become an answer."""

    def __init__(self, parameters: ClientParameters, context: TableContext) -> None:
        self.spec = parameters.spec
        self._warn = context.warn
        self._query = Template.parse(_query_text(parameters), "query", self.spec)
        self._format = Template.parse(
            parameters.required("result_format", "%s"), "result_format", self.spec
        )
        self._limit = parameters.number("expansion_limit", 0)
        domains = parameters.text("domain")
        self._domains = DomainList(domains, self.spec, context) if domains else None
        # A key lacks something for the whole lookup when either template needs it.
        of_key = self._query.letters | (self._format.letters & set("UD" + _DIGITS))
        self._needs_user = bool(of_key & set("uU"))
        self._needs_domain = bool(of_key & set("dD" + _DIGITS))
        self._needs_labels = max((int(letter) for letter in of_key & set(_DIGITS)), default=0)
        # Most tables look like this, and the time of a lookup is spent here and on the wire.
        self._asks_all = not (domains or self._needs_user or of_key & set("dD" + _DIGITS))
        self._of_whole_key = self._query.letters <= set("sS")
        self._copies_values = self._format.copies

    def text_for(self, key: str, quote: Quote) -> str | None:
        """The query for `key`, None where the key is none that the database has to be asked for.

        Raises TableError where `domain` can't be looked up.
        """
        return self.text(key, quote) if self.asks(key) else None

    def asks(self, key: str) -> bool:
        """Whether the database has to be asked for `key`.

        Raises TableError where `domain` can't be looked up.
        """
        if not key:
            self._warn(f"{self.spec}: empty query string -- ignored")
            return False
        if self._asks_all:
            return True
        address = Address.of(key)
        return self._in_domains(address) and self._has_parts(address)

    def text(self, key: str, quote: Quote) -> str:
        """The query for a `key` that the database is asked for."""
        if self._of_whole_key:
            quoted = quote(key)
            return self._query.expanded(lambda _: quoted)
        address = Address.of(key)
        return self._query.expanded(lambda letter: quote(_part(letter.lower(), address, address)))

    def joined(self, values: Iterable[str | None], key: str) -> str | None:
        """The formatted values, joined by commas; NULL and empty ones are skipped.

        Raises TableError (retry) where there are more than expansion_limit.
        """
        joined = ""
        count = 0
        for value in values:
            formatted = self._formatted(value, key)
            if formatted is None:
                continue
            joined = f"{joined},{formatted}" if joined else formatted
            count += 1
            if 0 < self._limit < count:
                raise TableError(self.spec, f"expansion limit exceeded for key '{key}'", "retry")
        return joined or None

    def _in_domains(self, address: Address) -> bool:
        if self._domains is None:
            return True
        if address.domain is None or not address.user:
            return False
        return self._domains.has(address.domain)

    def _has_parts(self, address: Address) -> bool:
        if self._needs_domain and not address.domain:
            return False
        if self._needs_user and not address.user:
            return False
        return len(address.labels) >= self._needs_labels

    def _formatted(self, value: str | None, key: str) -> str | None:
        if value is None:
            return None
        if not value:
            self._warn(f'{self.spec}: empty lookup result for: "{key}" -- ignored')
            return None
        if self._copies_values:
            return value
        address = Address.of(value)
        letters = self._format.letters
        if "d" in letters and not address.domain:
            return None
        if "u" in letters and not address.user:
            return None
        of_key = Address.of(key)
        return self._format.expanded(lambda letter: _part(letter, address, of_key))


def _part(letter: str, value: Address, key: Address) -> str:
    """What a letter stands for: small ones for the value, capitals and digits for the key."""
    address = value if letter.islower() else key
    if letter in _DIGITS:
        return key.labels[int(letter) - 1]
    match letter.lower():
        case "u":
            return address.user
        case "d":
            return address.domain or ""
    return address.text


def _query_text(parameters: ClientParameters) -> str:
    """`query`, or what the parameters of Postfix before 2.2 amount to."""
    query = parameters.text("query")
    if query:
        return query
    return (
        f"SELECT {parameters.required('select_field')} FROM {parameters.required('table')} "
        f"WHERE {parameters.required('where_field')} = '%s' "
        f"{parameters.text('additional_conditions')}"
    )


def encoded(text: str) -> bytes:
    """The octets that `text` stands for."""
    return text.encode("utf-8", "surrogateescape")


def decoded(octets: bytes) -> str:
    """The text that stands for `octets`."""
    return octets.decode("utf-8", "surrogateescape")


def texts(values: Iterable[bytes | None]) -> list[str | None]:
    """Values as a server sends them, as text; None is NULL."""
    return [None if value is None else decoded(value) for value in values]
