"""The whole directory as JSON lines, and back: for backups, and from one store to another.

    {"maysend_directory":1}
    {"account":{"login":"bob@example.com","password_hash":"{ARGON2ID}…",…}}
    {"grant":{"login":"bob@example.com","address":"@example.com",…}}
    …
    {"end":12}

A dump holds password hashes. Its last line counts those before it, so that one that was cut off is
told from a whole one. It is one state of the directory, whatever is written meanwhile.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection, Table, delete, func, insert, select

from maysend.directory import schema
from maysend.directory.errors import DirectoryError

if TYPE_CHECKING:
    from maysend.directory.directory import Directory

FORMAT = 1
HEAD = "maysend_directory"
END = "end"
BATCH = 500
"""Rows written by one statement."""

TABLES: dict[str, Table] = {
    "account": schema.accounts,
    "alias": schema.aliases,
    "domain": schema.domains,
    "list": schema.lists,
    "suspension": schema.suspensions,
    "audit": schema.audit,
    "grant": schema.grants,
    "poster": schema.posters,
}
"""What a line can hold, in the order of a dump: what others refer to comes first."""

REFERENCES: Mapping[str, tuple[str, str, Table, str]] = {
    "grant": ("account_id", "login", schema.accounts, "login"),
    "poster": ("list_id", "list", schema.lists, "address"),
}
"""Kind → the column that refers, its name in a dump, and the table and column that it names."""


class LoadError(DirectoryError):
    """A dump that can't be loaded; the text names the line."""


def dump(directory: "Directory") -> Iterator[bytes]:
    """The lines of a dump, a line at a time."""
    yield _line(HEAD, FORMAT)
    count = 0
    with directory.reader() as reader:
        connection = reader.connection.execution_options(yield_per=1000)
        for kind, table in TABLES.items():
            columns = [column for column in table.c if column.name in _own_columns(kind)]
            found = select(*columns)
            if kind in REFERENCES:
                _, name, other, named = REFERENCES[kind]
                found = found.add_columns(other.c[named].label(name)).join_from(table, other)
            if "id" in table.c:
                found = found.order_by(table.c.id)
            for row in connection.execute(found):
                yield _line(kind, dict(row._mapping))
                count += 1
    yield _line(END, count)


def load(directory: "Directory", lines: Iterable[bytes], *, replace: bool = False) -> int:
    """Write what a dump holds, whole or not at all. Returns the number of rows.

    LoadError names the line that is wrong. A directory that holds something already is refused,
    unless `replace` says that all of it goes.
    """
    with directory.together() as connection:
        _require_empty(connection, replace)
        return _Loading(connection).load(lines)


class _Loading:
    """One dump being read."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._kind = ""
        self._rows: list[dict[str, Any]] = []
        self._began = 0
        self._count = 0

    def load(self, lines: Iterable[bytes]) -> int:
        ended = False
        for number, line in enumerate(lines, 1):
            kind, value = _parsed(number, line)
            if number == 1:
                _check_head(kind, value)
            elif ended:
                raise LoadError(f"line {number}: something follows the end of the dump")
            elif kind == END:
                self._write()
                if value != self._count:
                    raise LoadError(f"line {number}: {self._count} rows, expected {value}")
                ended = True
            else:
                self._add(number, kind, value)
        if not ended:
            raise LoadError("the dump was cut off: its last line is missing")
        return self._count

    def _add(self, number: int, kind: str, value: object) -> None:
        if kind not in TABLES:
            raise LoadError(f"line {number}: {kind[:40]!a} is nothing that a directory holds")
        if not isinstance(value, dict):
            raise LoadError(f"line {number}: expected the columns of one {kind}")
        expected = _names(kind)
        missing, unknown = expected - value.keys(), value.keys() - expected
        if missing or unknown:
            wrong = [f"{name} is missing" for name in sorted(missing)]
            wrong += [f"{name[:40]!a} is unknown" for name in sorted(unknown)]
            raise LoadError(f"line {number}: {', '.join(wrong)}")
        _check_types(number, kind, value)
        if kind != self._kind or len(self._rows) >= BATCH:
            self._write()
            self._kind, self._began = kind, number
        self._rows.append(value)
        self._count += 1

    def _write(self) -> None:
        if not self._rows:
            return
        rows = self._referring(self._rows) if self._kind in REFERENCES else self._rows
        try:
            with self._connection.begin_nested():
                self._connection.execute(insert(TABLES[self._kind]), rows)
        except Exception as error:
            if type(error).__name__ != "IntegrityError":
                raise
            last = self._began + len(self._rows) - 1
            raise LoadError(
                f"lines {self._began} to {last}: one {self._kind} is there twice, or incomplete"
            ) from None
        self._rows = []

    def _referring(self, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """`rows` with the ids that their names stand for in this database."""
        column, name, other, named = REFERENCES[self._kind]
        wanted = {row[name] for row in rows}
        found = select(other.c[named], other.c.id).where(other.c[named].in_(wanted))
        ids = {row[0]: row[1] for row in self._connection.execute(found)}
        written = []
        for number, row in enumerate(rows, self._began):
            if row[name] not in ids:
                raise LoadError(f"line {number}: there is no {name} {row[name]!a} before it")
            values = {key: value for key, value in row.items() if key != name}
            written.append({**values, column: ids[row[name]]})
        return written


def _own_columns(kind: str) -> set[str]:
    hidden = {"id"} | ({REFERENCES[kind][0]} if kind in REFERENCES else set())
    return {column.name for column in TABLES[kind].c} - hidden


def _names(kind: str) -> set[str]:
    return _own_columns(kind) | ({REFERENCES[kind][1]} if kind in REFERENCES else set())


def _check_types(number: int, kind: str, row: Mapping[str, Any]) -> None:
    for name in _own_columns(kind):
        column, value = TABLES[kind].c[name], row[name]
        wanted = column.type.python_type
        if value is None and column.nullable:
            continue
        # A bool is an int to Python.
        if not isinstance(value, wanted) or isinstance(value, bool) is not (wanted is bool):
            raise LoadError(f"line {number}: {name} is no {wanted.__name__}")


def _parsed(number: int, line: bytes) -> tuple[str, object]:
    try:
        found = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise LoadError(f"line {number}: not JSON") from None
    if not isinstance(found, dict) or len(found) != 1:
        raise LoadError(f'line {number}: expected one object like {{"account": …}}')
    return next(iter(found.items()))


def _check_head(kind: str, value: object) -> None:
    if kind != HEAD:
        raise LoadError(f"line 1: no dump of a directory, expected {_line(HEAD, FORMAT).decode()}")
    if value != FORMAT:
        raise LoadError(f"line 1: a dump of format {value!a}, this maysend knows {FORMAT}")


def _require_empty(connection: Connection, replace: bool) -> None:
    for kind, table in reversed(TABLES.items()):
        if replace:
            connection.execute(delete(table))
        elif kind != "audit":
            count = int(connection.execute(select(func.count()).select_from(table)).scalar_one())
            if count:
                raise LoadError(
                    f"the directory is not empty, it has {count} of {kind}: load into a new one, "
                    "or give --replace"
                )


def _line(kind: str, value: object) -> bytes:
    return msgspec.json.encode({kind: value}) + b"\n"
