"""Long lists, a row at a time, with a progress bar where somebody watches."""

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import click

RowType = TypeVar("RowType")

WORTH_WATCHING = 20_000
"""Rows from which on a progress bar is shown."""


def progressing(rows: Iterable[RowType], count: Callable[[], int], what: str) -> Iterator[RowType]:
    """`rows`, with a progress bar on stderr where that is a terminal and they are many."""
    if not sys.stderr.isatty() or (total := count()) < WORTH_WATCHING:
        yield from rows
        return
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    yield from track(rows, description=what, total=total, console=console, transient=True)


def print_json_array(values: Iterable[object]) -> None:
    """Print a JSON array, an element at a time: it may be longer than memory would hold."""
    import msgspec

    separator = "["
    for value in values:
        text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
        click.echo(separator + "\n  " + text.replace("\n", "\n  "), nl=False)
        separator = ","
    click.echo("[]" if separator == "[" else "\n]")
