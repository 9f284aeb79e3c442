"""What the commands on the directory share: where it is, how they print, how they fail.

Exit codes: 0 done; 1 an argument is missing or malformed, or the directory refuses; 64 (EX_USAGE)
an unknown option or action; 75 (EX_TEMPFAIL) the directory can't be asked now; 78 (EX_CONFIG)
nobody said where it is.
"""

import difflib
import functools
import os
import pwd
import socket
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import chain, islice
from typing import IO, TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from maysend.cli.exit_codes import EX_CONFIG, EX_TEMPFAIL, EX_USAGE

if TYPE_CHECKING:
    from maysend.directory import Directory

WIDTH = 80

CallbackType = TypeVar("CallbackType", bound=Callable[..., Any])


class Refused(click.ClickException):
    """A message for stderr, as "maysend COMMAND: message", and the exit code of its class."""

    exit_code = 1

    def __init__(self, command: str, message: str) -> None:
        super().__init__(message)
        self.command = command

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the message."""
        click.echo(f"{self.command}: {self.message}", file=file or sys.stderr)


class WrongUsage(Refused):
    """An option or action that does not exist."""

    exit_code = EX_USAGE


class Unavailable(Refused):
    """A directory that can't be asked now."""

    exit_code = EX_TEMPFAIL


class Unconfigured(Refused):
    """Nobody said where the directory is."""

    exit_code = EX_CONFIG


class DirectoryGroup(click.Group):
    """A command with actions (`account add`, …) whose errors are clear and have these codes."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Parse the arguments before the action."""
        with _clear_usage_errors():
            return super().make_context(info_name, args, parent, **extra)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The action that is named; an unknown one is answered with the one that may be meant."""
        known = self.list_commands(ctx)
        if args and args[0] not in known and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], known, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"expected {', '.join(known)}"
            ctx.fail(f"No such command '{args[0]}'; {hint}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Parse the action's arguments and run it."""
        with _clear_usage_errors():
            return super().invoke(ctx)


class DirectoryCommand(click.Command):
    """A command without actions, with the same errors and codes."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Parse the arguments."""
        with _clear_usage_errors():
            return super().make_context(info_name, args, parent, **extra)


@contextmanager
def _clear_usage_errors() -> Iterator[None]:
    try:
        yield
    except click.exceptions.NoArgsIsHelpError as error:
        raise WrongUsage(_path(error.ctx), f"which action?\n{error.message}") from None
    except click.UsageError as error:
        kind = Refused if isinstance(error, click.BadParameter) else WrongUsage
        message = error.format_message()
        if error.ctx is not None:
            message += f"\n{error.ctx.get_usage()}"
            message += f"\nTry '{error.ctx.command_path} --help' for an example."
        raise kind(_path(error.ctx), message) from None


def _path(context: click.Context | None) -> str:
    return "maysend" if context is None else context.command_path


def refuse(message: str) -> NoReturn:
    """End the command that runs with a message and exit code 1."""
    raise Refused(click.get_current_context().command_path, message)


def directory_options(callback: CallbackType) -> CallbackType:
    """Add --directory, --config and --format, which the callback gets by those names."""
    options = (
        click.option(
            "--directory",
            metavar="URL",
            help="The directory, sqlite:///FILE or a file name [$MAYSEND_DIRECTORY, maysend.toml].",
        ),
        click.option(
            "--config",
            metavar="FILE",
            help="The maysend.toml that names the directory "
            "[$MAYSEND_CONFIG, ./maysend.toml, /etc/maysend/maysend.toml].",
        ),
        click.option(
            "--format",
            "output_format",
            type=click.Choice(["text", "json"]),
            default="text",
            help="How to print the result.",
        ),
    )
    for option in reversed(options):
        callback = option(callback)
    return callback


def on_directory(callback: Callable[..., None]) -> Callable[..., None]:
    """`directory_options` for a callback that gets the open directory as `opened`.

    It is closed when the callback returns; what it refuses ends the command.
    """

    @directory_options
    @functools.wraps(callback)
    def run(*, directory: str | None, config: str | None, **arguments: Any) -> None:
        with open_directory(directory, config) as opened:
            callback(opened=opened, **arguments)

    return run


@contextmanager
def open_directory(
    directory: str | None, config: str | None, *, create: bool = False
) -> "Iterator[Directory]":
    """The directory that the options name; its errors end the command with their message."""
    # Imported here so that --help does not wait for the database library.
    from maysend.directory import Directory
    from maysend.directory.location import directory_url

    with directory_errors():
        url = directory_url(config, given=directory)
        with Directory.open(url, create=create, actor=_actor(), source=_source()) as opened:
            yield opened


@contextmanager
def directory_errors() -> Iterator[None]:
    """What the directory refuses, as the message that ends the command."""
    from maysend.directory import DirectoryError, DirectoryUnavailable
    from maysend.directory.location import ConfigError

    command = click.get_current_context().command_path
    try:
        yield
    except ConfigError as error:
        raise Unconfigured(command, str(error)) from None
    except DirectoryUnavailable as error:
        raise Unavailable(command, str(error)) from None
    except DirectoryError as error:
        raise Refused(command, str(error)) from None


def _actor() -> str:
    """Whom the audit trail names: the person behind sudo, else whose process this is."""
    behind = os.environ.get("SUDO_USER")
    if behind and os.geteuid() == 0:
        return behind
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


def _source() -> str:
    """Where the audit trail says that the change came from: the remote host, or this one."""
    remote = os.environ.get("SSH_CLIENT", "").partition(" ")[0]
    return remote or socket.gethostname()


def print_result(output_format: str, text: str, result: object) -> None:
    """Print what was done: `text` for people, `result` for programs."""
    if output_format == "json":
        print_json(result)
    else:
        click.echo(text)


def print_json(value: object) -> None:
    """Print `value` as JSON."""
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def print_rows(headings: Sequence[str], rows: Iterable[Sequence[str]], nothing: str) -> None:
    """Print `rows` in aligned columns, or one under another where they are wider than 80.

    The first thousand decide; further ones are printed as they come. Names are never cut: a name
    that is not whole can't be copied into the next command.
    """
    coming = iter(rows)
    first = list(islice(coming, 1000))
    if not first:
        click.echo(nothing, err=True)
        return
    widths = [
        max(len(heading), *(len(row[i]) for row in first)) for i, heading in enumerate(headings)
    ]
    rows = chain(first, coming)
    if sum(widths) + 2 * (len(widths) - 1) <= WIDTH:
        click.secho(_line(headings, widths), bold=True)
        _print_lines(_line(row, widths) for row in rows)
        return
    indent = max(len(heading) for heading in headings[1:]) + 4
    for row in rows:
        click.secho(row[0], bold=True)
        for heading, cell in zip(headings[1:], row[1:], strict=True):
            if cell:
                click.echo(f"  {heading.ljust(indent - 4)}  {cell}")


def _print_lines(lines: Iterator[str]) -> None:
    """Some hundred at a time: a million alone would take longer to print than to find."""
    while some := list(islice(lines, 500)):
        click.echo("\n".join(some))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(c.ljust(w) for c, w in zip(cells, widths, strict=True)).rstrip()


def confirm_loss(what: str, lines: Sequence[str], yes: bool) -> None:
    """Ask before something is lost that can't be had back; without a terminal, refuse.

    `what` goes on as in "Remove … and all of this?"; `lines` say what goes.
    """
    if yes:
        return
    for line in lines:
        click.echo(line, err=True)
    everything = " and all of this" if lines else ""
    if not sys.stdin.isatty():
        refuse(f"nothing was removed; to remove {what}{everything}, add --yes")
    click.confirm(f"Remove {what}{everything}?", abort=True, err=True)


def date_text(seconds: int | None) -> str:
    """A time for people, the day only; "" for none."""
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")


def time_text(seconds: int | None) -> str | None:
    """A time for programs (RFC 3339, UTC)."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
