"""How cases went, for programs: JUnit XML, TAP version 14 and JSON."""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Annotated, Any, Literal
from xml.sax.saxutils import escape, quoteattr

import msgspec

from maysend.cases import Difference, Result
from maysend.cases.running import Aspect

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""XML 1.0, 2.2: characters that no document may have, escaped or not."""


class DifferenceReport(msgspec.Struct, frozen=True):
    """What was wanted of one command, and what came."""

    command: Annotated[str, msgspec.Meta(description='"" for the whole case')]
    aspect: Aspect
    wanted: str
    got: str
    restriction: Annotated[str, msgspec.Meta(description="the one that decided, as written")]
    list: Annotated[str, msgspec.Meta(description="the parameter that it stands in")]
    file: Annotated[str | None, msgspec.Meta(description="where it is written")]
    line: int | None


class CaseReport(msgspec.Struct, frozen=True):
    """How one case went."""

    name: str
    file: str
    line: int
    outcome: Literal["passed", "failed", "broken"]
    broken: Annotated[str, msgspec.Meta(description='why it could not be run, or ""')]
    differences: list[DifferenceReport]
    seconds: float


class TestReport(msgspec.Struct, frozen=True):
    """The answer of `maysend test --format json`."""

    __test__ = False  # pytest: this is no class of tests

    passed: int
    failed: int
    broken: int
    cases: list[CaseReport]


def as_json(results: Sequence[Result]) -> str:
    """One object that docs/schema/test-report.schema.json describes."""
    cases = [_case_report(result) for result in results]
    counts = {word: sum(case.outcome == word for case in cases) for word in _OUTCOMES}
    report = TestReport(cases=cases, **counts)
    text: bytes = msgspec.json.format(msgspec.json.encode(report), indent=2)
    return text.decode()


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of what as_json gives."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "maysend test --format json",
        **msgspec.json.schema(TestReport),
    }


def as_junit(results: Sequence[Result]) -> str:
    """JUnit XML as CI systems read it: a suite for each file."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<testsuites {_counts(results)}>"]
    for file, group in groupby(results, key=lambda result: result.case.place.file):
        suite = list(group)
        lines.append(f"  <testsuite name={_quoted(file)} {_counts(suite)}>")
        for result in suite:
            lines += _testcase(result, file)
        lines.append("  </testsuite>")
    return "\n".join([*lines, "</testsuites>"])


def as_tap(results: Sequence[Result]) -> str:
    """The Test Anything Protocol, version 14, with the differences as YAML."""
    lines = ["TAP version 14", f"1..{len(results)}"]
    for number, result in enumerate(results, 1):
        name = " ".join(re.sub(r"([\\#])", r"\\\1", result.case.name).split())
        lines.append(f"{'ok' if result.passed else 'not ok'} {number} - {name}")
        if not result.passed:
            lines += ["  ---", *_diagnostic(result), "  ..."]
    return "\n".join(lines)


_OUTCOMES = ("passed", "failed", "broken")


def _outcome(result: Result) -> Literal["passed", "failed", "broken"]:
    if result.broken:
        return "broken"
    return "passed" if result.passed else "failed"


def _case_report(result: Result) -> CaseReport:
    return CaseReport(
        name=_unicode(result.case.name),
        file=result.case.place.file,
        line=result.case.place.line,
        outcome=_outcome(result),
        broken=_unicode(result.broken),
        differences=[_difference_report(difference) for difference in result.differences],
        seconds=round(result.seconds, 6),
    )


def _difference_report(difference: Difference) -> DifferenceReport:
    place = difference.place
    return DifferenceReport(
        command=_unicode(difference.command),
        aspect=difference.aspect,
        wanted=_unicode(difference.wanted),
        got=_unicode(difference.got),
        restriction=_unicode(difference.restriction),
        list=difference.parameter,
        file=None if place is None else place.file,
        line=None if place is None else place.line,
    )


def _counts(results: Sequence[Result]) -> str:
    failed = sum(_outcome(result) == "failed" for result in results)
    broken = sum(_outcome(result) == "broken" for result in results)
    seconds = sum(result.seconds for result in results)
    return f'tests="{len(results)}" failures="{failed}" errors="{broken}" time="{seconds:.3f}"'


def _testcase(result: Result, file: str) -> Iterator[str]:
    opening = (
        f"    <testcase name={_quoted(result.case.name)} classname={_quoted(file)} "
        f'file={_quoted(file)} line="{result.case.place.line}" time="{result.seconds:.3f}"'
    )
    if result.passed:
        yield f"{opening}/>"
        return
    yield f"{opening}>"
    if result.broken:
        yield f"      <error message={_quoted(result.broken)}/>"
    for difference in result.differences:
        summary = f"{difference.command}: wanted {difference.wanted}, got {difference.got}"
        yield f"      <failure message={_quoted(summary)}>{_text(_sentence(difference))}</failure>"
    yield "    </testcase>"


def _sentence(difference: Difference) -> str:
    lines = [
        difference.command,
        f"wanted {difference.aspect}: {difference.wanted}",
        f"got: {difference.got}",
    ]
    if difference.restriction:
        place = "" if difference.place is None else f" ({difference.place})"
        lines.append(f"decided by {difference.restriction} in {difference.parameter}{place}")
    return "\n".join(line for line in lines if line)


def _diagnostic(result: Result) -> Iterator[str]:
    """YAML of JSON texts, which are YAML."""
    yield f"  at: {_json(str(result.case.place))}"
    if result.broken:
        yield f"  message: {_json(result.broken)}"
    for number, difference in enumerate(result.differences):
        if number == 0:
            yield "  differences:"
        report = msgspec.to_builtins(_difference_report(difference))
        for position, (key, value) in enumerate(report.items()):
            yield f"    {'- ' if position == 0 else '  '}{key}: {_json(value)}"


def _json(value: Any) -> str:
    text = _unicode(value) if isinstance(value, str) else value
    return msgspec.json.encode(text).decode()


def _unicode(text: str) -> str:
    """JSON and XML are Unicode: bytes that are no UTF-8 become U+FFFD."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _text(text: str) -> str:
    return escape(_NOT_XML.sub("�", _unicode(text)))


def _quoted(text: str) -> str:
    return quoteattr(_NOT_XML.sub("�", _unicode(text)), {"\n": "&#10;"})
