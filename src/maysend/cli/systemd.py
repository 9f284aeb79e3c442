"""`maysend systemd`: units that start `maysend serve`."""

import sys
from pathlib import Path

import click

from maysend.cli.configuration import config_option, configuration_file, fail

EX_CANTCREAT = 73


@click.command()
@config_option
@click.option("--sockets", is_flag=True, help="Have systemd open the sockets of all listeners.")
@click.option(
    "--write", "folder", metavar="DIR", type=click.Path(path_type=Path),
    help="Write them there, /etc/systemd/system as a rule.",
)  # fmt: skip
def systemd(config: str | None, sockets: bool, folder: Path | None) -> None:
    """Print a systemd unit that starts `maysend serve` with this maysend.toml.

    With --sockets also a socket unit for each listener: connections then wait while maysend is
    started again. systemd is told when maysend is ready, reloads and stops.

    Exit status: 0; 73 where a file can't be written; 78 where maysend.toml can't be read.

    \b
    maysend systemd --write /etc/systemd/system
    systemctl daemon-reload && systemctl enable --now maysend
    """
    from maysend.servers.configuration import ConfigurationError, read_configuration
    from maysend.servers.kinds import settings_by_kind
    from maysend.servers.processes.units import service_unit, socket_units

    file = configuration_file("systemd", config)
    try:
        configuration = read_configuration(file, settings_by_kind())
    except ConfigurationError as problem:
        fail("systemd", str(problem))
    # The command beside the Python that runs, as pip writes it.
    program = Path(sys.executable).with_name("maysend")
    units = [("maysend.service", service_unit(configuration, str(program)))]
    if sockets:
        units += socket_units(configuration)
    for name, text in units:
        if folder is None:
            click.echo(f"# ----- {name} -----\n{text}")
            continue
        try:
            (folder / name).write_text(text)
        except OSError as problem:
            fail("systemd", f"{folder / name}: {problem.strerror}", EX_CANTCREAT)
        click.echo(f"wrote {folder / name}")
