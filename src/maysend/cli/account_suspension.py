"""maysend account suspend and resume: nothing that a login sends is let through for a while."""

import shlex
from typing import TYPE_CHECKING

import click

from maysend.cli.account_text import account_as_json
from maysend.cli.completion import complete_logins
from maysend.cli.directory_options import on_directory, print_result, time_text
from maysend.cli.moments import parse_until

if TYPE_CHECKING:
    from maysend.directory import Directory


@click.command("suspend")
@click.argument("login", shell_complete=complete_logins)
@click.option("--reason", required=True, metavar="TEXT", help="What the user is told.")
@click.option(
    "--until", metavar="TIME", help="When it ends: 2h, 3d, 2030-12-31, 2030-12-31T18:00 (UTC)."
)
@on_directory
def suspend(
    opened: "Directory", login: str, reason: str, until: str | None, output_format: str
) -> None:
    """Refuse everything that LOGIN sends, by whatever address, with TEXT as the reason.

    What it has queued in a Postfix beside this is not touched: the command to find and hold that
    is printed.
    """
    end = None if until is None else parse_until(until, opened.now())
    found = opened.accounts.suspend(login, reason, end)
    ends = "" if end is None else f" until {time_text(end)}"
    text = (
        f"suspended {found.login}{ends}\n"
        f"Back with: maysend account resume {found.login}\n"
        "Mail that it has already queued in a Postfix beside this goes on. To hold it:\n"
        f"{hold_command(found.login)}\n"
        "and later `postsuper -H ID` to release, `postsuper -d ID` to delete."
    )
    result = {**account_as_json(found), "hold_queued": hold_command(found.login)}
    print_result(output_format, text, result)


@click.command("resume")
@click.argument("login", shell_complete=complete_logins)
@on_directory
def resume(opened: "Directory", login: str, output_format: str) -> None:
    """End the suspension of LOGIN."""
    found = opened.accounts.resume(login)
    print_result(output_format, f"resumed {found.login}", account_as_json(found))


def hold_command(login: str) -> str:
    """What holds the mail of `login` in Postfix's queue (postqueue(1), postcat(1), postsuper(1)).

    The queue file keeps the login as it was typed, so case is ignored.
    """
    attribute = shlex.quote(f"named_attribute: sasl_username={login}")
    return (
        '  postqueue -j | sed -n \'s/.*"queue_id": "\\([^"]*\\)".*/\\1/p\' |\n'
        "  while read id; do\n"
        f'    postcat -eq "$id" | grep -Fixq {attribute} &&\n'
        '    echo "$id"\n'
        "  done | postsuper -h -"
    )
