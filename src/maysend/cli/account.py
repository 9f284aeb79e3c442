"""maysend account: who can log in."""

import sys
from typing import TYPE_CHECKING

import click

from maysend.cli.account_suspension import resume, suspend
from maysend.cli.account_text import account_as_json, held_lines, state_text
from maysend.cli.completion import complete_logins
from maysend.cli.directory_options import (
    DirectoryGroup,
    confirm_loss,
    date_text,
    directory_errors,
    directory_options,
    on_directory,
    open_directory,
    print_json,
    print_result,
    print_rows,
    refuse,
)
from maysend.cli.streaming import print_json_array, progressing

if TYPE_CHECKING:
    from maysend.directory import Directory

_LONGEST_INPUT = 4096
"""Characters that are read of a password on stdin; what is too long is refused further on."""

_password_options = (
    click.option("--password-stdin", is_flag=True, help="Read the password from standard input."),
    click.option(
        "--password-hash", metavar="HASH", help="A stored password: '{SCHEME}…', as doveadm pw."
    ),
)


@click.group(cls=DirectoryGroup)
def account() -> None:
    """Accounts: who can log in.

    \b
    maysend account add bob@example.com
    maysend account list
    maysend account show bob@example.com
    maysend account suspend bob@example.com --reason "Call 123 about your mail"
    maysend account resume bob@example.com
    maysend account remove bob@example.com
    """


@account.command("add")
@click.argument("login")
@click.option("--name", default="", help="Whose account it is, for people to read.")
@_password_options[0]
@_password_options[1]
@click.option("--no-password", is_flag=True, help="Nobody logs in here: passwords are elsewhere.")
@directory_options
def add(
    login: str,
    name: str,
    password_stdin: bool,
    password_hash: str | None,
    no_password: bool,
    directory: str | None,
    config: str | None,
    output_format: str,
) -> None:
    """Add the account LOGIN, an address like bob@example.com.

    In a terminal the password is asked for. The directory is created where there is none yet.
    """
    from maysend.directory.addresses import parse_login

    if password_stdin + (password_hash is not None) + no_password > 1:
        refuse("give one of --password-stdin, --password-hash and --no-password")
    with directory_errors():
        # Before a directory is made, or anybody types a password, for nothing.
        parse_login(login)
    with open_directory(directory, config, create=True) as opened:
        password = None
        if password_hash is None and not no_password:
            password = _read_password(password_stdin)
        added = opened.accounts.add(login, password, password_hash=password_hash, name=name)
    print_result(output_format, f"added account {added.login}", account_as_json(added))


@account.command("list")
@on_directory
def list_accounts(opened: "Directory", output_format: str) -> None:
    """List every account and what state it is in."""
    accounts = progressing(opened.accounts.stream(), opened.accounts.count, "accounts")
    if output_format == "json":
        print_json_array(account_as_json(each) for each in accounts)
        return
    print_rows(
        ("LOGIN", "NAME", "STATE"),
        ((each.login, each.name, state_text(each, opened.now())) for each in accounts),
        "no accounts yet: maysend account add LOGIN",
    )


@account.command("show")
@click.argument("login", shell_complete=complete_logins)
@on_directory
def show(opened: "Directory", login: str, output_format: str) -> None:
    """Show the account LOGIN and all that it may send as and write to."""
    from maysend.directory.rights import rights_of_login
    from maysend.directory.scopes import spelled_scope

    found = opened.accounts.get(login)
    rights = rights_of_login(opened, found.login)
    if output_format == "json":
        print_json({**account_as_json(found), "rights": rights})
        return
    lines = [
        ("login", found.login),
        ("name", found.name),
        ("state", state_text(found, opened.now())),
        ("scope", spelled_scope(found.scope)),
        ("created", date_text(found.created)),
        *((right.right, f"{right.address}  ({right.by})") for right in rights),
    ]
    for name, value in lines:
        if value:
            click.echo(f"{name.ljust(12)}  {value}")


@account.command("update")
@click.argument("login", shell_complete=complete_logins)
@click.option("--name", help="Whose account it is, for people to read.")
@click.option("--scope", metavar="WHERE", help="anywhere, local, or domains joined by commas.")
@click.option("--enable/--disable", "enabled", default=None, help="Whether it may log in at all.")
@on_directory
def change(
    opened: "Directory",
    login: str,
    name: str | None,
    scope: str | None,
    enabled: bool | None,
    output_format: str,
) -> None:
    """Change the account LOGIN: only what is given."""
    if name is None and scope is None and enabled is None:
        refuse("nothing to change: give --name, --scope, --enable or --disable")
    with opened.together():
        if enabled is not None:
            (opened.accounts.enable if enabled else opened.accounts.disable)(login)
        if name is not None or scope is not None:
            opened.accounts.update(login, name=name, scope=scope)
        found = opened.accounts.get(login)
    print_result(output_format, f"changed account {found.login}", account_as_json(found))


@account.command("remove")
@click.argument("login", shell_complete=complete_logins)
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.option(
    "--recipient-delimiter",
    default="+",
    show_default=True,
    help="main.cf's: alias targets bob+tag@ of bob@ go too.",
)
@on_directory
def remove(
    opened: "Directory", login: str, yes: bool, recipient_delimiter: str, output_format: str
) -> None:
    """Remove the account LOGIN, and it from every alias, grant and list."""
    held = opened.accounts.holdings(login, recipient_delimiter)
    confirm_loss(login, held_lines(held), yes)
    held = opened.accounts.remove(login, recipient_delimiter)
    text = "\n".join([f"removed account {login}", *held_lines(held)])
    print_result(output_format, text, {"login": login, "removed": held})


@account.command("password")
@click.argument("login", shell_complete=complete_logins)
@_password_options[0]
@_password_options[1]
@directory_options
def change_password(
    login: str,
    password_stdin: bool,
    password_hash: str | None,
    directory: str | None,
    config: str | None,
    output_format: str,
) -> None:
    """Give LOGIN a new password."""
    if password_stdin and password_hash is not None:
        refuse("give one of --password-stdin and --password-hash")
    with open_directory(directory, config) as opened:
        found = opened.accounts.get(login)
        password = _read_password(password_stdin) if password_hash is None else None
        opened.accounts.set_password(login, password, password_hash=password_hash)
    print_result(output_format, f"changed the password of {found.login}", account_as_json(found))


@account.command("scope")
@click.argument("login", shell_complete=complete_logins)
@click.argument("words", metavar="[anywhere|local|DOMAIN...]", nargs=-1)
@on_directory
def change_scope(
    opened: "Directory", login: str, words: tuple[str, ...], output_format: str
) -> None:
    """Say what LOGIN may write to: anywhere, local (managed) domains, or those listed.

    Without more it says what it may write to now.

    \b
    maysend account scope clerk@example.com local partner.example
    maysend account scope clerk@example.com anywhere
    """
    from maysend.directory.scopes import spelled_scope

    found = opened.accounts.get(login)
    if words:
        found = opened.accounts.update(login, scope=" ".join(words))
    text = f"{found.login} may write to: {spelled_scope(found.scope)}"
    print_result(output_format, text, account_as_json(found))


account.add_command(suspend)
account.add_command(resume)


def _read_password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline(_LONGEST_INPUT).rstrip("\r\n")
    if not sys.stdin.isatty():
        refuse("no password: give --password-stdin, --password-hash or run it in a terminal")
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return password
