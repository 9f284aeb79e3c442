"""maysend grant: what a login may send as besides what it owns."""

from typing import TYPE_CHECKING

import click

from maysend.cli.completion import complete_logins
from maysend.cli.directory_options import (
    DirectoryGroup,
    date_text,
    on_directory,
    print_json,
    print_result,
    print_rows,
    refuse,
    time_text,
)
from maysend.cli.moments import DAY, parse_until

if TYPE_CHECKING:
    from maysend.directory import Directory
    from maysend.directory.grants import Grant, Kind, Unchanged


@click.group(cls=DirectoryGroup)
def grant() -> None:
    """Grants: first the LOGIN, then what it may send as.

    \b
    maysend grant add bob@example.com noreply@example.com
    maysend grant add admin@example.com @example.com --note "ticket 42"
    maysend grant add admin@example.com everything --expires 2030-12-31
    maysend grant remove bob@example.com noreply@example.com
    """


_granted_argument = click.argument("address", metavar="ADDRESS|@DOMAIN|everything")
_login_argument = click.argument("login", shell_complete=complete_logins)


@grant.command("add")
@_login_argument
@_granted_argument
@click.option("--on-behalf", is_flag=True, help="Only in From:, beside a Sender: of its own.")
@click.option("--note", default="", help="Why, for people to read.")
@click.option("--expires", metavar="TIME", help="YYYY-MM-DD, the last day it holds (UTC), or 30d.")
@on_directory
def add(
    opened: "Directory",
    login: str,
    address: str,
    on_behalf: bool,
    note: str,
    expires: str | None,
    output_format: str,
) -> None:
    """Let the account LOGIN send as an address, a whole domain or everything.

    LOGIN comes first. A grant that is there already is replaced.
    """
    until = None if expires is None else parse_until(expires, opened.now(), "--expires")
    kind: Kind = "on-behalf" if on_behalf else "as"
    given = opened.grants.add(login, address, kind=kind, note=note, expires=until)
    print_result(output_format, _sentence(given), _as_json(given))


@grant.command("list")
@on_directory
def list_grants(opened: "Directory", output_format: str) -> None:
    """List every grant."""
    grants = opened.grants.list()
    if output_format == "json":
        print_json([_as_json(each) for each in grants])
        return
    print_rows(
        ("LOGIN", "MAY SEND AS", "KIND", "LAST DAY", "NOTE"),
        [(e.login, _granted(e), e.kind, _last_day(e), e.note) for e in grants],
        "no grants yet: maysend grant add LOGIN ADDRESS",
    )


@grant.command("show")
@_login_argument
@_granted_argument
@on_directory
def show(opened: "Directory", login: str, address: str, output_format: str) -> None:
    """Show the grant of exactly this address, @domain or everything to LOGIN."""
    found = opened.grants.get(login, address)
    lines = [_sentence(found), f"  given   {date_text(found.created)} by {found.given_by}"]
    lines.extend([f"  note    {found.note}"] if found.note else [])
    print_result(output_format, "\n".join(lines), _as_json(found))


@grant.command("update")
@_login_argument
@_granted_argument
@click.option("--kind", type=click.Choice(["as", "on-behalf"]))
@click.option("--note", help="Why, for people to read.")
@click.option("--expires", metavar="TIME", help="The last day it holds, 30d, or never.")
@on_directory
def change(
    opened: "Directory",
    login: str,
    address: str,
    kind: "Kind | None",
    note: str | None,
    expires: str | None,
    output_format: str,
) -> None:
    """Change a grant that is there: only what is given."""
    from maysend.directory.grants import UNCHANGED

    if kind is note is expires is None:
        refuse("nothing to change: give --kind, --note or --expires")
    until: int | Unchanged | None = UNCHANGED
    if expires is not None:
        never = expires == "never"
        until = None if never else parse_until(expires, opened.now(), "--expires")
    given = opened.grants.update(login, address, kind=kind, note=note, expires=until)
    print_result(output_format, _sentence(given), _as_json(given))


@grant.command("remove")
@_login_argument
@_granted_argument
@on_directory
def remove(opened: "Directory", login: str, address: str, output_format: str) -> None:
    """Take from LOGIN the grant of exactly this address, @domain or everything."""
    gone = opened.grants.remove(login, address)
    print_result(
        output_format, f"{gone.login} has no grant for {_granted(gone)} any more", _as_json(gone)
    )


def _sentence(each: "Grant") -> str:
    way = "on behalf of" if each.kind == "on-behalf" else "as"
    text = f"{each.login} may send {way} {_granted(each)}"
    if each.expires is None:
        return text
    if each.expires % DAY == 0:
        return f"{text} until the end of {_last_day(each)} (UTC)"
    return f"{text} until {time_text(each.expires)}"


def _last_day(each: "Grant") -> str:
    return "" if each.expires is None else date_text(each.expires - 1)


def _granted(each: "Grant") -> str:
    from maysend.directory.grants import spelled

    return spelled(each.address)


def _as_json(each: "Grant") -> dict[str, object]:
    return {
        "login": each.login,
        "address": _granted(each),
        "kind": each.kind,
        "note": each.note,
        "expires": time_text(each.expires),
        "given_by": each.given_by,
        "created": time_text(each.created),
    }
