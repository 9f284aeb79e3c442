"""maysend alias: addresses that lead to others."""

from typing import TYPE_CHECKING

import click

from maysend.cli.directory_options import (
    DirectoryGroup,
    directory_options,
    open_directory,
    print_json,
    print_result,
    print_rows,
    refuse,
    time_text,
)

if TYPE_CHECKING:
    from maysend.directory import Directory
    from maysend.directory.aliases import Alias


@click.group(cls=DirectoryGroup)
def alias() -> None:
    """Aliases: first the ALIAS, then the TARGETs it leads to.

    \b
    maysend alias add sales@example.com bob@example.com alice@example.com
    maysend alias add @example.com bob@example.com          # a catch-all
    maysend alias remove sales@example.com alice@example.com
    """


@alias.command("add")
@click.argument("address", metavar="ALIAS")
@click.argument("targets", metavar="TARGET...", nargs=-1, required=True)
@click.option(
    "--receive-only", is_flag=True, help="The targets get its mail, but can't send as it."
)
@click.option(
    "--send-only", is_flag=True, help="The targets may send as it, but get no mail by it."
)
@directory_options
def add(
    address: str,
    targets: tuple[str, ...],
    receive_only: bool,
    send_only: bool,
    directory: str | None,
    config: str | None,
    output_format: str,
) -> None:
    """Let ALIAS lead to each TARGET, besides those it has.

    ALIAS comes first: user@domain, or @domain for all that is nobody's. Then one or more TARGETs:
    user@domain, @domain (the name is kept), or the login of an account.
    """
    if receive_only and send_only:
        refuse("an alias with --receive-only and --send-only would do nothing: give one")
    with open_directory(directory, config) as opened:
        rows = opened.aliases.add(address, targets, send=not receive_only, receive=not send_only)
        _note_account(opened, rows[0].address)
    text = "\n".join(f"{row.address} -> {row.target}  {_rights(row)}".rstrip() for row in rows)
    print_result(output_format, text, [_as_json(row) for row in rows])


@alias.command("list")
@directory_options
def list_aliases(directory: str | None, config: str | None, output_format: str) -> None:
    """List every alias and where it leads."""
    with open_directory(directory, config) as opened:
        rows = opened.aliases.list()
    if output_format == "json":
        print_json([_as_json(row) for row in rows])
        return
    print_rows(
        ("ALIAS", "TARGET", "RIGHTS"),
        [(row.address, row.target, _rights(row)) for row in rows],
        "no aliases yet: maysend alias add ALIAS TARGET...",
    )


@alias.command("remove")
@click.argument("address", metavar="ALIAS")
@click.argument("targets", metavar="[TARGET...]", nargs=-1)
@directory_options
def remove(
    address: str,
    targets: tuple[str, ...],
    directory: str | None,
    config: str | None,
    output_format: str,
) -> None:
    """Take each TARGET from ALIAS, or remove ALIAS where no TARGET is given."""
    with open_directory(directory, config) as opened:
        gone = opened.aliases.remove(address, targets)
    text = "\n".join(f"removed {row.address} -> {row.target}" for row in gone)
    print_result(output_format, text, [_as_json(row) for row in gone])


def _note_account(opened: "Directory", address: str) -> None:
    """Say so where ALIAS is an account: often ALIAS and TARGET were given the wrong way round."""
    if not address.startswith("@") and opened.accounts.find(address) is not None:
        click.echo(
            f"note: {address} is an account; its mail now goes where the alias leads", err=True
        )


def _rights(row: "Alias") -> str:
    if row.send and row.receive:
        return ""
    return "send only" if row.send else "receive only"


def _as_json(row: "Alias") -> dict[str, object]:
    return {
        "alias": row.address,
        "target": row.target,
        "send": row.send,
        "receive": row.receive,
        "created": time_text(row.created),
    }
