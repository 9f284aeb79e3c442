"""Findings as text: the line as written with the place marked, why, and the fix; 80 columns."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import click

from maysend.lint import CounterExample, Finding, Severity
from maysend.restrictions.replies import printable

WIDTH = 80
COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}


def render_findings(findings: Sequence[Finding]) -> str:
    """All findings, and how many there are of each kind."""
    return "\n\n".join([*("\n".join(_lines(finding)) for finding in findings), _sum(findings)])


def brief(finding: Finding) -> str:
    """One finding in a few lines, for a place where it is not the main thing."""
    kind = "possible " if finding.problem.possible else ""
    place = finding.problem.place
    where = f"{place.file.rpartition('/')[2]}:{place.line}"
    text = f"- {finding.code} {kind}{finding.severity.value} ({where}): {finding.problem.message}"
    return textwrap.fill(
        printable(text), WIDTH, subsequent_indent="  ",
        break_on_hyphens=False, break_long_words=False,
    )  # fmt: skip


def _lines(finding: Finding) -> Iterator[str]:
    problem = finding.problem
    kind = "possible " if problem.possible else ""
    heading = click.style(
        f"{finding.code} {kind}{finding.severity.value}", fg=COLOURS[finding.severity], bold=True
    )
    first = f"{finding.code} {kind}{finding.severity.value}: "
    wrapped = textwrap.wrap(
        " " * len(first) + printable(problem.message), WIDTH, subsequent_indent="  ",
        break_on_hyphens=False, break_long_words=False,
    )  # fmt: skip
    wrapped[0] = f"{heading}: {wrapped[0].lstrip()}"
    yield from wrapped
    yield click.style(f"  --> {_where(finding)}", dim=True)
    yield from _marked(finding)
    if finding.services:
        yield from _entry("in", ", ".join(finding.services))
    if problem.example is not None:
        yield from _entry("shown by", _request(problem.example))
    if problem.fix:
        yield from _entry("instead", "")
        yield from (f"        {line}" for line in problem.fix.splitlines())


def _where(finding: Finding) -> str:
    place = finding.problem.place
    return f"{place}:{place.column}" if place.line else str(place)


def _marked(finding: Finding) -> Iterator[str]:
    place = finding.problem.place
    line = _line_of(place.file, place.line)
    if line is None:
        return
    number = str(place.line)
    column = place.column - 1
    length = max(min(finding.end_column, len(line) + 1) - place.column, 1)
    # A long line is shown from where it matters.
    room = WIDTH - len(number) - 5
    start = 0 if column + length <= room else max(column - 8, 0)
    shown = line[start : start + room].replace("\t", " ")
    margin = " " * len(number)
    yield f" {margin} |"
    yield f" {number} | {printable(shown)}"
    mark = "^" * min(length, room - (column - start))
    yield f" {margin} | {' ' * (column - start)}" + click.style(
        mark, fg=COLOURS[finding.severity], bold=True
    )


@lru_cache(maxsize=64)
def _lines_of(file: str) -> tuple[str, ...]:
    try:
        return tuple(Path(file).read_text(errors="replace").splitlines())
    except OSError:
        return ()


def _line_of(file: str, number: int) -> str | None:
    lines = _lines_of(file)
    return lines[number - 1] if 0 < number <= len(lines) else None


def _request(example: CounterExample) -> str:
    parts = [
        f"login {example.login}" if example.login else "not logged in",
        f"from <{example.sender}>",
    ]
    if example.recipient:
        parts.append(f"to <{example.recipient}>")
    if example.client_address:
        parts.append(f"client {example.client_address}")
    if example.helo_name:
        parts.append(f"HELO {example.helo_name}")
    return f"{', '.join(parts)} → {example.answer}"


def _entry(name: str, text: str) -> Iterator[str]:
    head = f"  = {name}: "
    yield from textwrap.wrap(
        head + printable(text), WIDTH, subsequent_indent=" " * len(head),
        break_on_hyphens=False, break_long_words=False,
    ) or [head]  # fmt: skip


def _sum(findings: Iterable[Finding]) -> str:
    counts = dict.fromkeys(Severity, 0)
    for finding in findings:
        counts[finding.severity] += 1
    words = [
        f"{count} {severity.value}{'s' if count != 1 else ''}"
        for severity, count in counts.items()
        if count
    ]
    return f"Found {', '.join(words)}." if words else "Nothing found."
