"""Random tables in real databases: rows, queries, and every parameter that bears on the answer."""

from collections.abc import Sequence
from pathlib import Path
from random import Random

from tests.differential.sql.client_files import socket_of, written
from tests.differential.tables import words
from tests.differential.tables.generators import Table
from tests.servers.mariadb import MariaDb
from tests.servers.postgresql import PostgreSql

QUERIES = (
    "SELECT login FROM owners WHERE address = '%s'",
    "SELECT login, other FROM owners WHERE address='%s' ORDER BY nr",
    "SELECT login FROM owners WHERE address = '%u@%d' ORDER BY nr",
    "SELECT '%s', '%u', '%d'",
    "SELECT '%S', '%U', '%D', '%%'",
    "SELECT '%1', '%2'",
    "SELECT '%3 %2 %1'",
    "SELECT login FROM owners WHERE address = '@%d' ORDER BY nr",
    "SELECT login FROM owners WHERE address='%s' UNION SELECT 'admin@example.com' FROM owners"
    " ORDER BY 1",
    "SELECT login FROM owners WHERE nr < 4 ORDER BY nr",
    "SELECT nr, 1.50, 1.0/3 FROM owners WHERE address='%s' ORDER BY nr",
    "SELECT NULL, '', login FROM owners WHERE address='%s' ORDER BY nr",
    "SELECT 'x' WHERE 'bob' = '%u'",
    "SELECT login FROM owners WHERE address LIKE '%s' ORDER BY nr",
    "SELECT login FROM nowhere WHERE address = '%s'",
    "SELECT '%s",
)
MYSQL = (
    'SELECT login FROM owners WHERE address="%s" ORDER BY nr',
    "SELECT login FROM owners WHERE address = CONCAT('%u', '@', '%d') ORDER BY nr",
    "CALL owner_of('%s')",
    "CALL nothing('%s')",
    "CALL twice('%s')",
    "SET @a = '%s'",
    "SELECT HEX('%s')",
    "SELECT UNHEX('410042FF'), '%s'",
    "SELECT @@character_set_client, @@sql_mode",
    "SELECT 1; SELECT 2",
)
PGSQL = (
    "SELECT owner_of('%s')",
    "SELECT login FROM owners WHERE address = '%u' || '@' || '%d' ORDER BY nr",
    "SELECT length('%s'), current_setting('client_encoding')",
    "SELECT '%s'; SELECT 'second %s'",
    "SELECT true, ARRAY[1,2], '2020-01-01'::date, '\\x41'::bytea, '%s'",
    "SET work_mem = 1000",
    "SELECT nr FROM owners WHERE nr = '%s'",
    "SELECT E'%s'",
    "COPY owners TO STDOUT",
    "SELECT '日本', '%s'",
)
FORMATS = (
    "%s",
    "%s",
    "%s",
    "%u",
    "%d",
    "%U-%s",
    "smtp:[%s]",
    "%s %1",
    "%D %%",
    "x",
    "%u+%S",
    "%",
    "%z",
)
DOMAINS = (
    "example.com",
    "example.com, example.net",
    "!x, com",
    "x",
    "inline:{example.com=1}",
    "/none",
)


class SqlGenerator:
    """Makes tables that ask `server`, with their files in `directory`."""

    def __init__(self, random: Random, directory: Path, server: MariaDb | PostgreSql) -> None:
        self.random = random
        self._directory = directory
        self._server = server
        self._count = 0
        rows = rows_of(random)
        self._known = sorted({address for address, _, _ in rows if address is not None})
        fill(server, rows)

    def table(self, type_name: str) -> Table:
        """A random table."""
        parameters = self._query()
        parameters |= self._rest(parameters)
        self._count += 1
        path = self._directory / f"table{self._count}"
        return Table(type_name, written(path, self._server, parameters), self._known)

    def _query(self) -> dict[str, str]:
        chance = self.random.random()
        if chance < 0.1:
            old = {"select_field": "login", "table": "owners", "where_field": "address"}
            return old | self._sometimes(
                0.5, "additional_conditions", ("ORDER BY nr", "AND nr > 5")
            )
        if chance < 0.15 and isinstance(self._server, PostgreSql):
            return {"select_function": self.random.choice(("owner_of", "upper", "nosuch"))}
        own = MYSQL if isinstance(self._server, MariaDb) else PGSQL
        # Failing queries cost postmap a second each: the plain ones come more often.
        return {"query": self.random.choice((*QUERIES[:10], *QUERIES, *own))}

    def _rest(self, query: dict[str, str]) -> dict[str, str]:
        chosen = self._sometimes(0.5, "result_format", FORMATS)
        chosen |= self._sometimes(0.25, "domain", DOMAINS)
        chosen |= self._sometimes(0.2, "expansion_limit", ("0", "1", "2", "50"))
        chosen |= self._sometimes(0.5, "hosts", self._hosts())
        if isinstance(self._server, MariaDb):
            chosen |= self._sometimes(0.5, "require_result_set", ("yes", "no", "maybe"))
            chosen |= self._sometimes(0.5, "option_file", self._option_files())
            if '"' in query.get("query", "") and "backslash" in chosen.get("option_file", ""):
                del chosen["option_file"]  # there Postfix can be injected: see test_hostile_keys
        else:
            chosen |= self._sometimes(0.3, "dbname", ("escapes", "latin"))
        return chosen

    def _sometimes(self, chance: float, name: str, values: Sequence[str]) -> dict[str, str]:
        return {name: self.random.choice(values)} if self.random.random() < chance else {}

    def _hosts(self) -> Sequence[str]:
        address = f"127.0.0.1:{self._server.port}"
        own = socket_of(self._server)
        return (address, f"inet:{address}", f"unix:/none {own}", f"{own}, inet:{address}")

    def _option_files(self) -> Sequence[str]:
        settings = {
            "latin1": "default-character-set=latin1",
            "gbk": "default-character-set=gbk",
            "sjis": "default-character-set=sjis",
            "backslash": "init-command=SET sql_mode='NO_BACKSLASH_ESCAPES'",
            "quotes": "init-command=SET sql_mode='ANSI_QUOTES,PAD_CHAR_TO_FULL_LENGTH'",
        }
        for name, setting in settings.items():
            (self._directory / f"{name}.cnf").write_text(f"[client]\n{setting}\n")
        return [str(self._directory / f"{name}.cnf") for name in settings]


def rows_of(random: Random) -> list[tuple[str | None, str | None, str | None]]:
    """Rows of address, login and something else; some hold NULL, nothing, or what is no ASCII."""
    rows: list[tuple[str | None, str | None, str | None]] = [
        (words.address(random).lower(), words.text(random), random.choice((None, "", "a@b.c", "é")))
        for _ in range(60)
    ]
    for key in ("bob", "info@b.co", "o'brien@x", "back\\slash@x", 'qu"ote@x', "é@x", "ß@x"):
        rows += [(key, value, None) for value in (None, "", "x@y.z", "é@ü.de", "a\\b'c")]
    return rows


def fill(server: MariaDb | PostgreSql, rows: Sequence[tuple[str | None, ...]]) -> None:
    """Make the databases anew, with these rows."""
    values = ", ".join(
        f"({number}, {', '.join(literal(value, server) for value in row)})"
        for number, row in enumerate(rows)
    )
    insert = f"INSERT INTO owners VALUES {values};"
    if isinstance(server, MariaDb):
        server.execute(
            "DROP DATABASE IF EXISTS mail; CREATE DATABASE mail CHARACTER SET utf8mb4; USE mail;"
            "CREATE TABLE owners (nr INT, address VARCHAR(200), login VARCHAR(400),"
            " other VARCHAR(200));" + insert + MYSQL_PROCEDURES
        )
        return
    for database in ("mail", "escapes", "latin"):
        encoding = "LATIN1" if database == "latin" else "UTF8"
        server.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
        server.execute(
            f"CREATE DATABASE {database} TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'"
        )
        server.execute(
            "SET client_encoding = 'UTF8'; CREATE TABLE owners (nr INT, address TEXT, login TEXT,"
            " other TEXT);" + insert + PGSQL_FUNCTION,
            database,
        )
    server.execute("ALTER DATABASE escapes SET standard_conforming_strings = off")


def literal(value: str | None, server: MariaDb | PostgreSql) -> str:
    """An SQL literal."""
    if value is None:
        return "NULL"
    escaped = value.replace("\\", "\\\\") if isinstance(server, MariaDb) else value
    quoted = escaped.replace("'", "''")
    return f"'{quoted}'"


MYSQL_PROCEDURES = """
DELIMITER //
CREATE PROCEDURE owner_of(IN wanted VARCHAR(200))
BEGIN SELECT login FROM owners WHERE address = wanted ORDER BY nr; END//
CREATE PROCEDURE nothing(IN wanted VARCHAR(200)) BEGIN SET @a = wanted; END//
CREATE PROCEDURE twice(IN wanted VARCHAR(200)) BEGIN SELECT wanted; SELECT wanted; END//
DELIMITER ;
"""
PGSQL_FUNCTION = """
CREATE FUNCTION owner_of(wanted TEXT) RETURNS SETOF TEXT LANGUAGE sql AS
'SELECT login FROM owners WHERE address = wanted ORDER BY nr';
"""
