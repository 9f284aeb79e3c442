"""How long `directory:owners` takes among 10,000 accounts, 10,000 aliases and 1,000 grants.

The peer is what an administrator would write for Postfix: one UNION over accounts, aliases and
grants on the same file, through Python's own sqlite3. It does no extension, catch-all, nesting or
suspension. "cold" is a key never asked before, "warm" one that is remembered.
"""

import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from maysend.directory import Directory
from maysend.tables.table import TableContext

ACCOUNTS = 10_000
ASKED = 5_000

UNION = """
SELECT login FROM accounts WHERE login = :a
UNION SELECT target FROM aliases WHERE address = :a
UNION SELECT login FROM grants JOIN accounts ON accounts.id = account_id WHERE address = :a
"""


def fill(path: Path) -> None:
    """Write the accounts in one go; the stores would take a transaction for each."""
    Directory.open(path).close()
    with sqlite3.connect(path) as connection:
        connection.executemany(
            "INSERT INTO accounts (id, login, domain, name, enabled, scope, created)"
            " VALUES (?, ?, 'example.com', '', 1, '', 0)",
            ((i + 1, f"user{i}@example.com") for i in range(ACCOUNTS)),
        )
        connection.executemany(
            "INSERT INTO aliases (address, target, send, receive, created) VALUES (?, ?, 1, 1, 0)",
            ((f"alias{i}@example.com", f"user{i}@example.com") for i in range(ACCOUNTS)),
        )
        connection.executemany(
            "INSERT INTO grants (account_id, address, kind, note, given_by, created)"
            " VALUES (?, ?, 'as', '', '', 0)",
            ((i + 1, f"user{i + 1}@example.com") for i in range(0, ACCOUNTS, 10)),
        )


def median_microseconds(ask: Callable[[str], object], keys: list[str]) -> float:
    """The median time of one question."""
    taken = []
    for key in keys:
        began = time.perf_counter_ns()
        ask(key)
        taken.append(time.perf_counter_ns() - began)
    return statistics.median(taken) / 1000


def report(name: str, ours: float, peer: float) -> None:
    """One line for `make bench`."""
    print(f"{name} ours={ours:.1f}us peer={peer:.1f}us ratio={ours / peer:.2f}")


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "d.db"
        fill(path)
        kinds = {
            "account": [f"user{i}@example.com" for i in range(0, ACCOUNTS, ACCOUNTS // ASKED)],
            "alias": [f"alias{i}@example.com" for i in range(0, ACCOUNTS, ACCOUNTS // ASKED)],
            "tag": [f"user{i}+x@example.com" for i in range(0, ACCOUNTS, ACCOUNTS // ASKED)],
        }
        with Directory.open(path) as directory, sqlite3.connect(path) as connection:
            context = TableContext(parameters={"recipient_delimiter": "+"})
            lookup = directory.table_types()["directory"]("owners", context).lookup

            def union(key: str) -> object:
                return connection.execute(UNION, {"a": key}).fetchall()

            assert lookup("alias7@example.com") == "user7@example.com"
            assert lookup("user7+x@example.com") == "user7@example.com"
            for kind, keys in kinds.items():
                cold, peer = median_microseconds(lookup, keys), median_microseconds(union, keys)
                report(f"directory_owner_cold_{kind}", cold, peer)
                report(f"directory_owner_warm_{kind}", median_microseconds(lookup, keys), peer)


if __name__ == "__main__":
    main()
