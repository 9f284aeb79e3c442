"""An open directory with a clock that the test moves."""

from collections.abc import Iterator

import pytest

from maysend.directory import Directory
from maysend.tables.table import LookupTable, TableContext
from tests.unit.directory.stores import postgresql_directories, store

__all__ = ["postgresql_directories", "store"]

START = 1_700_000_000.0


class Clock:
    """Seconds that pass when the test says so; the same for elapsed time and for dates."""

    def __init__(self) -> None:
        self.seconds = START

    def __call__(self) -> float:
        return self.seconds

    def pass_seconds(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def directory(store: str, clock: Clock) -> Iterator[Directory]:
    with Directory.open(store, actor="tester", source="here", clock=clock, now=clock) as opened:
        yield opened


def open_directory_table(directory: Directory, name: str, delimiters: str = "+") -> LookupTable:
    context = TableContext(parameters={"recipient_delimiter": delimiters})
    return directory.table_types()["directory"](name, context)
