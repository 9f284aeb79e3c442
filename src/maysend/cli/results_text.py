"""How cases went, for people: 80 columns, what failed first and in full."""

import textwrap
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import pairwise

import click

from maysend.cases import Difference, Result
from maysend.restrictions.replies import printable

WIDTH = 80
INDENT = "        "


def render_results(results: Sequence[Result], *, verbose: bool = False) -> str:
    """The cases that failed, those that passed where `verbose`, and the sum."""
    parts = ["\n".join(_case(result)) for result in results if verbose or not result.passed]
    separator = "\n" if all(result.passed for result in results) else "\n\n"
    return "\n\n".join(part for part in (separator.join(parts), _sum(results)) if part)


def _case(result: Result) -> Iterator[str]:
    word, colour = _verdict(result)
    head = f"{word:<8}{result.case.place}  "
    room = WIDTH - len(head)
    name = printable(result.case.name)
    title = click.style(f"{word:<8}", fg=colour, bold=True)
    if len(name) <= room:
        yield f"{title}{result.case.place}  {name}"
    else:
        yield f"{title}{result.case.place}"
        yield from _wrapped(name, INDENT)
    if result.broken:
        yield from _wrapped(printable(result.broken), INDENT)
    command = ""
    for difference in result.differences:
        if difference.command != command:
            command = difference.command
            yield from _wrapped(printable(command), INDENT)
        yield from _difference(difference)


def _verdict(result: Result) -> tuple[str, str]:
    if result.broken:
        return "BROKEN", "magenta"
    return ("passed", "green") if result.passed else ("FAILED", "red")


def _difference(difference: Difference) -> Iterator[str]:
    wanted, got = printable(difference.wanted), printable(difference.got)
    match difference.aspect:
        case "reply":
            yield from _compared("wanted", wanted, got, "green")
            yield from _compared("got", got, wanted, "red")
            yield from _wrapped(_decided(difference), f"{INDENT}  ")
        case "decided_by":
            yield from _compared("wanted", f"decided by {wanted}", f"decided by {got}", "green")
            yield from _compared("got", f"decided by {got}", f"decided by {wanted}", "red")
            yield from _wrapped(_where(difference), f"{INDENT}          ")
        case "actions":
            yield from _compared("wanted", f"actions: {wanted}", f"actions: {got}", "green")
            yield from _compared("got", f"actions: {got}", f"actions: {wanted}", "red")
        case "fatal":
            yield from _wrapped(f"wanted  smtpd to refuse to start: {wanted}", f"{INDENT}  ")
            yield from _wrapped(f"got     {got}", f"{INDENT}  ")


def _decided(difference: Difference) -> str:
    if not difference.restriction:
        return "no restriction decided" if difference.got != "not asked" else ""
    where = _where(difference)
    return f"decided by {printable(difference.restriction)}{where and f' {where}'}"


def _where(difference: Difference) -> str:
    if not difference.parameter:
        return ""
    place = "" if difference.place is None else f" ({difference.place})"
    return f"in {difference.parameter}{place}"


def _compared(label: str, text: str, other: str, colour: str) -> Iterator[str]:
    """A text below its label, with the words coloured that the other text has not."""
    lines = textwrap.wrap(
        text, WIDTH - len(INDENT) - 10, break_on_hyphens=False, break_long_words=False
    ) or [""]
    unlike = _unlike(text.split(), other.split())
    position = 0
    for number, line in enumerate(lines):
        words = line.split()
        shown = [
            click.style(word, fg=colour) if position + offset in unlike else word
            for offset, word in enumerate(words)
        ]
        position += len(words)
        yield f"{INDENT}  {label if number == 0 else '':<8}{' '.join(shown)}".rstrip()


def _unlike(words: Sequence[str], others: Sequence[str]) -> set[int]:
    """The positions of the words that are not in the same order in the others."""
    blocks = SequenceMatcher(None, words, others, autojunk=False).get_matching_blocks()
    gaps = pairwise([(0, 0), *((block.a, block.a + block.size) for block in blocks)])
    return {position for (_, end), (start, _) in gaps for position in range(end, start)}


def _sum(results: Sequence[Result]) -> str:
    files = len({result.case.place.file for result in results})
    broken = sum(bool(result.broken) for result in results)
    passed = sum(result.passed for result in results)
    failed = len(results) - passed - broken
    seconds = sum(result.seconds for result in results)
    counted = [
        f"{passed} passed",
        f"{failed} failed" if failed else "",
        f"{broken} broken" if broken else "",
    ]
    text = (
        f"{_plural(len(results), 'case')} in {_plural(files, 'file')}: "
        f"{', '.join(count for count in counted if count)} ({seconds:.2f} s)"
    )
    return click.style(text, fg="green" if passed == len(results) else "red", bold=True)


def _plural(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _wrapped(text: str, indent: str) -> Iterator[str]:
    if text:
        yield from textwrap.wrap(
            text, WIDTH, initial_indent=indent, subsequent_indent=indent,
            break_on_hyphens=False, break_long_words=False,
        )  # fmt: skip
