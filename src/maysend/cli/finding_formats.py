"""Findings for programs: JSON, SARIF 2.1.0, and annotations of a GitHub workflow."""

from collections.abc import Sequence
from typing import Any

import msgspec

from maysend.lint import Finding, Severity
from maysend.lint.rules.index import RULES

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def as_json(findings: Sequence[Finding]) -> str:
    """A list of objects, one a finding."""
    return _encoded([_object(finding) for finding in findings])


def as_sarif(findings: Sequence[Finding]) -> str:
    """One run in the Static Analysis Results Interchange Format (OASIS, version 2.1.0)."""
    rules = [
        {
            "id": code,
            "name": rule.name,
            "shortDescription": {"text": rule.page().splitlines()[0].lstrip("# ")},
            "defaultConfiguration": {"level": rule.severity.value},
        }
        for code, rule in RULES.items()
    ]
    driver = {"name": "maysend lint", "rules": rules}
    results = [_result(finding) for finding in findings]
    return _encoded(
        {
            "$schema": SARIF_SCHEMA,
            "version": "2.1.0",
            "runs": [{"tool": {"driver": driver}, "results": results}],
        }
    )


def as_github(findings: Sequence[Finding]) -> str:
    """Workflow commands, one a line, that mark the lines of a pull request."""
    return "\n".join(_annotation(finding) for finding in findings)


def _object(finding: Finding) -> dict[str, Any]:
    problem = finding.problem
    example = None if problem.example is None else msgspec.structs.asdict(problem.example)
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity.value,
        "possible": problem.possible,
        "file": problem.place.file,
        "line": problem.place.line,
        "column": problem.place.column,
        "end_column": finding.end_column,
        "written": problem.written,
        "message": problem.message,
        "fix": problem.fix,
        "services": finding.services,
        "example": example,
    }


def _result(finding: Finding) -> dict[str, Any]:
    problem = finding.problem
    physical: dict[str, Any] = {"artifactLocation": {"uri": problem.place.file}}
    if problem.place.line:
        physical["region"] = {
            "startLine": problem.place.line,
            "startColumn": problem.place.column,
            "endColumn": finding.end_column,
        }
    return {
        "ruleId": finding.code,
        "level": finding.severity.value,
        "message": {"text": problem.message},
        "locations": [{"physicalLocation": physical}],
    }


def _annotation(finding: Finding) -> str:
    place = finding.problem.place
    properties = {
        "file": place.file,
        "line": place.line or 1,
        "col": place.column,
        "endColumn": finding.end_column,
        "title": f"{finding.code} {finding.name}",
    }
    written = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
    return f"::{_COMMANDS[finding.severity]} {written}::{_escaped(finding.problem.message)}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


def _encoded(value: Any) -> str:
    # What is not UTF-8 in a configuration can't be in JSON either.
    raw = msgspec.json.format(msgspec.json.encode(_clean(value)), indent=2)
    return raw.decode()


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {key: _clean(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(inner) for inner in value]
    return value
