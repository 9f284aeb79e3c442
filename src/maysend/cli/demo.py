"""`maysend demo`: a gateway with sample accounts on this machine, and what to try on it."""

import sys

import click

EX_UNAVAILABLE = 69


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    help="Port of the gateway; 0 is any.  [default: 2587, any other where that is taken]",
)
@click.option(
    "--sink-port",
    type=click.IntRange(0, 65535),
    default=0,
    metavar="PORT",
    help="Port of the sink, the next hop that takes everything.  [default: any]",
)
@click.option("--check", is_flag=True, help="Send the sample messages, show the replies, and end.")
def demo(port: int | None, sink_port: int, check: bool) -> None:
    """Run a submission gateway with sample accounts, to try it out.

    Everything is made on the spot in a temporary directory (accounts in SQLite, certificate) and
    goes away with Ctrl-C. Nothing leaves this machine: the next hop is a sink. What to try, with
    curl and swaks, is printed at the start.

    Exit status: 0; 1 where --check got another reply than it should; 69 where a port is taken.
    """
    from maysend.demo.presentation import run

    try:
        sys.exit(run(port, sink_port, check=check))
    except OSError as problem:
        click.echo(f"maysend demo: {problem.strerror or problem}", err=True)
        sys.exit(EX_UNAVAILABLE)
