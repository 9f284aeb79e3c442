"""What is counted into."""

from typing import Final

SECONDS: Final[tuple[float, ...]] = (
    *(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005),
    *(0.01, 0.025, 0.1, 0.5, 2.5, 10.0),
)
"""Upper bounds of the buckets that durations are counted in."""


class Cell:
    """One counter or gauge."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0


class Histogram:
    """Durations in seconds, counted by the buckets of SECONDS; the last is for longer ones."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(SECONDS) + 1)
        self.total = 0.0

    def observe(self, seconds: float) -> None:
        """Count one duration."""
        bucket = 0
        for bound in SECONDS:  # most are in the first
            if seconds <= bound:
                break
            bucket += 1
        self.counts[bucket] += 1
        self.total += seconds
