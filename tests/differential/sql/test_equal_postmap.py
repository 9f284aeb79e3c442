"""S1.2, S1.4, S4.4: random lookups in real databases, answered as the installed postmap does.

$MAYSEND_SQL_LOOKUPS says how many for each kind of server (2000), $MAYSEND_SEED repeats a run.
"""

import json
import os
import subprocess
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest

from tests.differential.sql.client_files import spec_of
from tests.differential.sql.generators import SqlGenerator
from tests.differential.tables.postmap import Postmap
from tests.differential.tables.test_lookups import Answers, Plan
from tests.servers.mariadb import MariaDb
from tests.servers.postgresql import PostgreSql

pytestmark = pytest.mark.needs_postfix

LOOKUPS = int(os.environ.get("MAYSEND_SQL_LOOKUPS", "2000"))
SEED = int(os.environ.get("MAYSEND_SEED", "0")) or Random().randrange(1, 1 << 32)

TABLES_AT_ONCE = 32


class SqlPlan(Plan):
    """One configuration directory, and the tables on a server that are asked with it."""

    def __init__(
        self, directory: Path, server: MariaDb | PostgreSql, seed: int, parameters: dict[str, str]
    ) -> None:
        directory.mkdir()
        # pgsql: depends on the version: see its encoding.
        self.parameters = parameters | {"mail_version": installed_version()}
        self.postmap = Postmap(directory / "postfix", self.parameters)
        self.random = Random(seed)
        self.generator = SqlGenerator(self.random, directory, server)  # type: ignore[assignment]


@pytest.mark.needs_mariadb
def test_s1_2_mysql_equals_postmap(
    mariadb: MariaDb, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    compare(mariadb, tmp_path, capsys)


@pytest.mark.needs_postgresql
def test_s1_2_pgsql_equals_postmap(
    postgresql: PostgreSql, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    compare(postgresql, tmp_path, capsys)


def compare(
    server: MariaDb | PostgreSql, directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    type_name = spec_of(server)
    random = Random(SEED)
    plans = [
        SqlPlan(directory / "a", server, SEED, {"smtputf8_enable": "yes"}),
        SqlPlan(directory / "b", server, SEED, {"smtputf8_enable": "no"}),
    ]  # both fill the database with the same rows
    outcomes: Counter[str] = Counter()
    differences: list[str] = []
    with ThreadPoolExecutor(TABLES_AT_ONCE) as pool:
        while outcomes.total() < LOOKUPS and not differences:
            batch = [(plan, plan.answers(type_name)) for plan in
                     random.choices(plans, (4, 1), k=TABLES_AT_ONCE)]  # fmt: skip
            for found in pool.map(lambda item: list(item[0].differences(item[1])), batch):
                differences += found
            for _, answers in batch:
                count(answers, outcomes)
    report = {"seed": SEED, "type": type_name, "lookups": outcomes.total(),
              "differing": len(differences), **outcomes}  # fmt: skip
    with capsys.disabled():
        print("\n" + json.dumps(report))
    assert not differences, "\n".join(differences)
    assert outcomes["found"] > LOOKUPS / 10
    assert outcomes["not found"] > LOOKUPS / 10
    assert outcomes["error"]


def count(answers: Answers, outcomes: Counter[str]) -> None:
    for _, line in answers.lines:
        outcomes["not found" if line is None else "found"] += 1
    outcomes["error"] += len(answers.errors)


def installed_version() -> str:
    asked = subprocess.run(["postconf", "-dh", "mail_version"], capture_output=True, check=True)
    return asked.stdout.decode().strip()
