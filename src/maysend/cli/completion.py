"""maysend completion, and what a shell completes on the directory's commands."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from maysend.directory import Directory

MOST = 100
"""Names offered for one TAB."""

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print what makes SHELL complete maysend's commands, options, logins and addresses.

    \b
    maysend completion bash >/etc/bash_completion.d/maysend
    maysend completion fish >~/.config/fish/completions/maysend.fish
    """
    from click.shell_completion import get_completion_class

    from maysend.cli.main import main

    made = get_completion_class(shell)
    if made is None:
        raise click.UsageError(f"no completion for {shell}")
    click.echo(made(main, {}, "maysend", "_MAYSEND_COMPLETE").source())


def complete_logins(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[str]:
    """The logins that begin as typed."""
    return _names(context, lambda directory: directory.accounts.beginning(incomplete, MOST))


def complete_aliases(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[str]:
    """The aliases that begin as typed."""
    return _names(context, lambda directory: directory.aliases.beginning(incomplete, MOST))


def complete_lists(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[str]:
    """The lists that begin as typed."""
    return _names(
        context, lambda directory: (e.address for e in directory.lists.list()), incomplete
    )


def complete_domains(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[str]:
    """The domains that begin as typed."""
    return _names(
        context, lambda directory: (e.domain for e in directory.domains.list()), incomplete
    )


def _names(
    context: click.Context, ask: "Callable[[Directory], Iterable[str]]", begins: str = ""
) -> list[str]:
    """What `ask` finds; nothing where the directory can't be asked: a TAB prints no error."""
    from maysend.directory import Directory, DirectoryError
    from maysend.directory.location import directory_url

    try:
        url = directory_url(context.params.get("config"), given=context.params.get("directory"))
        with Directory.open(url, create=False) as directory:
            return [name for name in ask(directory) if name.startswith(begins)][:MOST]
    except DirectoryError:
        return []
