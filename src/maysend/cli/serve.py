"""`maysend serve`: all configured listeners."""

import sys
from pathlib import Path

import click

from maysend.cli.configuration import config_option, configuration_file, fail


@click.command()
@config_option
@click.option("--check", is_flag=True, help="Read the configuration, say what is wrong, and end.")
@click.option(
    "--follow",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Keep the directory at what docker-mailserver's files in DIR say.",
)
def serve(config: str | None, check: bool, follow: Path | None) -> None:
    """Serve all listeners of maysend.toml.

    Says on stderr when it is ready, and to systemd where that started it. SIGTERM and Ctrl-C stop
    it: what is under way may end first. SIGHUP reads maysend.toml again, SIGUSR1 writes the logs
    out.

    With --follow, or [follow] in maysend.toml, accounts, aliases and restrictions are those of a
    docker-mailserver's mounted configuration directory, changes within two seconds. What they say
    that means something else here is said once, line by line.

    Exit status: 0; 78 where it can't serve what is configured, which is then on stderr.
    """
    import asyncio
    import os

    from maysend.servers.configuration import ConfigurationError, read_configuration
    from maysend.servers.kinds import settings_by_kind
    from maysend.servers.processes.configured import CannotServe
    from maysend.servers.processes.supervisor import Supervisor

    file = configuration_file("serve", config)
    if check:
        try:
            configuration = read_configuration(file, settings_by_kind())
        except ConfigurationError as problem:
            fail("serve", str(problem))
        count = len(configuration.listeners)
        click.echo(f"{file}: {count} listener{'s' * (count != 1)}, nothing is wrong")
        return

    async def run() -> None:
        await Supervisor(file, os.environ, follow).run()

    try:
        asyncio.run(run())
    except CannotServe as problem:
        fail("serve", str(problem))
    sys.exit(0)
