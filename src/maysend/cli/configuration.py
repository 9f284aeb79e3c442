"""Which maysend.toml a command is about."""

import os
from pathlib import Path
from typing import NoReturn

import click

from maysend.cli.exit_codes import EX_CONFIG

config_option = click.option(
    "--config",
    metavar="FILE",
    help="The maysend.toml [$MAYSEND_CONFIG, ./maysend.toml, /etc/maysend/maysend.toml].",
)


def configuration_file(command: str, config: str | None) -> Path:
    """The file that --config names, or that is found; ends the command where there is none."""
    from maysend.directory.location import config_file

    file = config_file(config, os.environ, Path.cwd())
    if file is None:
        fail(
            command,
            "there is no maysend.toml here or in /etc/maysend: `maysend init` writes one, "
            "--config names another",
        )
    return file


def fail(command: str, message: str, status: int = EX_CONFIG) -> NoReturn:
    """End the command with a message on stderr."""
    click.echo(f"maysend {command}: {message}", err=True)
    raise click.exceptions.Exit(status)
