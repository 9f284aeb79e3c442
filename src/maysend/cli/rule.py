"""`maysend rule`: what a rule of lint is about."""

import sys
from difflib import get_close_matches

import click

from maysend.cli.exit_codes import EX_USAGE
from maysend.lint.rules.index import RULES


@click.command()
@click.argument("code", required=False)
def rule(code: str | None) -> None:
    """Print what the rule CODE finds, why that is bad, and what to write instead.

    Without CODE, list the rules.

    \b
    maysend rule MS201
    """
    if code is None:
        for known, entry in RULES.items():
            click.echo(f"{known}  {entry.severity.value:<8} {entry.name}")
        return
    found = RULES.get(code.upper()) or next(
        (entry for entry in RULES.values() if entry.name == code.lower()), None
    )
    if found is None:
        names = [*RULES, *(entry.name for entry in RULES.values())]
        near = get_close_matches(code.upper(), names, 1) or get_close_matches(code, names, 1)
        hint = f" Did you mean {near[0]}?" if near else " `maysend rule` lists them."
        click.echo(f"maysend rule: no rule {code}.{hint}", err=True)
        sys.exit(EX_USAGE)
    click.echo(found.page())
