"""`maysend lint`: what is wrong with a sender policy, before it matters."""

import sys
from collections.abc import Callable, Sequence
from difflib import get_close_matches

import click

from maysend.cli.exit_codes import REJECTED
from maysend.cli.finding_formats import as_github, as_json, as_sarif
from maysend.cli.finding_text import render_findings
from maysend.lint import Configuration, Finding, refusal
from maysend.lint import lint as lint_configuration
from maysend.lint.rules.index import RULES
from maysend.maincf import MainCfError

FORMATS: dict[str, Callable[[Sequence[Finding]], str]] = {
    "text": render_findings,
    "json": as_json,
    "sarif": as_sarif,
    "github": as_github,
}


def _codes(context: click.Context, option: click.Parameter, value: str) -> tuple[str, ...]:
    """The rules that a list of codes names; "MS1" is all that begin so."""
    chosen: dict[str, None] = {}
    for word in value.replace(",", " ").upper().split():
        matching = [code for code in RULES if code.startswith(word)]
        if not matching:
            near = get_close_matches(word, RULES, 1, 0.5)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise click.BadParameter(f"no rule {word}{hint} (`maysend rule` lists them)")
        chosen.update(dict.fromkeys(matching))
    return tuple(chosen)


@click.command()
@click.argument("argument", metavar="[DIR]", required=False)
@click.option("-c", "option", metavar="DIR", help="Postfix configuration directory.")
@click.option("--service", metavar="NAME", help="Only this service of master.cf.")
@click.option(
    "--select", metavar="CODES", default="MS", callback=_codes,
    help="Only these rules: MS101,MS2 (all that begin so).",
)  # fmt: skip
@click.option("--ignore", metavar="CODES", default="", callback=_codes, help="Not these rules.")
@click.option(
    "--format", "style", type=click.Choice(list(FORMATS)), default="text", show_default=True
)
def lint(
    argument: str | None,
    option: str | None,
    service: str | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    style: str,
) -> None:
    """Find what is wrong with the sender policy in DIR, without changing anything.

    DIR is a Postfix configuration directory, /etc/postfix if none is named. Each finding says
    where, why, and what to write instead; `maysend rule CODE` explains it. A comment in the file
    on the line before silences a code at one place:

    \b
    # maysend: ignore MS201

    Exit status: 1 where an error is found, 0 otherwise.

    \b
    maysend lint /etc/postfix --service submission
    maysend lint --select MS1 --format sarif > findings.sarif
    """
    directory = option or argument or "/etc/postfix"
    codes = [code for code in select if code not in ignore]
    try:
        configuration = Configuration(directory, service)
    except MainCfError as error:
        findings = [refusal(error)]
    else:
        findings = _with_progress(configuration, codes)
    output = FORMATS[style](findings)
    if output:
        click.echo(output.encode("utf-8", "replace").decode())
    sys.exit(REJECTED if any(finding.is_error for finding in findings) else 0)


def _with_progress(configuration: Configuration, codes: Sequence[str]) -> list[Finding]:
    """Lint, with a bar on a terminal."""
    if not sys.stderr.isatty():
        return lint_configuration(configuration, codes)
    with click.progressbar(length=1, label="Checking", file=sys.stderr) as bar:

        def progress(done: int, total: int) -> None:
            bar.length = total
            bar.update(1)

        return lint_configuration(configuration, codes, progress)
