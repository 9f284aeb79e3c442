"""Which findings are about a decision: those of a restriction that it came to, or of a table that
it asked or would have asked."""

from collections.abc import Iterable, Sequence

from maysend.lint.configuration import Configuration, Smtpd
from maysend.lint.finding import Finding, Severity
from maysend.lint.linting import findings_of
from maysend.maincf import Parameters
from maysend.policy import Decision
from maysend.restrictions.trace import Step


def findings_about(
    decisions: Iterable[Decision], directory: str, service: str | None = None
) -> list[Finding]:
    """The findings in a Postfix configuration directory that bear on these decisions, worst first.

    Only the restriction that decided is looked at, where one did. Raises MainCfError where the
    configuration can't be read.
    """
    configuration = Configuration(directory, service) if service else None
    smtpd = configuration.smtpds[0] if configuration else _of_main_cf(directory)
    deciding = [step for decision in decisions for step in _telling(decision)]
    about = [finding for finding in findings_of([smtpd]) if _is_about(finding, deciding)]
    return sorted(about, key=lambda finding: list(Severity).index(finding.severity))


def _of_main_cf(directory: str) -> Smtpd:
    main = Parameters.load(directory)
    return Smtpd("", main, main)


def _telling(decision: Decision) -> Sequence[Step]:
    return decision.steps if decision.determined_by is None else (decision.determined_by,)


def _is_about(finding: Finding, steps: Iterable[Step]) -> bool:
    place = finding.problem.place
    for step in steps:
        if (step.place.file, step.place.line) == (place.file, place.line) and place.line:
            return True
        tables = {lookup.table for lookup in step.lookups} | set(step.owner_maps)
        if any(
            table == finding.problem.written or table.partition(":")[2] == place.file
            for table in tables
        ):
            return True
    return False
