"""What a lookup tells of itself."""

from maysend.tables import TableContext, open_table
from maysend.tables.table import TraceStep


def traced(spec: str, key: str) -> list[tuple[int, str, str]]:
    """The steps of one lookup: depth, what, text."""
    steps: list[TraceStep] = []
    open_table(spec, TableContext(trace=steps.append)).lookup(key)
    return [(step.depth, step.what, step.text) for step in steps]
