"""S5.2: random ldap: tables on a random directory, answered as the installed postmap answers.

$MAYSEND_SERVER_LOOKUPS says how many (2000), $MAYSEND_SEED repeats a run.
"""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest

from tests.differential.ldap.directory import key, people, table
from tests.differential.tables.against_postmap import LOOKUPS, SEED, Comparison
from tests.servers.slapd import Slapd

pytestmark = [pytest.mark.needs_postfix, pytest.mark.needs_slapd]

KEYS_OF_A_TABLE = 40


def test_s5_2_random_ldap_lookups_equal_postmap(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    random = Random(SEED)
    entries, addresses = people(random, 150)
    with Slapd(entries) as server, ThreadPoolExecutor(6) as pool:

        def compared(number: int) -> tuple[Comparison, str]:
            own = Random(SEED + number)
            directory = tmp_path / str(number)
            directory.mkdir()
            parameters = {} if own.random() < 0.8 else {"smtputf8_enable": "no"}
            comparison = Comparison(directory, parameters)
            file = directory / "table.cf"
            file.write_text(table(own, server))
            comparison.ask(f"ldap:{file}", [key(own, addresses) for _ in range(KEYS_OF_A_TABLE)])
            return comparison, file.read_text()

        outcomes: Counter[str] = Counter()
        differences: list[str] = []
        number = 0
        while outcomes.total() < LOOKUPS and not differences:
            for comparison, text in pool.map(compared, range(number, number + 24)):
                outcomes.update(comparison.outcomes)
                differences += [f"{line}\n{text}" for line in comparison.differences]
            number += 24
    with capsys.disabled():
        print(f"\nldap seed {SEED}: {outcomes.total()} lookups in {number} tables, "
              f"{dict(outcomes)}, differing {len(differences)}")  # fmt: skip
    assert not differences, "\n\n".join(differences)
    assert all(outcomes[outcome] for outcome in ("found", "not found", "error"))
