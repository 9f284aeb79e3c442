"""Runs the rules over a configuration and puts their findings in order."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from maysend.lint.configuration import Configuration, Smtpd
from maysend.lint.finding import Finding, Problem, Severity
from maysend.lint.rules.index import RULES
from maysend.lint.silencing import is_silenced
from maysend.maincf import MainCfError, Place
from maysend.tables import TableError

REFUSED = "MS001"
UNUSABLE = "MS002"


def _no_progress(done: int, total: int) -> None:
    """Nobody watches."""


def lint(
    configuration: Configuration,
    codes: Sequence[str] = tuple(RULES),
    progress: Callable[[int, int], None] = _no_progress,
) -> list[Finding]:
    """The findings of the rules `codes` in all services of a configuration, by file and line.

    What several services have in common is one finding that names them. `progress` is told how
    many checks are done, and of how many.
    """
    return findings_of(configuration.smtpds, codes, progress)


def findings_of(
    smtpds: Sequence[Smtpd],
    codes: Sequence[str] = tuple(RULES),
    progress: Callable[[int, int], None] = _no_progress,
) -> list[Finding]:
    """The findings in these services; see `lint`."""
    found: dict[tuple[str, Problem], list[str]] = {}
    total = len(codes) * len(smtpds)
    done = 0
    for smtpd in smtpds:
        for code in codes:
            for finding_code, problem in _problems(code, smtpd):
                found.setdefault((finding_code, problem), []).append(smtpd.name)
            done += 1
            progress(done, total)
    findings = (_finding(code, problem, services) for (code, problem), services in found.items())
    return sorted((f for f in findings if not is_silenced(f)), key=_by_place)


def refusal(error: MainCfError) -> Finding:
    """A configuration that can't even be read, as a finding."""
    return _finding(REFUSED, Problem(place=error.place, written="", message=error.message), [])


def _problems(code: str, smtpd: Smtpd) -> Iterator[tuple[str, Problem]]:
    try:
        for problem in RULES[code].load()(smtpd):
            yield code, problem
    except MainCfError as error:
        yield REFUSED, Problem(place=error.place, written="", message=error.message)
    except TableError as error:
        place = Place(smtpd.parameters.directory + "/main.cf", 0)
        yield UNUSABLE, Problem(place=place, written=error.table, message=str(error))


def _finding(code: str, problem: Problem, services: Iterable[str]) -> Finding:
    rule = RULES[code]
    severity = problem.severity or rule.severity
    if problem.possible and severity is Severity.ERROR:
        severity = Severity.WARNING
    named = tuple(dict.fromkeys(name for name in services if name))
    return Finding(code=code, name=rule.name, severity=severity, problem=problem, services=named)


def _by_place(finding: Finding) -> tuple[str, int, int, str]:
    place = finding.problem.place
    return place.file, place.line, place.column, finding.code
