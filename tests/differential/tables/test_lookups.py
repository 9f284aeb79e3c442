"""S3.5, S1.2 (pcre): random lookups in random tables, answered as the installed postmap does.

$MAYSEND_LOOKUPS says how many (50000), $MAYSEND_SEED repeats a run. Every disagreement that was met
has become a fixed case in tests/unit/tables.
"""

import json
import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest

from maysend.tables import TableContext, TableError, open_table
from maysend.tables.index import TYPES
from maysend.tables.unavailable import UnavailableTable
from tests.differential.tables import words
from tests.differential.tables.generators import ENVIRONMENT, Generator, Table
from tests.differential.tables.postmap import Postmap, encoded

pytestmark = pytest.mark.needs_postfix

LOOKUPS = int(os.environ.get("MAYSEND_LOOKUPS", "50000"))
SEED = int(os.environ.get("MAYSEND_SEED", "0")) or Random().randrange(1, 1 << 32)

KEYS_OF_A_TABLE = 50 if LOOKUPS < 100_000 else 150
ERRORS_OF_A_TABLE = 2  # each takes postmap a second; the rest of them is not counted
TABLES_AT_ONCE = 48
OUTCOMES = ("found", "not found", "error")
NEED_A_SERVER = {"ldap", "memcache", "mysql", "pgsql", "socketmap", "tcp"}
"""Types whose own tests start a server and ask it."""
ENOUGH_FOR_ALL = 20_000
"""Lookups from which on every outcome of every type has to be seen."""

IMPOSSIBLE = {("fail", "found"), ("internal", "found")}


class Answers(NamedTuple):
    """What this program answers, ready to be compared with postmap."""

    table: Table
    lines: list[tuple[str, bytes | None]]  # key, "key TAB answer" or None
    errors: list[tuple[str, str]]  # key, reason
    shapes: Counter[str]

    def count(self, outcomes: Counter[tuple[str, str]], shapes: Counter[str]) -> int:
        """Add to what was seen; the number of lookups."""
        kind = self.table.type_name
        for _, line in self.lines:
            outcomes[kind, "not found" if line is None else "found"] += 1
        outcomes[kind, "error"] += len(self.errors)
        shapes.update(self.shapes)
        return len(self.lines) + len(self.errors)


class Plan:
    """One configuration directory, and the tables that are asked with it."""

    def __init__(self, name: str, directory: Path, seed: int, parameters: dict[str, str]) -> None:
        directory.mkdir()
        self.parameters = parameters
        self.postmap = Postmap(directory / name, parameters)
        self.random = Random(seed)
        self.generator = Generator(self.random, directory, self.postmap)

    def answers(self, type_name: str) -> Answers:
        """A random table and what this program says about random keys."""
        table = self.generator.table("unionmap" if type_name == "proxy" else type_name)
        spec = f"proxy:{table.spec}" if type_name == "proxy" else table.spec
        context = TableContext(parameters=self.parameters, asked_by="postmap")
        try:
            opened = open_table(spec, context)
        except TableError as error:
            opened = UnavailableTable(spec, str(error))
        found: list[tuple[str, bytes | None]] = []
        errors: list[tuple[str, str]] = []
        shapes: Counter[str] = Counter()
        for _ in range(KEYS_OF_A_TABLE):
            key, shape = words.key(self.random, table.known)
            try:
                answer = opened.lookup(key)
            except TableError as error:
                if len(errors) == ERRORS_OF_A_TABLE:
                    continue
                errors.append((key, str(error)))
            else:
                line = None if answer is None else encoded(f"{key}\t{answer}\n")
                found.append((key, line))
            shapes[shape] += 1
        return Answers(table._replace(type_name=type_name), found, errors, shapes)

    def differences(self, answers: Answers) -> Iterator[str]:
        """Where postmap says something else."""
        spec = answers.table.spec
        for key, reason in answers.errors:
            status, output, complaints = self.postmap.ask(spec, key)
            if status == 0 or b"fatal" not in complaints:
                theirs = f"{status} {output!r} {complaints!r}"
                yield f"{spec!r} {key!r}: here {reason!r}, postmap {theirs}"
        if not answers.lines:
            return
        keys = [key for key, _ in answers.lines]
        output, complaints = self.postmap.ask_all(spec, keys)
        if (
            output == b"".join(line or b"" for _, line in answers.lines)
            and b"fatal" not in complaints
        ):
            return
        for key, line in answers.lines:
            status, output, complaints = self.postmap.ask(spec, key)
            theirs = encoded(key) + b"\t" + output if status == 0 else None
            if theirs != line or b"fatal" in complaints:
                yield f"{spec!r} {key!r}: here {line!r}, postmap {theirs!r} {complaints!r}"
                return


def test_s3_5_random_lookups_equal_postmap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    plans = [
        Plan("utf8", tmp_path / "a", SEED, {"smtputf8_enable": "yes"}),
        Plan("bytes", tmp_path / "b", SEED + 1, {"smtputf8_enable": "no"}),
    ]
    random = Random(SEED)
    types = sorted({*plans[0].generator.types, "proxy"})
    assert set(TYPES) - set(types) <= NEED_A_SERVER, "a type without random lookups"
    outcomes: Counter[tuple[str, str]] = Counter()
    shapes: Counter[str] = Counter()
    differences: list[str] = []
    asked = 0
    rare: list[str] = []  # types that go on after LOOKUPS, for an outcome that was not seen yet
    with ThreadPoolExecutor(2 * TABLES_AT_ONCE) as pool:
        before: list[Future[list[str]]] = []
        files: list[Path] = []
        while (asked < LOOKUPS or rare) and asked < 3 * LOOKUPS and not differences:
            running: list[Future[list[str]]] = []
            for number in range(TABLES_AT_ONCE):
                plan = random.choices(plans, (4, 1))[0]
                answers = plan.answers(
                    types[number] if number < len(types) else random.choice(rare or types)
                )
                running.append(pool.submit(lambda p, a: list(p.differences(a)), plan, answers))
                asked += answers.count(outcomes, shapes)
            if asked >= LOOKUPS >= ENOUGH_FOR_ALL:
                rare = sorted({kind for kind, _ in _never(types, outcomes)})
            # Meanwhile postmap has looked at the tables before these, and slept after its errors.
            differences += [line for future in before for line in future.result()]
            for path in files:
                path.unlink(missing_ok=True)
            before, files = running, [path for plan in plans for path in plan.generator.files()]
        differences += [line for future in before for line in future.result()]
    report = {
        "seed": SEED,
        "lookups": asked,
        "differing": len(differences),
        "types": {kind: {o: outcomes[kind, o] for o in OUTCOMES} for kind in types},
        "key shapes": dict(sorted(shapes.items())),
    }
    with capsys.disabled():
        print("\n" + json.dumps(report))
    assert not differences, "\n".join(differences)
    never = _never(types, outcomes)
    assert LOOKUPS < ENOUGH_FOR_ALL or not never, never
    assert LOOKUPS < ENOUGH_FOR_ALL or all(shapes[shape] for shape in words.SHAPES)


def _never(types: list[str], outcomes: Counter[tuple[str, str]]) -> list[tuple[str, str]]:
    """The types with an outcome that they could have had and did not."""
    pairs = ((kind, outcome) for kind in types for outcome in OUTCOMES)
    return [pair for pair in pairs if not outcomes[pair] and pair not in IMPOSSIBLE]
