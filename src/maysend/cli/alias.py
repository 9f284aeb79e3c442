"""maysend alias: addresses that lead to others."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from maysend.cli.completion import complete_aliases, complete_logins
from maysend.cli.directory_options import (
    DirectoryGroup,
    on_directory,
    print_result,
    print_rows,
    refuse,
    time_text,
)
from maysend.cli.streaming import print_json_array

if TYPE_CHECKING:
    from maysend.directory import Directory
    from maysend.directory.aliases import Alias


@click.group(cls=DirectoryGroup)
def alias() -> None:
    """Aliases: first the ALIAS, then the TARGETs it leads to.

    \b
    maysend alias add sales@example.com bob@example.com alice@example.com
    maysend alias add @example.com bob@example.com          # a catch-all
    maysend alias add --local root bob@example.com          # a name without a domain
    maysend alias add '/^info-.*@example\\.com$/' bob@example.com
    maysend alias remove sales@example.com alice@example.com
    """


_rights_options = (
    click.option(
        "--receive-only", is_flag=True, help="The targets get its mail, but can't send as it."
    ),
    click.option(
        "--send-only", is_flag=True, help="The targets may send as it, but get no mail by it."
    ),
)


@alias.command("add")
@click.argument("address", metavar="ALIAS")
@click.argument(
    "targets", metavar="TARGET...", nargs=-1, required=True, shell_complete=complete_logins
)
@_rights_options[0]
@_rights_options[1]
@click.option("--local", is_flag=True, help="ALIAS is a name without a domain, like root.")
@click.option(
    "--missing-ok", is_flag=True, help="Also where TARGET is nobody's in a domain of ours."
)
@on_directory
def add(
    opened: "Directory",
    address: str,
    targets: tuple[str, ...],
    receive_only: bool,
    send_only: bool,
    local: bool,
    missing_ok: bool,
    output_format: str,
) -> None:
    """Let ALIAS lead to each TARGET, besides those it has.

    ALIAS comes first: user@domain, @domain for all that is nobody's, a pattern as in pcre_table(5)
    between slashes, or with --local a name like root, which counts in domains of kind local;
    postmaster counts in every managed domain. Then one or more TARGETs: user@domain, @domain (the
    name is kept), the login of an account, or another local alias.
    """
    _refuse_both(receive_only, send_only)
    if "@" not in address and not local and not is_written_as_pattern(address):
        hint = f"; for a name without a domain: maysend alias add --local {address} TARGET..."
        refuse(f"'{address}': it has no '@', expected user@domain{hint}")
    rows = opened.aliases.add(
        address,
        targets,
        send=not receive_only,
        receive=not send_only,
        local=local,
        checked=True,
        missing_ok=missing_ok,
    )
    _note_account(opened, rows[0].address)
    _print_targets(rows, output_format)


@alias.command("list")
@on_directory
def list_aliases(opened: "Directory", output_format: str) -> None:
    """List every alias and where it leads."""
    if output_format == "json":
        print_json_array(_as_json(row) for row in opened.aliases.stream())
        return
    print_rows(
        ("ALIAS", "TARGET", "RIGHTS"),
        ((row.address, row.target, _rights(row)) for row in opened.aliases.stream()),
        "no aliases yet: maysend alias add ALIAS TARGET...",
    )


@alias.command("show")
@click.argument("address", metavar="ALIAS", shell_complete=complete_aliases)
@on_directory
def show(opened: "Directory", address: str, output_format: str) -> None:
    """Show where ALIAS leads."""
    _print_targets(opened.aliases.get(address), output_format)


@alias.command("update")
@click.argument("address", metavar="ALIAS", shell_complete=complete_aliases)
@click.argument("targets", metavar="[TARGET...]", nargs=-1)
@_rights_options[0]
@_rights_options[1]
@click.option("--send-and-receive", is_flag=True, help="The targets get both rights.")
@on_directory
def change(
    opened: "Directory",
    address: str,
    targets: tuple[str, ...],
    receive_only: bool,
    send_only: bool,
    send_and_receive: bool,
    output_format: str,
) -> None:
    """Give each TARGET of ALIAS, or all, other rights."""
    _refuse_both(receive_only, send_only)
    if receive_only + send_only + send_and_receive != 1:
        refuse("give one of --receive-only, --send-only and --send-and-receive")
    rows = opened.aliases.update(address, targets, send=not receive_only, receive=not send_only)
    _print_targets(rows, output_format)


@alias.command("remove")
@click.argument("address", metavar="ALIAS", shell_complete=complete_aliases)
@click.argument("targets", metavar="[TARGET...]", nargs=-1)
@on_directory
def remove(opened: "Directory", address: str, targets: tuple[str, ...], output_format: str) -> None:
    """Take each TARGET from ALIAS, or remove ALIAS where no TARGET is given.

    Nothing is asked: what went is printed, and can be added again.
    """
    gone = opened.aliases.remove(address, targets)
    text = "\n".join(f"removed {row.address} -> {row.target}" for row in gone)
    print_result(output_format, text, [_as_json(row) for row in gone])


def is_written_as_pattern(address: str) -> bool:
    """Whether ALIAS is meant as a pattern."""
    return address.startswith("/")


def _refuse_both(receive_only: bool, send_only: bool) -> None:
    if receive_only and send_only:
        refuse("an alias with --receive-only and --send-only would do nothing: give one")


def _print_targets(rows: "Sequence[Alias]", output_format: str) -> None:
    text = "\n".join(f"{row.address} -> {row.target}  {_rights(row)}".rstrip() for row in rows)
    print_result(output_format, text, [_as_json(row) for row in rows])


def _note_account(opened: "Directory", address: str) -> None:
    """Say so where ALIAS is an account: often ALIAS and TARGET were given the wrong way round."""
    if (
        "@" in address[1:]
        and not is_written_as_pattern(address)
        and opened.accounts.find(address) is not None
    ):
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
        "pattern": row.pattern,
        "created": time_text(row.created),
    }
