"""What all SQL tables share: the query for a key, and the answer that the rows make.

Sources: sqlite_table(5), mysql_table(5), pgsql_table(5), which word it the same.
"""

from collections.abc import Callable, Iterable

from maysend.tables.client_file import ClientParameters
from maysend.tables.key_template import KeyFilter, Template
from maysend.tables.result_format import ResultFormat
from maysend.tables.table import TableContext

Quote = Callable[[str], str]
"""Makes a key harmless inside the quotes of a query."""


class SqlQuery:
    """How a key becomes a query, and how the rows become an answer."""

    def __init__(self, parameters: ClientParameters, context: TableContext) -> None:
        self.spec = spec = parameters.spec
        self._warn = context.warn
        self._tell = context.tell
        self._query = Template.parse(_query_text(parameters), "query", spec)
        result = Template.parse(parameters.required("result_format", "%s"), "result_format", spec)
        self._format = ResultFormat(result, parameters.number("expansion_limit", 0), spec, context)
        self._keys = KeyFilter(parameters, context, of_key=(self._query,), of_value=(result,))

    @property
    def template(self) -> Template:
        """The query, with letters for what a key fills in."""
        return self._query

    @property
    def is_traced(self) -> bool:
        """Whether somebody wants to see each query."""
        return self._tell is not None

    def asks(self, key: str) -> bool:
        """Whether the database has to be asked for `key`.

        Raises TableError where `domain` can't be looked up.
        """
        if not key:
            self._warn(f"{self.spec}: empty query string -- ignored")
        asks = self._keys.takes(key)
        if self._tell is not None and not asks:
            self._tell("no query", "the key lacks a part that the query needs, or is in no domain")
        return asks

    def text(self, key: str, quote: Quote) -> str:
        """The query for a `key` that the database is asked for."""
        query = self._query.filled(key, quote)
        if self._tell is not None:
            self._tell("query", query)
        return query

    def joined(self, values: Iterable[str | None], key: str) -> str | None:
        """The answer that `values` make. Raises TableError (retry): more than expansion_limit."""
        return self._format.answer(values, key)


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
