"""pgsql: prepares its query once a connection, and answers the same where that does not work."""

from pathlib import Path

import pytest

from maysend.tables import LookupTable, TableContext, TableError, open_table
from tests.differential.sql.client_files import written
from tests.differential.sql.generators import fill
from tests.differential.tables.postmap import Postmap
from tests.servers.postgresql import PostgreSql

pytestmark = pytest.mark.needs_postgresql

KEYS = ("2026-01-31", "a@example.com", "12", "it's")


def opened(server: PostgreSql, directory: Path, query: str) -> LookupTable:
    return open_table(written(directory / "table.cf", server, {"query": query}), TableContext())


def answer(table: LookupTable, key: str) -> str | None:
    """The answer, or that there was none."""
    try:
        return table.lookup(key)
    except TableError:
        return "failed"


def test_the_second_lookup_prepares(postgresql: PostgreSql, tmp_path: Path) -> None:
    fill(postgresql, [("a", "b", None)])
    query = "SELECT count(*) FROM pg_prepared_statements WHERE '%s' <> ''"
    table = opened(postgresql, tmp_path, query)
    assert [table.lookup("a") for _ in range(4)] == ["0", "1", "1", "1"]


def test_a_table_that_changes_its_columns_is_answered_as_it_is(
    postgresql: PostgreSql, tmp_path: Path
) -> None:
    """The server refuses a plan whose result has another type now."""
    fill(postgresql, [("a@example.com", "12", None)])
    postgresql.execute("CREATE TABLE changing AS SELECT address, login FROM owners", "mail")
    try:
        table = opened(postgresql, tmp_path, "SELECT * FROM changing WHERE address = '%u@%d'")
        asked = [table.lookup("a@example.com") for _ in range(3)]
        postgresql.execute("ALTER TABLE changing ALTER login TYPE int USING login::int", "mail")
        asked += [table.lookup("a@example.com") for _ in range(3)]
        postgresql.execute("ALTER TABLE changing ADD more text DEFAULT 'more'", "mail")
        assert table.lookup("a@example.com") == "a@example.com,12,more"
        assert asked == ["a@example.com,12"] * 6
    finally:
        postgresql.execute("DROP TABLE changing", "mail")


@pytest.mark.needs_postfix
@pytest.mark.parametrize(
    "query",
    [
        "SELECT date '%s'",  # can't be prepared: the type needs a literal
        "SELECT '%s'::date",
        "SELECT '%s' UNION SELECT 1",
        "SELECT coalesce(NULL, '%s') || '!'",
        "SELECT login FROM owners WHERE address = '%s' OR login = '%s' ORDER BY 1",
        "SELECT login FROM owners WHERE address LIKE '%%@%d'",
        "SELECT length('%s'), '%s' = 'it''s', '%s' IN ('a@example.com', '12')",
        "SELECT pg_typeof('%s'), pg_typeof(lower('%s'))",
        "SELECT CASE WHEN '%s' = '12' THEN '%s' ELSE 'other' END",
        "SELECT login FROM owners LIMIT '%s'",
        "SELECT array_length(string_to_array('%s', '@'), 1)",
    ],
)
def test_whatever_the_query_the_answers_are_those_of_postmap(
    postgresql: PostgreSql, tmp_path: Path, query: str
) -> None:
    fill(postgresql, [("a@example.com", "login", None), ("12", "twelve", None)])
    table = opened(postgresql, tmp_path, query)
    postmap = Postmap(tmp_path / "postfix", {})
    for key in KEYS:
        printed, complaint = postmap.ask_all(table.spec, [key])
        expected = printed.decode().rstrip("\n").partition("\t")[2] or None
        # The first lookup of all is not prepared; later ones are.
        assert {answer(table, key) for _ in range(3)} == {"failed" if complaint else expected}
