"""maysend observe report: who would have been refused."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from maysend.cli.directory_options import DirectoryGroup, print_json, refuse

if TYPE_CHECKING:
    from maysend.servers.observations import Observation, Report


@click.group(cls=DirectoryGroup)
def observe() -> None:
    """Observe: look who would be refused before refusing anybody.

    In maysend's main.cf, `smtpd_observe_restrictions = all`, or the names of restrictions, lets
    pass what they would refuse. It applies to the restrictions on senders, headers and lists;
    relaying, SASL and suspension go on refusing, and a table that fails still defers.
    """


@observe.command("report")
@click.argument("logs", nargs=-1, metavar="LOG...", required=True, type=click.Path())
@click.option("--format", "output_format", type=click.Choice(["text", "json"]), default="text")
def report(logs: tuple[str, ...], output_format: str) -> None:
    """Report what the decision LOGs observed, by login and sender, with what would allow each.

    "-" is standard input. The exit status is 0 where nothing was observed, else 1.

    \b
    maysend observe report /var/log/maysend/decisions.log
    """
    from maysend.servers.observations import report_of

    found = report_of(_lines(logs))
    if output_format == "json":
        print_json(found)
    else:
        for each in found.observations:
            _print(each)
        click.echo(_summary(found), err=True)
    sys.exit(1 if found.observations else 0)


def _lines(logs: tuple[str, ...]) -> Iterator[bytes]:
    for name in logs:
        if name == "-":
            yield from sys.stdin.buffer
            continue
        try:
            with open(name, "rb") as file:
                yield from file
        except OSError as error:
            refuse(f"can't read {name}: {error.strerror}")


def _print(each: "Observation") -> None:
    who = _printable(each.login) or "somebody not logged in"
    times = "once" if each.count == 1 else f"{each.count} times, last"
    click.secho(f"{who}: {_printable(each.about) or '<>'}", bold=True)
    click.echo(f"  {times} {each.last} by {each.restriction}")
    click.echo(f"  would be told: {_printable(each.reply)}")
    click.echo(f"  to allow it:   {_printable(each.allow) or 'log in, or use an own address'}")


def _summary(found: "Report") -> str:
    total = sum(each.count for each in found.observations) + found.more
    text = f"{total} of {found.lines} decisions would have been refused"
    if found.unreadable:
        text += f"; {found.unreadable} lines are none of a decision log"
    if found.more:
        text += f"; {found.more} of them by more logins and senders than are told apart"
    return text


def _printable(text: str) -> str:
    """`text` without what could do something to a terminal."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
