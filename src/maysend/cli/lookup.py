"""maysend lookup: ask one lookup table, as postmap -q does."""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import click
import msgspec

from maysend.cli.exit_codes import EX_TEMPFAIL, FOUND, NOT_FOUND
from maysend.cli.usage import MailToolCommand, WrongUsage
from maysend.tables import LookupTable, TableContext, TableError, open_table

if TYPE_CHECKING:
    from maysend.tables import Opener
    from maysend.tables.table import TraceStep


@click.command(cls=MailToolCommand)
@click.option("-c", "directory", metavar="DIR", help="Take parameters from DIR/main.cf.")
@click.option("--config", metavar="FILE", help="maysend.toml to read, for directory: tables.")
@click.option(
    "-m", "--types", "list_types", is_flag=True, help="List the table types, as postconf -m."
)
@click.option(
    "-v", "--verbose", is_flag=True, help="Show queries, rows and formatting, on standard error."
)
@click.argument("table", metavar="TYPE:NAME", required=False, type=click.UNPROCESSED)
@click.argument("keys", metavar="KEY...", nargs=-1, type=click.UNPROCESSED)
def lookup(
    directory: str | None,
    config: str | None,
    list_types: bool,
    verbose: bool,
    table: str | None,
    keys: tuple[str, ...],
) -> None:
    """Ask the lookup table TYPE:NAME for each KEY and print what it answers.

    Does what "postmap -q" does: the key is asked as it is, without the parent domains or the
    extension-free address that access(5) would try next. For one key the answer is printed, for
    several each key, a tab and the answer. Where the only KEY is "-", keys are read from standard
    input, one a line. Keys of tables of fixed strings are folded to lower case.

    Exit status: 0 a key was found, 1 none was found, 75 the table failed, 64 wrong usage, 78
    main.cf can't be read. Warnings and errors go to standard error.

    \b
    maysend lookup 'inline:{a=b}' a
    maysend lookup pcre:/etc/postfix/senders.pcre alice@example.com
    maysend lookup -c /etc/postfix proxy:sqlite:/etc/postfix/senders.cf a@b.c
    cut -f1 addresses | maysend lookup hash:/etc/postfix/virtual -
    maysend lookup -v mysql:/etc/postfix/sender_logins.cf alice@example.com
    maysend lookup directory:owners sales@example.com
    maysend lookup --types

    \b
    A table that can't be opened or asked is an error, never "not found":
    maysend lookup fail:x a ; echo $?      prints 75

    A key in a texthash file that is there twice gives a warning here, and the first one counts;
    smtpd refuses to use such a table.
    """
    if list_types:
        raise SystemExit(_print_types())
    if table is None or not keys:
        missing = "TYPE:NAME" if table is None else "KEY"
        raise WrongUsage(f"Missing argument '{missing}'.", click.get_current_context())
    context = _context(_utf8(table), directory, config)
    if verbose:
        context = msgspec.structs.replace(context, trace=_show)
    from_input = keys == ("-",)
    asked = _input_keys() if from_input else (_utf8(key) for key in keys)
    raise SystemExit(_ask(_utf8(table), asked, context, bare=len(keys) == 1 and not from_input))


def _ask(spec: str, keys: Iterable[str], context: TableContext, *, bare: bool) -> int:
    """Ask for each key and print what is found; the exit status."""
    status = NOT_FOUND
    try:
        table = open_table(spec, context)
        for key in keys:
            answer = table.lookup(key)
            if answer is not None:
                status = FOUND
                _warn_if_empty(table, key, answer)
                _print(answer if bare else f"{key}\t{answer}")
    except TableError as error:
        _complain(str(error))
        return EX_TEMPFAIL
    return status


def _warn_if_empty(table: LookupTable, key: str, answer: str) -> None:
    if not answer:
        _complain(
            f"warning: {table.spec}: key {key}: an empty answer is not allowed; "
            "a table should say that the key is not found"
        )


def _context(spec: str, directory: str | None, config: str | None) -> TableContext:
    return TableContext(
        parameters=_parameters(directory),
        extra_types=_directory_types(config) if "directory:" in spec else {},
        warn=lambda text: _complain(f"warning: {text}"),
        asked_by="postmap",
    )


def _parameters(directory: str | None) -> Mapping[str, str]:
    """The parameters of DIR/main.cf; without DIR none, so that defaults count."""
    if directory is None:
        return {}
    from maysend.cli.exit_codes import EX_CONFIG
    from maysend.maincf import MainCfError, Parameters

    try:
        return Parameters.load(directory)
    except MainCfError as error:
        _complain(str(error))
        raise SystemExit(EX_CONFIG) from error


def _directory_types(config: str | None) -> "Mapping[str, Opener]":
    """The tables of maysend's own directory, loaded only where one is asked."""
    from maysend.cli.exit_codes import EX_CONFIG
    from maysend.directory import Directory
    from maysend.directory.errors import DirectoryError
    from maysend.directory.location import directory_url

    try:
        return Directory.open(directory_url(config)).table_types()
    except DirectoryError as error:
        _complain(str(error))
        raise SystemExit(EX_CONFIG) from error


def _print_types() -> int:
    from maysend.tables.index import TYPES

    for name in sorted([*TYPES, "directory"]):
        _print(name)
    return FOUND


def _input_keys() -> Iterator[str]:
    """The lines of standard input; a NUL ends a key, as in a C string."""
    for line in sys.stdin.buffer:
        key = line.removesuffix(b"\n").partition(b"\0")[0]
        yield key.decode("utf-8", "surrogateescape")


def _utf8(argument: str) -> str:
    """An argument as the bytes that were typed, whatever the locale made of them."""
    return os.fsencode(argument).decode("utf-8", "surrogateescape")


def _print(text: str) -> None:
    sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape") + b"\n")
    sys.stdout.buffer.flush()


def _show(step: "TraceStep") -> None:
    """One line of -v, as deep as the table is inside others."""
    indent = "    " * step.depth + ("" if step.what == "table" else "  ")
    lines = step.text.split("\n")  # a query may have several
    text = f"{indent}{step.what:<11}" + f"\n{indent}{'':<11}".join(lines)
    sys.stdout.flush()
    click.echo(text.encode("utf-8", "surrogateescape"), err=True)


def _complain(text: str) -> None:
    click.echo(f"maysend lookup: {text}".encode("utf-8", "surrogateescape"), err=True)
