"""maysend audit: who changed what in the directory, when, from where."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
import msgspec

from maysend.cli.directory_options import DirectoryCommand, on_directory, print_json, time_text
from maysend.cli.moments import parse_since

if TYPE_CHECKING:
    from maysend.directory import Directory
    from maysend.directory.audit import AuditEntry


@click.command(cls=DirectoryCommand)
@click.argument("name", required=False, default="", metavar="[NAME]")
@click.option("--who", default="", metavar="USER", help="Only changes by this user.")
@click.option("--since", metavar="TIME", help="Only changes since: 2h, 3d, 2026-01-31.")
@click.option("--last", type=click.IntRange(1), metavar="N", help="Only the last N changes.")
@on_directory
def audit(
    opened: "Directory",
    name: str,
    who: str,
    since: str | None,
    last: int | None,
    output_format: str,
) -> None:
    """Show the changes to the directory, oldest first; with NAME those that name it.

    NAME is a login, an address, a domain: as it is written in the directory, in full.

    \b
    maysend audit bob@example.com
    maysend audit --since 2d --who root
    """
    begins = None if since is None else parse_since(since, opened.now())
    entries = opened.trail(about=name, who=who, since=begins, most=last)
    if output_format == "json":
        print_json([{**msgspec.structs.asdict(e), "at": time_text(e.at)} for e in entries])
        return
    if not entries:
        click.echo("no such change", err=True)
    for entry in entries:
        click.echo(_line(entry))


def _line(entry: "AuditEntry") -> str:
    moment = datetime.fromtimestamp(entry.at, UTC).strftime("%Y-%m-%d %H:%M:%S")
    by = f"{entry.who or '?'}{f' from {entry.source}' if entry.source else ''}"
    detail = f"\n    {entry.detail}" if entry.detail else ""
    return f"{moment}  {entry.action} {entry.subject}  ({by}){detail}"
