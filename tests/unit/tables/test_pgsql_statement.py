"""Which queries pgsql: prepares, and as what."""

import pytest

from maysend.tables.key_template import Template
from maysend.tables.pgsql_statement import Statement, statement_of

KEY = "bob@mail.example.com"


def statement(query: str) -> Statement | None:
    return statement_of(Template.parse(query, "query", "pgsql:test"))


@pytest.mark.parametrize(
    ("query", "prepared", "arguments"),
    [
        ("SELECT a FROM t WHERE b = '%s'", "SELECT a FROM t WHERE b = $1", [KEY]),
        ("SELECT '%s' UNION SELECT '%s'", "SELECT $1 UNION SELECT $2", [KEY, KEY]),
        ("SELECT a WHERE b='%u' AND c='%d'", "SELECT a WHERE b=$1 AND c=$2",
         ["bob", "mail.example.com"]),
        ("SELECT '@%d'||'%u+%u'", "SELECT $1||$2", ["@mail.example.com", "bob+bob"]),
        ("SELECT '%1', 'x', ''", "SELECT $1, 'x', ''", ["com"]),
        ('SELECT "user\'s" FROM "t" WHERE a LIKE \'%u%%\'',
         'SELECT "user\'s" FROM "t" WHERE a LIKE $1', ["bob%"]),
        ("SELECT a-1, b->>'c', d/2 WHERE lower('%s')=x::text",
         "SELECT a-1, b->>'c', d/2 WHERE lower($1)=x::text", [KEY]),
    ],
)  # fmt: skip
def test_a_quoted_part_of_the_key_is_a_parameter(
    query: str, prepared: str, arguments: list[str]
) -> None:
    found = statement(query)
    assert found
    assert found.text.decode() == prepared
    assert [argument.decode() for argument in found.arguments(KEY)] == arguments


@pytest.mark.parametrize(
    "query",
    [
        "SELECT a FROM t WHERE id = %s",
        "SELECT a FROM t",
        "SELECT E'%s'",
        "SELECT U&'%s'",
        "SELECT e'it\\'s' || '%s'",
        "SELECT '%s\\'",
        "SELECT 'it''s %s'",
        "SELECT '%s'''",
        "SELECT $$%s$$",
        "SELECT '%s' -- of whom",
        "SELECT '%s' /* it's */",
        "SELECT 1; SELECT '%s'",
        'SELECT "%s"',
        "SELECT '%s",
    ],
)
def test_what_could_mean_something_else_is_sent_as_it_is(query: str) -> None:
    assert statement(query) is None


def test_a_name_means_one_query_only() -> None:
    queries = ("SELECT a WHERE b='%s'", "SELECT a WHERE b='%u'", "SELECT a  WHERE b='%s'")
    first, same, other = (statement(query) for query in queries)
    assert first
    assert same
    assert other
    # The key's part is an argument, so these two are one query to the server.
    assert first.name == same.name
    assert first.name != other.name
