"""`maysend test`: hold the dialogues of case files with a policy, and compare the replies."""

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import click

from maysend.cases import Case, CaseFileError, Result, read_cases, run
from maysend.cli.exit_codes import EX_CONFIG, EX_NOINPUT, PERMITTED, REJECTED
from maysend.cli.results_formats import as_json, as_junit, as_tap
from maysend.cli.results_text import render_results
from maysend.cli.usage import MailToolCommand

FORMATS: dict[str, Callable[[Sequence[Result]], str]] = {
    "text": render_results,
    "junit": as_junit,
    "tap": as_tap,
    "json": as_json,
}


@click.command(cls=MailToolCommand)
@click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option(
    "-k", "only", metavar="TEXT", default="", help="Only cases whose name has TEXT in it."
)
@click.option("-v", "--verbose", is_flag=True, help="Name the cases that pass, too.")
@click.option(
    "--format", "style", type=click.Choice(list(FORMATS)), default="text", show_default=True
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False, writable=True),
    help="Write the report there; the screen shows the text.",
)
def test(
    files: tuple[Path, ...], only: str, verbose: bool, style: str, output: Path | None
) -> None:
    """Run the policy tests in each FILE, or in every *.toml below a directory.

    A case says which configuration, who connects and what is sent, and the reply that must come;
    it may also name the restriction that must decide. Nothing is sent and nothing in the
    configuration is changed; DNS is what the case says, so that a run always means the same.

    \b
    config = "/etc/postfix"            # or main_cf.PARAMETER = "..." and no directory
    service = "submission"
    [[case]]
    name = "nobody sends as somebody else"
    login = "alice"
    sender = "bob@example.com"
    reply = "553 5.7.1"
    decided_by = "reject_sender_login_mismatch"

    docs/policy-tests.md has every key; docs/schema/case-file.schema.json is for editors.

    Exit status: 0 all pass, 1 a case fails, 64 wrong usage, 66 a file is not there, 78 a case
    file, or a configuration that it names, is broken.

    \b
    maysend test policy-tests/
    maysend test owners.toml --format junit -o report.xml
    """
    cases = [case for case in _cases(list(_expanded(files))) if only in case.name]
    if not cases:
        _end(EX_NOINPUT, [f"no case has {only!r} in its name" if only else "no case to run"])
    results = [run(case) for case in cases]
    text = render_results(results, verbose=verbose)
    report = text if style == "text" else FORMATS[style](results)
    if output is None:
        click.echo(report)
    else:
        _write(output, click.unstyle(report))
        click.echo(text)
    if any(result.broken for result in results):
        sys.exit(EX_CONFIG)
    sys.exit(PERMITTED if all(result.passed for result in results) else REJECTED)


def _expanded(paths: Sequence[Path]) -> Iterator[Path]:
    """Each file; of a directory those with cases in them, by name."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = sorted(path.glob("**/*.toml"))
        if not found:
            _end(EX_NOINPUT, [f"{path}: there is no *.toml below this directory"])
        yield from found


def _cases(paths: Sequence[Path]) -> list[Case]:
    """The cases of all files, or an end that says everything wrong with them."""
    cases: list[Case] = []
    broken: list[str] = []
    for path in paths:
        try:
            cases += read_cases(path)
        except OSError as error:
            _end(EX_NOINPUT, [f"{path}: {error.strerror}"])
        except CaseFileError as error:
            broken += map(str, error.problems)
    if broken:
        _end(EX_CONFIG, broken)
    return cases


def _write(path: Path, report: str) -> None:
    try:
        path.write_text(f"{report}\n", encoding="utf-8", errors="replace")
    except OSError as error:
        _end(EX_NOINPUT, [f"{path}: {error.strerror}"])


def _end(status: int, complaints: Sequence[str]) -> None:
    for complaint in complaints:
        click.echo(f"maysend test: {complaint}", err=True)
    sys.exit(status)
