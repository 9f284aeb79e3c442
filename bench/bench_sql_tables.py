"""SQL lookups a second, with the table's own pool, beside one `postmap -q -` on the same keys.

Each line is the best of several rounds, in which both take turns. Half of the keys are found. The
seconds that postmap needs to start are taken off its time.

Usage: bench_sql_tables.py [KEYS [ROUNDS]]
"""

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # for the servers that the tests start

from tests.differential.sql.client_files import spec_of, written
from tests.differential.sql.generators import fill
from tests.differential.tables.postmap import Postmap
from tests.servers.mariadb import MariaDb
from tests.servers.postgresql import PostgreSql

from maysend.tables import LookupTable, TableContext, open_table

QUERY = "SELECT login FROM owners WHERE address = '%s'"
THREADS = (1, 2, 4)


def main() -> None:
    """Measure both kinds of server, by a socket and by TCP."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    for kind in (MariaDb, PostgreSql):
        with kind() as server, tempfile.TemporaryDirectory() as directory:
            compare(server, Path(directory), count, rounds)


def compare(server: MariaDb | PostgreSql, directory: Path, count: int, rounds: int) -> None:
    """Print the lines of one server."""
    fill(server, [(f"user{n}@example.com", f"login{n}", None) for n in range(count // 2)])
    server.execute("CREATE INDEX by_address ON owners (address)", "mail")
    server.execute(
        "ANALYZE owners" if spec_of(server) == "pgsql" else "ANALYZE TABLE owners", "mail"
    )
    keys = [f"user{n * 7 % count}@example.com" for n in range(count)]
    postmap = Postmap(directory / "postfix", {})
    for way, hosts in (("", {}), ("_tcp", {"hosts": f"127.0.0.1:{server.port}"})):
        spec = written(directory / f"table{way}", server, {"query": QUERY} | hosts)
        table = open_table(spec, TableContext())
        start, theirs = [], []
        ours: dict[int, list[float]] = {threads: [] for threads in THREADS}
        for _ in range(rounds):
            start.append(timed(postmap.ask_all, spec, keys[:1]))
            theirs.append(timed(postmap.ask_all, spec, keys))
            for threads, times in ours.items():
                times.append(timed(ask_all, table, keys, threads))
        assert len(postmap.ask_all(spec, keys)[0].splitlines()) == count // 2
        peer = count / (min(theirs) - min(start))
        rates = {threads: count / min(times) for threads, times in ours.items()}
        best = max(rates.values())
        each = ", ".join(f"{threads}: {rate:.0f}/s" for threads, rate in rates.items())
        print(
            f"{spec_of(server)}{way} ours={best:.0f}/s peer={peer:.0f}/s ratio={best / peer:.2f} "
            f"(by threads: {each})"
        )


def ask_all(table: LookupTable, keys: Sequence[str], threads: int) -> None:
    """Look every key up, with this many threads at a time."""
    with ThreadPoolExecutor(threads) as pool:
        shares = [keys[number::threads] for number in range(threads)]
        found = sum(
            pool.map(lambda share: sum(table.lookup(key) is not None for key in share), shares)
        )
    assert found == len(keys) // 2


def timed(action: Callable[..., object], *arguments: object) -> float:
    """The seconds that `action` takes."""
    start = time.perf_counter()
    action(*arguments)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
