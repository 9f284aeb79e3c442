"""`maysend postfix`: the lines that make Postfix ask, and whether they are in force."""

import sys
import textwrap
from pathlib import Path

import click

from maysend.cli.configuration import config_option, configuration_file, fail
from maysend.cli.exit_codes import EX_USAGE

NOT_IN_FORCE = 1
POSTFIX = "/etc/postfix"
QUEUE = "/var/spool/postfix"
WIDTH = 80


@click.command()
@config_option
@click.option(
    "-c", "directory", metavar="DIR", help=f"Postfix configuration directory [{POSTFIX}]."
)
@click.option("--service", metavar="NAME", help="Only this service of master.cf.")
@click.option("--listener", "names", metavar="NAME", multiple=True, help="Only this listener.")
@click.option("--docker-mailserver", is_flag=True, help="As docker-mailserver takes them.")
@click.option("--check", is_flag=True, help="Say whether they are in force, change nothing.")
def postfix(
    config: str | None,
    directory: str | None,
    service: str | None,
    names: tuple[str, ...],
    docker_mailserver: bool,
    check: bool,
) -> None:
    """Print the lines of main.cf and master.cf that make Postfix ask maysend.

    They are for the listeners of maysend.toml: policy, socketmap, milter, dovecot_auth. All of
    them fail closed: where maysend does not answer, Postfix answers 4xx and the client tries
    again later. Nothing is written: put them where they are said to belong.

    With --check, each smtpd that users can log in to is looked at as Postfix itself reads its
    parameters, and each socket is tried as the user that Postfix runs as; that needs root.

    Exit status: 0; with --check 1 where something is not in force; 64 for a name that is not
    there; 78 where maysend.toml or main.cf can't be read.

    \b
    maysend postfix --config /etc/maysend/maysend.toml
    maysend postfix --check -c /etc/postfix --service submission
    """
    from maysend.lint import Configuration
    from maysend.maincf import MainCfError
    from maysend.servers.beside_postfix import (
        docker_mailserver_lines,
        doors,
        in_force,
        plain_lines,
    )
    from maysend.servers.beside_postfix.in_force import smtpds_with_logins
    from maysend.servers.configuration import ConfigurationError, read_configuration
    from maysend.servers.kinds import settings_by_kind

    if docker_mailserver and (check or directory or service):
        fail("postfix", "--docker-mailserver stands alone: its files are in a container", EX_USAGE)
    file = configuration_file("postfix", config)
    asked = directory or POSTFIX
    is_there = not docker_mailserver and (Path(asked) / "main.cf").exists()
    try:
        configuration = read_configuration(file, settings_by_kind())
        if check or directory or service or is_there:
            there = Configuration(asked, service)
            queue = there.main["queue_directory"]
        else:
            there, queue = None, QUEUE
        found = doors(configuration, queue, names)
    except (ConfigurationError, MainCfError) as problem:
        fail("postfix", str(problem))
    except LookupError as problem:
        fail("postfix", str(problem.args[0]), EX_USAGE)
    if not found:
        fail("postfix", f"{file}: no listener that Postfix can ask: policy, socketmap, milter, …")
    if not check:
        smtpds = []
        if there is not None:
            smtpds = list(there.smtpds) if service else smtpds_with_logins(there)
        click.echo(f"# What makes Postfix ask maysend, by {file}.")
        click.echo(
            "# Where maysend does not answer, Postfix answers 4xx: clients try again later.\n"
        )
        lines = docker_mailserver_lines(found) if docker_mailserver else plain_lines(found, smtpds)
        for line in lines:
            click.echo(line)
        return
    assert there is not None
    state = in_force(there, found, service)
    for mark, texts in (("ok", state.holds), ("WRONG", state.findings), ("note", state.remarks)):
        for text in texts:
            click.echo(_filled(f"{mark:<6}{text}"))
    if state.findings:
        count = len(state.findings)
        click.echo(f"\nNot in force: {count} finding{'s' * (count != 1)}.")
        sys.exit(NOT_IN_FORCE)
    click.echo("\nIn force.")


def _filled(text: str) -> str:
    return textwrap.fill(
        text, WIDTH, subsequent_indent=" " * 6, break_on_hyphens=False, break_long_words=False
    )
