"""The directory with a million accounts and three million aliases and grants, on both stores.

For SQLite and, where its programs are installed, a private PostgreSQL: how long opening takes until
the first answer, a lookup of an owner never asked before ("cold") and remembered ("warm"), the
resident memory of a process that asked 200,000 different keys, and decisions a second of the
built-in policy beside those with 10,000 accounts; of `maysend serve` the same, and when it is
ready; how long `maysend account list` takes. The peer of a lookup is one indexed SELECT on the
same database. MILLION=100000 in the environment makes a smaller one; `sqlite` or `postgresql` as an
argument measures that only.
"""

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import insert, text

from maysend.directory import schema
from maysend.directory.database import Database
from maysend.directory.opening import open_database

sys.path.insert(0, str(Path(__file__).resolve().parent))
from million_served import compared, listed

ACCOUNTS = int(os.environ.get("MILLION", "1000000"))
FEW = 10_000
BATCH = 20_000
DOMAINS = 1000


def login(number: int) -> str:
    """The login of one account."""
    return f"user{number}@domain{number % DOMAINS}.example"


def account(number: int) -> dict[str, object]:
    """A row of accounts."""
    return {
        "id": number + 1,
        "login": login(number),
        "domain": f"domain{number % DOMAINS}.example",
        "name": "",
        "enabled": True,
        "scope": "",
        "created": 0,
    }


def alias(kind: str, number: int) -> dict[str, object]:
    """A row of aliases."""
    address = f"{kind}{number}@domain{number % DOMAINS}.example"
    return {
        "address": address,
        "target": login(number),
        "send": True,
        "receive": True,
        "created": 0,
    }


def grant(number: int, accounts: int) -> dict[str, object]:
    """A row of grants: each account may send as another."""
    return {
        "account_id": number + 1,
        "address": login((number * 7 + 1) % accounts),
        "kind": "as",
        "note": "",
        "given_by": "",
        "created": 0,
    }


def fill(database: Database, accounts: int) -> None:
    """One account, two aliases and a grant for each number."""
    for start in range(0, accounts, BATCH):
        numbers = range(start, min(start + BATCH, accounts))
        with database.writing() as connection:
            connection.execute(insert(schema.accounts), [account(n) for n in numbers])
            connection.execute(
                insert(schema.aliases),
                [alias(kind, n) for n in numbers for kind in ("alias", "other")],
            )
            connection.execute(insert(schema.grants), [grant(n, accounts) for n in numbers])
    with database.writing() as connection:
        connection.execute(text("ANALYZE"))


ASK = """
import json, random, resource, statistics, sys, time
began = time.perf_counter()
from maysend.directory import Directory
from maysend.policy import Policy, Request
from maysend.tables.table import TableContext, TableError
from bench.bench_directory_million import login
url, accounts, wide = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "wide"
directory = Directory.open(url, create=False)
context = TableContext(parameters={"recipient_delimiter": "+"})
table = directory.table_types()["directory"]("owners", context)
assert login(5) in table.lookup("alias5@domain5.example")
ready = time.perf_counter() - began
def timed(keys):
    taken = []
    for key in keys:
        start = time.perf_counter_ns()
        table.lookup(key)
        taken.append(time.perf_counter_ns() - start)
    return statistics.median(taken) / 1000
chosen = random.Random(1).sample(range(accounts), min(2000, accounts))
keys = [f"alias{n}@domain{n % 1000}.example" for n in chosen]
cold, warm = timed(keys), timed(keys)
policy = Policy.builtin(directory.table_types())
requests = [Request(client_address="192.0.2.1", sasl_username=login(n), sasl_method="PLAIN",
    sender=login(n), recipient="x@example.net") for n in chosen[:500]]
for request in requests: assert policy.decide(request).reply is None
start = time.perf_counter(); rounds = 0
while time.perf_counter() - start < 2:
    for request in requests: policy.decide(request)
    rounds += 1
rate = rounds * len(requests) / (time.perf_counter() - start)
if wide:
    for n in random.Random(2).sample(range(accounts), min(int(sys.argv[4]), accounts)):
        try: table.lookup(login(n))
        except TableError: pass  # a busy machine: no answer in time
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps(dict(ready=ready, cold=cold, warm=warm, rate=rate, memory=memory)))
"""

WIDE = int(os.environ.get("MILLION_WIDE", "120000"))
"""Different keys asked for the measure of memory: more than are remembered."""


def asked(url: str, accounts: int, *, wide: bool) -> dict[str, float]:
    """What a fresh process measures."""
    root = str(Path(__file__).resolve().parent.parent)
    path = os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", ASK, url, str(accounts), "wide" if wide else "", str(WIDE)],
        env=os.environ | {"PYTHONPATH": path},
        stdout=subprocess.PIPE,
        check=True,
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def plain_select(database: Database, accounts: int) -> float:
    """The median time of one indexed SELECT, in microseconds: what any answer costs at least."""
    taken = []
    statement = text("SELECT target FROM aliases WHERE address = :address")
    with database.answering() as connection:
        for n in random.Random(3).sample(range(accounts), min(2000, accounts)):
            start = time.perf_counter_ns()
            address = f"alias{n}@domain{n % DOMAINS}.example"
            connection.execute(statement, {"address": address}).all()
            taken.append(time.perf_counter_ns() - start)
    return sorted(taken)[len(taken) // 2] / 1000


def measure(store: str, many: str, few: str) -> None:
    """Fill and ask one kind of store."""
    for url, accounts in ((few, min(FEW, ACCOUNTS)), (many, ACCOUNTS)):
        database = open_database(url, create=True)
        began = time.monotonic()
        fill(database, accounts)
        print(f"# {store}: {accounts} accounts written in {time.monotonic() - began:.0f} s")
        peer = plain_select(database, accounts)
        database.close()
    small = asked(few, min(FEW, ACCOUNTS), wide=False)
    large = asked(many, ACCOUNTS, wide=True)
    name = f"directory_million_{store}"
    for kind in ("cold", "warm"):
        ours = large[kind]
        print(f"{name}_{kind} ours={ours:.2f}us peer={peer:.1f}us ratio={ours / peer:.3f}")
    ratio = large["rate"] / small["rate"]
    print(
        f"{name}_decisions ours={large['rate']:.0f}/s peer={small['rate']:.0f}/s ratio={ratio:.2f}"
    )
    print(f"{name}_ready ours={large['ready']:.2f}s peer=3s ratio={large['ready'] / 3:.2f}")
    # Before anything whose memory would count as a child's.
    rows = listed(many)
    print(
        f"{name}_account_list ours={rows['seconds']:.1f}s peer={rows['first']:.2f}s-to-first-line "
        f"ratio={rows['memory'] / 300:.2f}-of-300MB ({rows['lines']:.0f} lines)"
    )
    figures = compared((few, min(FEW, ACCOUNTS)), (many, ACCOUNTS), login)
    for kind, unit in (("rate", "/s"), ("per_cpu", "/cpu-s"), ("never_seen", "/s")):
        ours, peer = figures[kind]
        print(
            f"{name}_policy_service_{kind} ours={ours:.0f}{unit} peer={peer:.0f}{unit} "
            f"ratio={ours / peer:.2f}"
        )
    for kind, most, unit in (("ready", 3, "s"), ("memory", 300, "MB")):
        ours = figures[kind][0]
        print(
            f"{name}_serve_{kind} ours={ours:.2f}{unit} peer={most}{unit} ratio={ours / most:.2f}"
        )
    print(
        f"{name}_memory ours={large['memory']:.0f}MB peer=300MB ratio={large['memory'] / 300:.2f}"
    )


def stores(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Name, URL of the large and of the small directory."""
    yield "sqlite", f"sqlite:///{folder}/many.db", f"sqlite:///{folder}/few.db"
    if not list(Path("/usr/lib/postgresql").glob("*/bin/postgres")) or not shutil.which("setpriv"):
        print("# no PostgreSQL here")
        return
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from tests.servers.postgresql import PostgreSql

    with PostgreSql() as server:
        server.execute("CREATE ROLE maysend LOGIN PASSWORD 'dir-pw'")
        urls = []
        for name in ("many", "few"):
            server.execute(f"CREATE DATABASE {name} OWNER maysend")
            urls.append(f"postgresql://maysend:dir-pw@127.0.0.1:{server.port}/{name}")
        yield "postgresql", urls[0], urls[1]


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        for store, many, few in stores(Path(folder)):
            if store in (sys.argv[1:] or store):
                measure(store, many, few)


if __name__ == "__main__":
    main()
