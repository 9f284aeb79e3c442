"""maysend grant: what a login may send as besides what it owns."""

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

import click

from maysend.cli.directory_options import (
    DirectoryGroup,
    date_text,
    directory_options,
    open_directory,
    print_json,
    print_result,
    print_rows,
    refuse,
    time_text,
)

if TYPE_CHECKING:
    from maysend.directory.grants import Grant, Kind


@click.group(cls=DirectoryGroup)
def grant() -> None:
    """Grants: first the LOGIN, then what it may send as.

    \b
    maysend grant add bob@example.com noreply@example.com
    maysend grant add admin@example.com @example.com --note "ticket 42"
    maysend grant add admin@example.com everything --expires 2030-12-31
    maysend grant remove bob@example.com noreply@example.com
    """


@grant.command("add")
@click.argument("login")
@click.argument("address", metavar="ADDRESS|@DOMAIN|everything")
@click.option("--on-behalf", is_flag=True, help="Only in From:, beside a Sender: of its own.")
@click.option("--note", default="", help="Why, for people to read.")
@click.option("--expires", metavar="YYYY-MM-DD", help="The last day it holds (UTC).")
@directory_options
def add(
    login: str,
    address: str,
    on_behalf: bool,
    note: str,
    expires: str | None,
    directory: str | None,
    config: str | None,
    output_format: str,
) -> None:
    """Let the account LOGIN send as an address, a whole domain or everything.

    LOGIN comes first. A grant that is there already is replaced.
    """
    until = _end_of_day(expires)
    with open_directory(directory, config) as opened:
        kind: Kind = "on-behalf" if on_behalf else "as"
        given = opened.grants.add(login, address, kind=kind, note=note, expires=until)
    way = "on behalf of" if on_behalf else "as"
    text = f"{given.login} may send {way} {_granted(given)}"
    if given.expires is not None:
        text += f" until the end of {expires} (UTC)"
    print_result(output_format, text, _as_json(given))


@grant.command("list")
@directory_options
def list_grants(directory: str | None, config: str | None, output_format: str) -> None:
    """List every grant."""
    with open_directory(directory, config) as opened:
        grants = opened.grants.list()
    if output_format == "json":
        print_json([_as_json(each) for each in grants])
        return
    print_rows(
        ("LOGIN", "MAY SEND AS", "KIND", "LAST DAY", "NOTE"),
        [(e.login, _granted(e), e.kind, _last_day(e), e.note) for e in grants],
        "no grants yet: maysend grant add LOGIN ADDRESS",
    )


@grant.command("remove")
@click.argument("login")
@click.argument("address", metavar="ADDRESS|@DOMAIN|everything")
@directory_options
def remove(
    login: str, address: str, directory: str | None, config: str | None, output_format: str
) -> None:
    """Take from LOGIN the grant of exactly this address, @domain or everything."""
    with open_directory(directory, config) as opened:
        gone = opened.grants.remove(login, address)
    print_result(
        output_format, f"{gone.login} has no grant for {_granted(gone)} any more", _as_json(gone)
    )


def _end_of_day(text: str | None) -> int | None:
    """The second after the day `text`, in seconds since 1970."""
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        refuse(f"--expires: {text!a} is no date, expected YYYY-MM-DD, like 2030-12-31")
    return int(datetime.combine(day, time(0), UTC).timestamp()) + 86400


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
