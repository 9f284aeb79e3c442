"""S3.5: cdb: reads the files that the installed postmap makes, and answers as it does."""

import os
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maysend.tables import TableContext, TableError, open_table
from tests.differential.tables import words
from tests.differential.tables.against_postmap import LOOKUPS, SEED, Comparison
from tests.differential.tables.postmap import encoded

pytestmark = pytest.mark.needs_postfix

TABLES = 10


def test_s3_5_cdb_equals_postmap(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    random = Random(SEED)
    comparison = Comparison(tmp_path)
    for number in range(TABLES):
        known = [words.address(random) for _ in range(random.choice((0, 1, 20, 400)))]
        known += known[:5]  # postmap keeps the first of two
        path = tmp_path / f"table{number}"
        path.write_bytes(b"".join(encoded(f"{key}\t{words.text(random)}\n") for key in known))
        options = random.choice(((), (), ("-N",), ("-n",), ("-f",)))
        comparison.postmap.build(f"cdb:{path}", *options)
        keys = [words.key(random, known)[0] for _ in range(LOOKUPS // TABLES)]
        comparison.ask(f"cdb:{path}", keys)
    with capsys.disabled():
        print("\ncdb", comparison.report())
    assert not comparison.differences, "\n".join(comparison.differences)
    assert comparison.outcomes["found"]


def test_s3_5_a_missing_or_older_cdb_is_told(tmp_path: Path) -> None:
    path = tmp_path / "access"
    with pytest.raises(TableError, match=r"open database .*access\.cdb: No such file"):
        open_table(f"cdb:{path}", TableContext(asked_by="postmap"))
    path.write_text("a one\n")
    Comparison(tmp_path).postmap.build(f"cdb:{path}")
    os.utime(f"{path}.cdb", (1, 1))
    warnings: list[str] = []
    open_table(f"cdb:{path}", TableContext(warn=warnings.append))
    assert "is older than source file" in warnings[0]


@settings(
    max_examples=200, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(data=st.data())
def test_a_damaged_cdb_is_an_error_or_an_answer(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "access"
    if not path.exists():
        path.write_text("".join(f"key{number} value{number}\n" for number in range(50)))
        Comparison(tmp_path).postmap.build(f"cdb:{path}")
        Path(f"{path}.cdb").rename(tmp_path / "whole")
    octets = bytearray((tmp_path / "whole").read_bytes())
    for _ in range(data.draw(st.integers(0, 20))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "access.cdb").write_bytes(octets[: data.draw(st.integers(0, len(octets)))])
    table = open_table(f"cdb:{path}", TableContext())
    for number in range(50):
        try:
            answer = table.lookup(f"key{number}")
        except TableError:
            continue
        assert answer is None or len(answer) < 10_000
