"""maysend account: who can log in."""

import sys
from typing import TYPE_CHECKING

import click

from maysend.cli.directory_options import (
    DirectoryGroup,
    date_text,
    directory_errors,
    directory_options,
    open_directory,
    print_json,
    print_result,
    print_rows,
    refuse,
    time_text,
)

if TYPE_CHECKING:
    from maysend.directory.accounts import Account, Holdings

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
    print_result(output_format, f"added account {added.login}", _as_json(added))


@account.command("list")
@directory_options
def list_accounts(directory: str | None, config: str | None, output_format: str) -> None:
    """List every account and what state it is in."""
    with open_directory(directory, config) as opened:
        accounts = opened.accounts.list()
    if output_format == "json":
        print_json([_as_json(each) for each in accounts])
        return
    print_rows(
        ("LOGIN", "NAME", "STATE"),
        [(each.login, each.name, _state(each)) for each in accounts],
        "no accounts yet: maysend account add LOGIN",
    )


@account.command("remove")
@click.argument("login")
@click.option("--yes", is_flag=True, help="Don't ask.")
@directory_options
def remove(
    login: str, yes: bool, directory: str | None, config: str | None, output_format: str
) -> None:
    """Remove the account LOGIN, and it from every alias and every grant."""
    with open_directory(directory, config) as opened:
        if not yes:
            _confirm(login, opened.accounts.holdings(login))
        held = opened.accounts.remove(login)
    text = "\n".join([f"removed account {login}", *_held_lines(held)])
    print_result(output_format, text, {"login": login, "removed": held})


@account.command("password")
@click.argument("login")
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
    print_result(output_format, f"changed the password of {found.login}", _as_json(found))


@account.command("suspend")
@click.argument("login")
@click.option("--reason", required=True, metavar="TEXT", help="What the user is told.")
@directory_options
def suspend(
    login: str, reason: str, directory: str | None, config: str | None, output_format: str
) -> None:
    """Refuse everything that LOGIN sends, by whatever address, with TEXT as the reason."""
    with open_directory(directory, config) as opened:
        opened.accounts.suspend(login, reason)
        found = opened.accounts.get(login)
    text = f"suspended {found.login}; back with: maysend account resume {found.login}"
    print_result(output_format, text, _as_json(found))


@account.command("resume")
@click.argument("login")
@directory_options
def resume(login: str, directory: str | None, config: str | None, output_format: str) -> None:
    """End the suspension of LOGIN."""
    with open_directory(directory, config) as opened:
        opened.accounts.resume(login)
        found = opened.accounts.get(login)
    print_result(output_format, f"resumed {found.login}", _as_json(found))


def _read_password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline(_LONGEST_INPUT).rstrip("\r\n")
    if not sys.stdin.isatty():
        refuse("no password: give --password-stdin, --password-hash or run it in a terminal")
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return password


def _confirm(login: str, held: "Holdings") -> None:
    for line in _held_lines(held):
        click.echo(line, err=True)
    if not sys.stdin.isatty():
        refuse(f"nothing was removed; to remove {login} and all of this, add --yes")
    click.confirm(f"Remove {login} and all of this?", abort=True, err=True)


def _held_lines(held: "Holdings") -> list[str]:
    from maysend.directory.grants import spelled

    lines = []
    for alias in held.aliases:
        emptied = " (leads to nobody else, goes too)" if alias in held.emptied else ""
        lines.append(f"  from alias {alias}{emptied}")
    lines.extend(f"  grant for {spelled(address)}" for address in held.grants)
    return lines


def _state(each: "Account") -> str:
    if each.suspended_reason is not None:
        since = f"{date_text(each.suspended_at)} by {each.suspended_by}"
        return f"suspended {since}: {each.suspended_reason}"
    return "enabled" if each.enabled else "disabled"


def _as_json(each: "Account") -> dict[str, object]:
    return {
        "login": each.login,
        "name": each.name,
        "enabled": each.enabled,
        "suspended": each.suspended_reason is not None,
        "suspended_reason": each.suspended_reason,
        "suspended_by": each.suspended_by,
        "suspended_at": time_text(each.suspended_at),
        "scope": each.scope,
        "created": time_text(each.created),
    }
