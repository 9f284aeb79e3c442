"""maysend rights: who may send as whom, and to whom."""

import csv
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from maysend.cli.completion import complete_logins
from maysend.cli.directory_options import (
    DirectoryCommand,
    directory_options,
    open_directory,
    print_rows,
    refuse,
)
from maysend.cli.streaming import print_json_array

if TYPE_CHECKING:
    from maysend.directory import Directory
    from maysend.directory.rights import Right

HEADINGS = ("LOGIN", "MAY", "ADDRESS", "BY")


@click.command(cls=DirectoryCommand)
@click.option("--login", metavar="LOGIN", shell_complete=complete_logins, help="What it may do.")
@click.option("--sender", metavar="ADDRESS", help="Who may send as it.")
@click.option("--recipient", metavar="ADDRESS", help="Who may write to it.")
@click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values.")
@directory_options
def rights(
    login: str | None,
    sender: str | None,
    recipient: str | None,
    as_csv: bool,
    directory: str | None,
    config: str | None,
    output_format: str,
) -> None:
    """Show who may send as whom, and write to which list: all of it, or as asked.

    Asked is the directory. `maysend explain` says what a whole policy decides, and why.

    \b
    maysend rights --login bob@example.com
    maysend rights --sender sales@example.com
    maysend rights --recipient all@example.com
    maysend rights --csv >rights.csv
    """
    if sum(each is not None for each in (login, sender, recipient)) > 1:
        refuse("give one of --login, --sender and --recipient, or none for all")
    if as_csv and output_format == "json":
        refuse("give one of --csv and --format json")
    with open_directory(directory, config) as opened:
        found = _asked(opened, login, sender, recipient)
        if as_csv:
            _print_csv(found)
        elif output_format == "json":
            print_json_array(found)
        else:
            rows = ((_who(e.login), e.right, e.address, e.by) for e in found)
            print_rows(HEADINGS, rows, _nothing(opened, login, sender, recipient))


def _asked(
    opened: "Directory", login: str | None, sender: str | None, recipient: str | None
) -> "Iterable[Right]":
    from maysend.directory import rights as found
    from maysend.directory.addresses import parse_address

    if login is not None:
        return found.rights_of_login(opened, opened.accounts.get(login).login)
    for address in (sender, recipient):
        if address is not None:
            parse_address(address)
    if sender is not None:
        return found.rights_to_send_as(opened, sender)
    if recipient is not None:
        return found.rights_to_write_to(opened, recipient) or ()
    return found.all_rights(opened)


def _nothing(
    opened: "Directory", login: str | None, sender: str | None, recipient: str | None
) -> str:
    """What to say where there is no row: for a recipient that means open, or closed."""
    from maysend.directory.rights import rights_to_write_to

    if recipient is not None:
        is_open = rights_to_write_to(opened, recipient) is None
        return f"{recipient} is {'open to everybody' if is_open else 'closed to everybody'}"
    if sender is not None:
        return f"nobody may send as {sender}"
    if login is not None:
        return f"{login} may not send at all: see maysend account show {login}"
    return "nobody may send: no accounts yet"


def _who(login: str) -> str:
    """`login` for people."""
    return "every login" if login == "*" else login


def _print_csv(found: "Iterable[Right]") -> None:
    """RFC 4180."""
    writer = csv.writer(sys.stdout)
    writer.writerow([heading.lower() for heading in HEADINGS])
    for each in found:
        writer.writerow((each.login, each.right, each.address, each.by))
