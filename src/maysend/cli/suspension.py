"""maysend suspension: senders and clients that are refused, whoever has logged in."""

from typing import TYPE_CHECKING

import click

from maysend.cli.directory_options import (
    DirectoryGroup,
    on_directory,
    print_json,
    print_result,
    print_rows,
    refuse,
    time_text,
)
from maysend.cli.moments import parse_until

if TYPE_CHECKING:
    from maysend.directory import Directory
    from maysend.directory.suspensions import Suspension


@click.group(cls=DirectoryGroup)
def suspension() -> None:
    """Suspensions of sender addresses, domains and networks.

    To suspend a login, by whatever address it sends: maysend account suspend LOGIN.

    \b
    maysend suspension add noreply@example.com --reason "retired, use news@"
    maysend suspension add @old.example --reason "sold" --until 2030-12-31
    maysend suspension add 192.0.2.0/24 --reason "ask the help desk" --until 2h
    maysend suspension remove 192.0.2.0/24
    """


_subject_argument = click.argument("subject", metavar="ADDRESS|@DOMAIN|NETWORK")
_reason = "What the client is told: one line."


@suspension.command("add")
@_subject_argument
@click.option("--reason", required=True, metavar="TEXT", help=_reason)
@click.option("--until", metavar="TIME", help="When it ends: 2h, 3d, 2030-12-31.")
@on_directory
def add(
    opened: "Directory", subject: str, reason: str, until: str | None, output_format: str
) -> None:
    """Refuse mail from an address, a domain or a network, with TEXT as the reason."""
    end = None if until is None else parse_until(until, opened.now())
    made = opened.suspensions.add(subject, reason, end)
    print_result(output_format, _sentence(made), _as_json(made))


@suspension.command("list")
@on_directory
def list_suspensions(opened: "Directory", output_format: str) -> None:
    """List every suspension of an address, a domain or a network."""
    rows = opened.suspensions.list()
    if output_format == "json":
        print_json([_as_json(each) for each in rows])
        return
    print_rows(
        ("SUSPENDED", "UNTIL", "BY", "REASON"),
        [(each.subject, time_text(each.until) or "", each.by, each.reason) for each in rows],
        "nothing is suspended here; suspended logins are in: maysend account list",
    )


@suspension.command("show")
@_subject_argument
@on_directory
def show(opened: "Directory", subject: str, output_format: str) -> None:
    """Show one suspension."""
    found = opened.suspensions.get(subject)
    print_result(output_format, _sentence(found), _as_json(found))


@suspension.command("update")
@_subject_argument
@click.option("--reason", metavar="TEXT", help=_reason)
@click.option("--until", metavar="TIME", help="When it ends: 2h, 3d, 2030-12-31, or never.")
@on_directory
def change(
    opened: "Directory", subject: str, reason: str | None, until: str | None, output_format: str
) -> None:
    """Change a suspension: only what is given."""
    if reason is until is None:
        refuse("nothing to change: give --reason or --until")
    found = opened.suspensions.get(subject)
    end = found.until
    if until is not None:
        end = None if until == "never" else parse_until(until, opened.now())
    changed = opened.suspensions.add(subject, reason or found.reason, end)
    print_result(output_format, _sentence(changed), _as_json(changed))


@suspension.command("remove")
@_subject_argument
@on_directory
def remove(opened: "Directory", subject: str, output_format: str) -> None:
    """End the suspension of exactly this address, domain or network."""
    gone = opened.suspensions.remove(subject)
    print_result(output_format, f"{gone.subject} is suspended no longer", _as_json(gone))


def _sentence(each: "Suspension") -> str:
    until = f" until {time_text(each.until)}" if each.until is not None else ""
    return f"suspended {each.kind} {each.subject}{until}: {each.reason}"


def _as_json(each: "Suspension") -> dict[str, object]:
    return {
        "subject": each.subject,
        "kind": each.kind,
        "reason": each.reason,
        "by": each.by,
        "at": time_text(each.at),
        "until": time_text(each.until),
    }
