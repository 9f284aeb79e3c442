"""maysend directory: the whole of it, dumped and loaded."""

import os
import sys
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING

import click

from maysend.cli.directory_options import (
    DirectoryGroup,
    confirm_loss,
    directory_options,
    on_directory,
    open_directory,
    print_result,
    refuse,
)

if TYPE_CHECKING:
    from maysend.directory import Directory


@click.group(cls=DirectoryGroup)
def directory() -> None:
    """The whole directory: dumped as JSON lines, for backups, and loaded again.

    \b
    maysend directory dump --output backup.jsonl
    maysend directory load backup.jsonl --directory postgresql://maysend@db/maysend
    """


@directory.command("dump")
@click.option("--output", metavar="FILE", help="Instead of standard output; made for you only.")
@on_directory
def dump(opened: "Directory", output: str | None, output_format: str) -> None:
    """Write the whole directory as JSON lines.

    It holds password hashes. It is one state, whatever is written meanwhile.
    """
    from maysend.directory.dump import dump as lines

    if output is None:
        sys.stdout.buffer.writelines(lines(opened))
        sys.stdout.buffer.flush()
        return
    unfinished = f"{output}.unfinished"
    try:
        with os.fdopen(
            os.open(unfinished, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb"
        ) as f:
            f.writelines(lines(opened))
            f.flush()
            os.fsync(f.fileno())
        os.replace(unfinished, output)
    except OSError as error:
        refuse(f"can't write {output}: {error.strerror}")


@directory.command("load")
@click.argument("file", metavar="FILE", type=click.Path())
@click.option("--replace", is_flag=True, help="Remove all that is there first.")
@click.option("--yes", is_flag=True, help="Don't ask.")
@directory_options
def load(
    file: str,
    replace: bool,
    yes: bool,
    directory: str | None,
    config: str | None,
    output_format: str,
) -> None:
    """Write what a dump holds into a new directory: all of it or nothing.

    "-" is standard input. The directory is created where there is none yet.
    """
    from maysend.directory.dump import load as load_lines

    with open_directory(directory, config, create=True) as opened:
        if replace:
            count = opened.accounts.count()
            confirm_loss(f"all {count} accounts of this directory", ["  and all else in it"], yes)
        rows = load_lines(opened, _lines(file), replace=replace)
    print_result(output_format, f"loaded {rows} rows", {"rows": rows})


def _lines(name: str) -> Iterator[bytes]:
    if name == "-":
        yield from _read(sys.stdin.buffer)
        return
    try:
        with open(name, "rb") as file:
            yield from _read(file)
    except OSError as error:
        refuse(f"can't read {name}: {error.strerror}")


def _read(file: IO[bytes]) -> Iterator[bytes]:
    return (line for line in file if line.strip())
