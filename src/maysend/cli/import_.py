"""maysend import: from other programs' files to the directory."""

import signal
import textwrap
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from maysend.cli.directory_options import (
    WIDTH,
    DirectoryGroup,
    directory_options,
    open_directory,
    print_json,
)

if TYPE_CHECKING:
    from maysend.directory import Directory
    from maysend.importers.remark import Remark


@click.group("import", cls=DirectoryGroup)
def import_() -> None:
    """Import what another program's files say into the directory.

    \b
    maysend import docker-mailserver /tmp/docker-mailserver
    """


@import_.command("docker-mailserver")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--env-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The environment file; looked for as mailserver.env in DIR.",
)
@click.option("--follow", is_flag=True, help="Go on, and import again whenever a file changes.")
@click.option("--dry-run", is_flag=True, help="Only report; change nothing.")
@directory_options
def docker_mailserver(
    folder: Path,
    env_file: Path | None,
    follow: bool,
    dry_run: bool,
    directory: str | None,
    config: str | None,
    output_format: str,
) -> None:
    """Import docker-mailserver's files in DIR, and report what means something different here.

    Accounts, aliases, patterns, local aliases, send and receive restrictions, and of the
    environment SPOOF_PROTECTION, POSTMASTER_ADDRESS and ACCOUNT_PROVISIONER. Lines that can't be
    read are named and skipped. It can be repeated: what earlier imports brought follows the files,
    and what was made by hand stays.
    """
    from maysend.importers.docker_mailserver import read_folder, synchronise

    with open_directory(directory, config, create=not dry_run) as opened:
        if follow and not dry_run:
            _follow(opened, folder, env_file)
            return
        wanted = read_folder(folder, env_file)
        changes: list[str] = [] if dry_run else synchronise(opened, wanted).changes
    if output_format == "json":
        print_json({"changes": changes, "remarks": wanted.remarks})
        return
    _print(changes, wanted.remarks)
    if not changes and not dry_run:
        click.echo("nothing to change")


def _print(changes: Sequence[str], remarks: "Sequence[Remark]") -> None:
    for change in changes:
        click.echo(change)
    for remark in remarks:
        click.echo(
            textwrap.fill(
                str(remark),
                WIDTH,
                subsequent_indent="    ",
                break_long_words=False,
                break_on_hyphens=False,
            ),
            err=True,
        )


def _follow(opened: "Directory", folder: Path, environment: Path | None) -> None:
    """Import until SIGINT or SIGTERM."""
    from maysend.importers.docker_mailserver import Follower

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    Follower(
        opened,
        folder,
        environment,
        imported=_print,
        failed=lambda reason: click.echo(f"maysend import: {reason}", err=True),
    ).run(stop)
