"""LDAP lookups a second, with the table's own pool, beside one `postmap -q -` on the same keys.

The best of several rounds, in which both take turns. Half of the keys are found. The seconds that
postmap needs to start are taken off its time.

Usage: bench_ldap_table.py [KEYS [ROUNDS]]
"""

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # for the server that the tests start

from tests.differential.tables.postmap import Postmap
from tests.servers.slapd import Slapd, ldif

from maysend.tables import LookupTable, TableContext, open_table

TABLE = """\
search_base = ou=People,dc=example,dc=org
query_filter = (mail=%s)
result_attribute = maildrop
"""
THREADS = (1, 2, 4)


def main() -> None:
    """Measure over TCP and over a socket."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    keys = [f"user{n * 7 % count}@example.com" for n in range(count)]
    with Slapd(entries(count // 2)) as server, tempfile.TemporaryDirectory() as directory:
        for name, url in (("ldap", server.url), ("ldapi", server.socket_url)):
            path = Path(directory) / f"{name}.cf"
            path.write_text(f"server_host = {url}\n{TABLE}")
            postmap = Postmap(Path(directory) / name, {})
            print(compared(name, f"ldap:{path}", postmap, keys, rounds), flush=True)


def entries(count: int) -> str:
    """Users with an address each, as LDIF."""
    return "".join(
        ldif(
            f"uid=user{number},ou=People,dc=example,dc=org",
            ("objectClass", "inetOrgPerson"), ("objectClass", "mailPolicy"),
            ("uid", f"user{number}"), ("cn", "User"), ("sn", "User"),
            ("mail", f"user{number}@example.com"), ("maildrop", f"box{number}@store.example.com"),
        )
        for number in range(count)
    )  # fmt: skip


def compared(name: str, spec: str, postmap: Postmap, keys: Sequence[str], rounds: int) -> str:
    """The line of one way to reach the server."""
    table = open_table(spec, TableContext())
    start, theirs = [], []
    ours: dict[int, list[float]] = {threads: [] for threads in THREADS}
    for _ in range(rounds):
        start.append(timed(postmap.ask_all, spec, keys[:1]))
        theirs.append(timed(postmap.ask_all, spec, keys))
        for threads, times in ours.items():
            times.append(timed(ask_all, table, keys, threads))
    assert len(postmap.ask_all(spec, keys)[0].splitlines()) == len(keys) // 2
    peer = len(keys) / (min(theirs) - min(start))
    rates = {threads: len(keys) / min(times) for threads, times in ours.items()}
    best = max(rates.values())
    each = ", ".join(f"{threads}: {rate:.0f}/s" for threads, rate in rates.items())
    return (
        f"{name} ours={best:.0f}/s peer={peer:.0f}/s ratio={best / peer:.2f} (by threads: {each})"
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
