"""No key changes the query, whatever the connection takes for a quote or an escape."""

from itertools import product
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from maysend.tables import LookupTable, TableContext, TableError, open_table
from tests.differential.sql.client_files import written
from tests.differential.sql.generators import fill
from tests.servers.mariadb import MariaDb
from tests.servers.postgresql import PostgreSql

HOSTILE = (
    "' OR '1'='1", "\\' OR 1=1 -- ", "\\\\' OR 1=1 -- ", "'' OR 1=1 -- ",
    "x'; DROP TABLE owners; --", "' UNION SELECT login FROM owners -- ", "\" OR \"\"=\"",
    "\" OR 1=1 -- ", "' OR 1=1 #", "' OR 1=1/*", "%' OR '%'='", "x\\", "x'", "\\", "'", "\"",
    "\udcbf' OR 1=1 #", "\udcbf\\' OR 1=1 #", "\udc81' OR 1=1 #", "\udcc0\udca7 OR 1=1 #",
    "縗' OR 1=1 #", "表' OR 1=1 #", "ｿ' OR 1=1 #", "\u02bc OR 1=1 #", "\x1a' OR 1=1 #",
    "%s", "%u@%d", "$1", ":x", "a\tb\rc", "' OR 1=1 -- @example.com", "a'@' OR '1'='1",
)  # fmt: skip
QUERIES = (
    "SELECT login FROM owners WHERE address='%s'",
    "SELECT login FROM owners WHERE address='%u@%d'",
    "SELECT login FROM owners WHERE address='%1.%2'",
)
MYSQL_OPTIONS = {
    "usual": "", "no backslashes": "init-command=SET sql_mode='NO_BACKSLASH_ESCAPES'",
    "gbk": "default-character-set=gbk", "sjis": "default-character-set=sjis",
    "big5": "default-character-set=big5", "latin1": "default-character-set=latin1",
    "gbk, no backslashes":
        "default-character-set=gbk\ninit-command=SET sql_mode='NO_BACKSLASH_ESCAPES'",
}  # fmt: skip
ANYTHING = st.text(st.sampled_from("'\"\\;-#/*() %_aA0=\x1a\t\ré縗\udcbf\udc81@."), max_size=24)


def opened(spec: str) -> LookupTable:
    return open_table(spec, TableContext(parameters={"smtputf8_enable": "no"}))


def answer(table: LookupTable, key: str) -> str | None:
    """What is found; an error lets nobody in either."""
    try:
        return table.lookup(key)
    except TableError:
        return None


@pytest.mark.needs_mariadb
@pytest.mark.parametrize("options", MYSQL_OPTIONS)
@pytest.mark.parametrize("query", [*QUERIES, QUERIES[0].replace("'", '"')])
def test_mysql(mariadb: MariaDb, tmp_path: Path, options: str, query: str) -> None:
    fill(mariadb, [("owner@example.com", "leaked", None)])
    (tmp_path / "my.cnf").write_text(f"[client]\n{MYSQL_OPTIONS[options]}\n")
    parameters = {"query": query, "option_file": str(tmp_path / "my.cnf")}
    table = opened(written(tmp_path / "table.cf", mariadb, parameters))
    assert [key for key in HOSTILE if answer(table, key)] == []
    assert mariadb.execute("SELECT COUNT(*) FROM owners", "mail") == "1\n"


@pytest.mark.needs_postgresql
@pytest.mark.parametrize(
    ("database", "encoding"),
    [
        *product(("mail", "escapes"), ("UTF8", "LATIN1", "EUC_JP", "SJIS", "BIG5", "GBK")),
        *product(("latin",), ("UTF8", "LATIN1")),  # PostgreSQL converts it to no other
    ],
)
@pytest.mark.parametrize("query", QUERIES)
def test_pgsql(
    postgresql: PostgreSql, tmp_path: Path, database: str, query: str, encoding: str
) -> None:
    fill(postgresql, [("owner@example.com", "leaked", None)])
    parameters = {"query": query, "dbname": database, "encoding": encoding}
    table = opened(written(tmp_path / "table.cf", postgresql, parameters))
    assert [key for key in HOSTILE if answer(table, key)] == []
    assert postgresql.execute("SELECT COUNT(*) FROM owners", database) == "1\n"


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(key=ANYTHING)
@example("\\'")
def test_a_key_comes_back_as_it_was(server: MariaDb | PostgreSql, tmp_path: Path, key: str) -> None:
    """SELECT '%s' answers the key itself: nothing of it was taken for SQL."""
    path = tmp_path / "table.cf"
    spec = written(
        path, server, {"query": "SELECT '%s'", "charset": "latin1", "encoding": "LATIN1"}
    )
    table = TABLES.setdefault((server.port, str(path)), opened(spec))
    octets = key.encode("utf-8", "surrogateescape").lower()
    assert table.lookup(key) == (octets.decode("utf-8", "surrogateescape") or None)


TABLES: dict[tuple[int, str], LookupTable] = {}
"""Open tables: hypothesis calls a test often."""
