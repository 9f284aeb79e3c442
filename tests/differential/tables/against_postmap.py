"""Asks this program and postmap the same keys of a table that a server stands behind."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from signal import SIGABRT, SIGPIPE, SIGSEGV

from maysend.tables import TableContext, TableError, open_table
from tests.differential.tables.postmap import DIED, Postmap, encoded

LOOKUPS = int(os.environ.get("MAYSEND_SERVER_LOOKUPS", "2000"))
SEED = int(os.environ.get("MAYSEND_SEED", "0")) or Random().randrange(1, 1 << 32)

_ERRORS_OF_A_TABLE = 3  # each takes postmap a second at least


class Comparison:
    """Counts what was asked, and what was answered differently."""

    def __init__(self, directory: Path, parameters: dict[str, str] | None = None) -> None:
        self.parameters = parameters or {}
        self.postmap = Postmap(directory / "config", self.parameters)
        self.outcomes: Counter[str] = Counter()
        self.differences: list[str] = []

    @property
    def asked(self) -> int:
        return self.outcomes.total()

    def ask(self, spec: str, keys: Iterable[str]) -> None:
        """Compare the answers for `keys`; those that fail one by one, the others at once."""
        table = open_table(spec, TableContext(parameters=self.parameters))
        answered: list[tuple[str, bytes]] = []
        failed: list[tuple[str, str]] = []
        for key in keys:
            try:
                answer = table.lookup(key)
            except TableError as error:
                if len(failed) < _ERRORS_OF_A_TABLE:
                    failed.append((key, str(error)))
                    self.outcomes["error"] += 1
                continue
            self.outcomes["not found" if answer is None else "found"] += 1
            answered.append((key, b"" if answer is None else encoded(f"{key}\t{answer}\n")))
        self.differences += self._answered_differently(spec, answered)
        with ThreadPoolExecutor(_ERRORS_OF_A_TABLE) as pool:
            self.differences += filter(
                None, pool.map(lambda failure: self._did_not_fail(spec, *failure), failed)
            )

    def report(self) -> str:
        """One line on what was compared."""
        return (
            f"seed {SEED}: {self.asked} lookups, {dict(self.outcomes)}, "
            f"differing {len(self.differences)}"
        )

    def _answered_differently(self, spec: str, answered: list[tuple[str, bytes]]) -> Iterator[str]:
        if not answered:
            return
        output, complaints = self.postmap.ask_all(spec, [key for key, _ in answered])
        expected = b"".join(line for _, line in answered)
        if output == expected and b"fatal" not in complaints:
            return
        ours, theirs_at_once = expected.splitlines(), output.splitlines()
        at_once = [*set(ours) - set(theirs_at_once), b"|", *set(theirs_at_once) - set(ours)]
        died = DIED in complaints
        for key, line in answered:
            status, output, complaints = self.postmap.ask(spec, key)
            if status == -SIGPIPE:
                # memcached closes on a line that is too long, and postmap may die of writing to it;
                # smtpd ignores the signal.
                died = True
                continue
            theirs = encoded(key) + b"\t" + output if status == 0 else b""
            if theirs != line or b"fatal" in complaints:
                yield f"{spec} {key!r}: here {line!r}, postmap {theirs!r} {complaints!r}"
                return
        if not died:
            yield f"{spec}: one by one the same, all at once {at_once!r}"

    def _did_not_fail(self, spec: str, key: str, reason: str) -> str | None:
        status, output, complaints = self.postmap.ask(spec, key)
        if status == 0 or not (b"fatal" in complaints or _died_of_the_failure(status, complaints)):
            return f"{spec} {key!r}: here {reason!r}, postmap {status} {output!r} {complaints!r}"
        return None


def _died_of_the_failure(status: int, complaints: bytes) -> bool:
    """Whether the lookup failed, and libldap ended postmap before it said so.

    It may free a request with a bad filter twice, by what the memory happens to hold: seen as an
    assertion of liblber that fails, and as a segmentation fault.
    """
    return status in (-SIGABRT, -SIGSEGV) and b": search error " in complaints
