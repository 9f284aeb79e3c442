"""# unquoted-key: the key stands in the query without quotes

## What it does
Reports `%s`, `%u`, `%d` and the like outside quotes in the query of an SQL table.

## Why it is bad
Postfix escapes what could end a quoted text. Without quotes there is nothing to end: the client's
own text, such as `1 OR 1=1`, becomes part of the query.

## Example
    query = SELECT login FROM senders WHERE address = %s

## Use instead
    query = SELECT login FROM senders WHERE address = '%s'

## Limits
None.

## Source
mysql_table(5) "query": "make sure to use quotes".
"""

from collections.abc import Iterator

from maysend.lint.client_files import SQL, client_files
from maysend.lint.configuration import Smtpd
from maysend.lint.finding import Problem
from maysend.lint.sql_text import unquoted_expansions


def check(smtpd: Smtpd) -> Iterator[Problem]:
    """The queries with a bare expansion of the key."""
    for file in client_files(smtpd, SQL):
        query = file.value("query")
        bare = unquoted_expansions(query)
        if bare:
            fixed = query
            for expansion in dict.fromkeys(bare):
                fixed = fixed.replace(expansion, f"'{expansion}'")
            yield Problem(
                place=file.place("query"),
                written=query,
                message=f"{bare[0]} is not in quotes: the client's text becomes part of the query",
                fix=f"query = {fixed}",
            )
