"""What a worker counts, and how the counts of several workers become one (Prometheus' data model).

Counting is adding to an attribute of a cell that was looked up once:

    refused = metrics.counter("maysend_connections_refused_total", "…", listener="policy")
    refused.value += 1

A worker sends `metrics.samples()` to its supervisor, which adds them up.
"""

from collections.abc import Callable, Iterable
from typing import Literal, TypeAlias

import msgspec

from maysend.servers.cells import Cell, Histogram

Kind: TypeAlias = Literal["counter", "gauge", "histogram"]
Labels: TypeAlias = tuple[tuple[str, str], ...]


class Sample(msgspec.Struct, frozen=True, array_like=True):
    """What one cell or histogram says now; `value` is a histogram's total."""

    name: str
    kind: Kind
    help: str
    labels: Labels
    value: float
    counts: tuple[int, ...] = ()


class Metrics:
    """All that one process counts."""

    def __init__(self) -> None:
        self._cells: dict[tuple[str, Labels], tuple[Kind, str, Cell | Histogram]] = {}
        self._others: list[Callable[[], list[Sample]]] = []

    def also(self, read: "Callable[[], list[Sample]]") -> None:
        """What `read` gives counts too: for those who count in a way of their own."""
        self._others.append(read)

    def counter(self, name: str, help: str, **labels: str) -> Cell:
        """The counter of that name and labels; it only ever goes up."""
        return self._cell(name, "counter", help, labels)

    def gauge(self, name: str, help: str, **labels: str) -> Cell:
        """The gauge of that name and labels."""
        return self._cell(name, "gauge", help, labels)

    def histogram(self, name: str, help: str, **labels: str) -> Histogram:
        """The histogram of that name and labels."""
        key = (name, tuple(labels.items()))
        known = self._cells.get(key)
        if known is None:
            known = self._cells[key] = ("histogram", help, Histogram())
        assert isinstance(known[2], Histogram)
        return known[2]

    def samples(self) -> list[Sample]:
        """What everything says now."""
        own = [
            Sample(name, kind, help, labels, cell.total, tuple(cell.counts))
            if isinstance(cell, Histogram)
            else Sample(name, kind, help, labels, cell.value)
            for (name, labels), (kind, help, cell) in self._cells.items()
        ]
        return own + [sample for read in self._others for sample in read()]

    def _cell(self, name: str, kind: Kind, help: str, labels: dict[str, str]) -> Cell:
        key = (name, tuple(labels.items()))
        known = self._cells.get(key)
        if known is None:
            known = self._cells[key] = (kind, help, Cell())
        assert isinstance(known[2], Cell)
        return known[2]


def added(samples: Iterable[Sample]) -> list[Sample]:
    """The samples of several processes as those of one; gauges are added too."""
    sums: dict[tuple[str, Labels], Sample] = {}
    for sample in samples:
        key = (sample.name, sample.labels)
        sum_ = sums.get(key)
        if sum_ is None:
            sums[key] = sample
            continue
        counts = tuple(a + b for a, b in zip(sum_.counts, sample.counts, strict=True))
        value = sum_.value + sample.value
        sums[key] = Sample(sample.name, sample.kind, sample.help, sample.labels, value, counts)
    return list(sums.values())


def that_last(samples: Iterable[Sample]) -> list[Sample]:
    """Those that still count when their process is gone: no gauge does."""
    return [sample for sample in samples if sample.kind != "gauge"]
